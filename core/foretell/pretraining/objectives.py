"""What a member of GENNAPE learns, and how its output is read: accuracy as it is, per FLOPs, or who is better.

An objective gives a loss from outputs and rows, and a score, larger is better, from outputs. The pairwise one is ours,
since the paper (Mills et al., 2023, https://arxiv.org/abs/2211.17226) says no more than that a member predicts which of
two is better: the logit is g(a) - g(b), so that g alone ranks n networks with n evaluations and no contradictions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
import torch
from torch.nn import functional as F

from foretell.pretraining.flops_transform import FlopsTransform

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Scale:
    """Constants of a target over the training family.

    Args:
        centre: Its mean.
        unit: Its deviation.
        low: Its least value, in these units.
        high: Its largest value, in these units.
    """

    centre: float = 0.0
    unit: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    def spanning(self, target: Float[np.ndarray, " n"]) -> Scale:
        """With the range of these targets."""
        return replace(self, low=float(target.min()), high=float(target.max()))

    def widened(self, target: Float[np.ndarray, " n"]) -> Scale:
        """With a range that holds these targets too."""
        return replace(self, low=min(self.low, float(target.min())), high=max(self.high, float(target.max())))


class Objective(Protocol):
    """How outputs of a network relate to accuracies."""

    @property
    def name(self) -> str:
        """Name in checkpoints."""
        ...

    def fit(self, accuracy: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"]) -> Scale:
        """Constants of the target over the training family."""
        ...

    def target(
        self, accuracy: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"], scale: Scale
    ) -> Float[np.ndarray, " n"]:
        """What outputs are compared with."""
        ...

    def loss(self, output: Float[torch.Tensor, " n"], target: Float[torch.Tensor, " n"]) -> torch.Tensor:
        """Mean loss of a batch."""
        ...

    def score(
        self, output: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"], scale: Scale
    ) -> Float[np.ndarray, " n"]:
        """What outputs say of accuracy; larger is better."""
        ...


@dataclass(frozen=True)
class Accuracy:
    """Squared error of the accuracy itself, standardised over the training family."""

    name: ClassVar[str] = "accuracy"

    def fit(self, accuracy: np.ndarray, gflops: np.ndarray) -> Scale:
        """See `Objective.fit`."""
        del gflops
        return Scale(float(accuracy.mean()), float(accuracy.std()))

    def target(self, accuracy: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.target`."""
        del gflops
        return np.asarray((accuracy - scale.centre) / scale.unit)

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Objective.loss`."""
        return F.mse_loss(output, target)

    def score(self, output: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.score`: the accuracy, in [0, 1]."""
        del gflops
        return np.asarray(output * scale.unit + scale.centre)


_HALF_PERCENT = 0.05  # of accuracy after the transform, over NAS-Bench-101: half of it at 1, a whole at 11 GFLOPs


@dataclass(frozen=True)
class AccuracyPerFlops:
    """Huber's error after the transform with FLOPs, see `FlopsTransform`.

    Deviations of the transformed target are mostly deviations of FLOPs: a percent of accuracy is a fourteenth of one.
    Squares would make this a matter of few networks; beyond `_HALF_PERCENT` an error counts by its size.

    Outputs beyond the range of training are cut to it: accuracy per FLOPs falls steeply with FLOPs over one family, and
    a network that goes on falling outside of it ranks small networks first. Cut, it ranks them by FLOPs.
    """

    name: ClassVar[str] = "accuracy_per_flops"

    def fit(self, accuracy: np.ndarray, gflops: np.ndarray) -> Scale:
        """See `Objective.fit`."""
        transform = FlopsTransform.fit(accuracy, gflops)
        return Scale(transform.mean, transform.std).spanning(transform(accuracy, gflops))

    def target(self, accuracy: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.target`."""
        return FlopsTransform(scale.centre, scale.unit)(accuracy, gflops)

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Objective.loss`."""
        return F.huber_loss(output, target, delta=_HALF_PERCENT) / _HALF_PERCENT

    def score(self, output: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.score`: the accuracy, in [0, 1]."""
        return FlopsTransform(scale.centre, scale.unit).inverse(np.clip(output, scale.low, scale.high), gflops)


@dataclass(frozen=True)
class Better:
    """Cross entropy of who is better, over all pairs of a batch whose accuracies differ by more than `noise`.

    Args:
        noise: Smallest difference of accuracies that counts.
    """

    name: ClassVar[str] = "better"
    noise: float = 1e-4

    def fit(self, accuracy: np.ndarray, gflops: np.ndarray) -> Scale:
        """See `Objective.fit`."""
        del accuracy, gflops
        return Scale()

    def target(self, accuracy: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.target`."""
        del gflops, scale
        return accuracy

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Objective.loss`."""
        better = target[:, None] - target[None, :] > self.noise
        losses = F.softplus(output[None, :] - output[:, None])  # -log sigmoid(g(better) - g(worse))
        return (losses * better).sum() / better.sum().clamp(min=1)

    def score(self, output: np.ndarray, gflops: np.ndarray, scale: Scale) -> np.ndarray:
        """See `Objective.score`: a logit without unit."""
        del gflops, scale
        return output


OBJECTIVES: dict[str, Objective] = {o.name: o for o in (Accuracy(), AccuracyPerFlops(), Better())}
"""Objectives by name."""
