"""How a trained member adapts to a few labels of another family: its heads alone, or all of it.

GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226) trains all weights for 100 epochs, one network a step,
Adam at 1e-4: `WholeNetwork`. `HeadsOnly` keeps the embedding, which makes it a matter of a second.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jaxtyping import Float
    from torch import nn

    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.member import TrainedMember


class FineTuning(Protocol):
    """A way to adapt a member."""

    def tune(
        self,
        member: TrainedMember,
        graphs: FoldedGraphs,
        memberships: Float[np.ndarray, "n C"],
        accuracy: Float[np.ndarray, " n"],
        gflops: Float[np.ndarray, " n"],
    ) -> TrainedMember:
        """A copy that has learnt from n labelled networks; centre and unit of the target stay."""
        ...


@dataclass(frozen=True)
class HeadsOnly:
    """Adam on the heads, embeddings computed once.

    Args:
        epochs: Passes over the labelled networks.
        batch: Networks a step.
        learning_rate: Constant; chosen on TransNAS-Bench-101 and the NAS-Bench-301 sample.
        seed: Seed of the order.
    """

    epochs: int = 100
    batch: int = 10
    learning_rate: float = 5e-3
    seed: int = 0

    def tune(
        self,
        member: TrainedMember,
        graphs: FoldedGraphs,
        memberships: Float[np.ndarray, "n C"],
        accuracy: Float[np.ndarray, " n"],
        gflops: Float[np.ndarray, " n"],
    ) -> TrainedMember:
        """See `FineTuning.tune`."""
        module = copy.copy(member.module)  # the encoder stays one with the others'
        module._modules = {**member.module._modules, "heads": copy.deepcopy(member.module.heads).requires_grad_()}
        tuned = replace(member, module=module)
        h = torch.from_numpy(module.encoder.encode(graphs))
        tuned, U, y = _tensors(tuned, memberships, accuracy, gflops)

        def loss(rows: np.ndarray) -> torch.Tensor:
            return tuned.objective.loss(tuned.module.read(h[rows], U[rows]), y[rows])

        _descend(self, tuned.module.heads.parameters(), loss, len(y))
        return tuned


@dataclass(frozen=True)
class WholeNetwork:
    """Adam on all weights of a member, as in the paper but for the size of a step; memberships stay.

    Args:
        epochs: Passes over the labelled networks.
        batch: Networks a step; 1 in the paper, where pairwise members could learn nothing.
        learning_rate: Constant; 1e-4 in the paper.
        seed: Seed of the order.
    """

    epochs: int = 100
    batch: int = 10
    learning_rate: float = 3e-4
    seed: int = 0

    def tune(
        self,
        member: TrainedMember,
        graphs: FoldedGraphs,
        memberships: Float[np.ndarray, "n C"],
        accuracy: Float[np.ndarray, " n"],
        gflops: Float[np.ndarray, " n"],
    ) -> TrainedMember:
        """See `FineTuning.tune`."""
        tuned = replace(member, module=copy.deepcopy(member.module).requires_grad_())
        tuned, U, y = _tensors(tuned, memberships, accuracy, gflops)

        def loss(rows: np.ndarray) -> torch.Tensor:
            return tuned.objective.loss(tuned.module(graphs.select(rows), U[rows]), y[rows])

        _descend(self, tuned.module.parameters(), loss, len(y))
        return tuned


def _tensors(
    member: TrainedMember, memberships: np.ndarray, accuracy: np.ndarray, gflops: np.ndarray
) -> tuple[TrainedMember, torch.Tensor, torch.Tensor]:
    """The member with the new targets in its range, memberships, targets."""
    target = member.objective.target(accuracy, gflops, member.scale)
    member = replace(member, scale=member.scale.widened(target))
    return member, torch.from_numpy(memberships).float(), torch.from_numpy(np.asarray(target, dtype=np.float32))


def _descend(
    how: HeadsOnly | WholeNetwork,
    weights: Iterable[nn.Parameter],
    loss: Callable[[np.ndarray], torch.Tensor],
    n: int,
) -> None:
    adam, rng = torch.optim.Adam(weights, lr=how.learning_rate), np.random.default_rng(how.seed)
    for _ in range(how.epochs):
        for rows in np.array_split(rng.permutation(n), max(1, round(n / how.batch))):
            adam.zero_grad()
            loss(rows).backward()  # type: ignore[no-untyped-call]
            adam.step()
