"""Networks that score rows, made a posterior: an ensemble whose members each leave rows out.

Scores of a ranking loss have no scale, and a network's error on what it was trained on says nothing. So member e is
trained without a share of the rows, the e-th share in a random order, and the held-out scores tell the rest: a line
maps a member's score, standardised over its own training rows, to the target; what the line leaves unexplained, less
the members' disagreement, is the noise; the disagreement is the epistemic variance (Lakshminarayanan, Pritzel and
Blundell, 2017, https://arxiv.org/abs/1612.01474, with held-out rows in place of a likelihood).

Notation: E members, n rows, z standardised scores; target = intercept + slope z.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from foretell.errors import CheckpointError
from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from jaxtyping import Float, Int

    from foretell.surrogates.training import Training

_ROWS_AT_ONCE = 512
_PRIOR_ROWS = 2.0  # of the belief that standardised scores have the spread of the target
_VARIANCE_FLOOR = 1e-6


class Scorer(Protocol):
    """The forward pass of E networks."""

    def __call__(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """Scores, larger is better, of inputs that each have leading dimensions E and B; dropout if a generator."""
        ...


@dataclass(frozen=True)
class NetworkEnsemble:
    """How members are trained.

    Args:
        training: The loop.
        score: The forward pass.
        loss: Sum over members of the loss of scores, E x B, against targets, E x B.
        held_out: Share of the rows that a member does not see, in [0, 1); none of fewer than five rows.
    """

    training: Training
    score: Scorer
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    held_out: float

    def fit(
        self,
        layout: Layout,
        X: Float[np.ndarray, "n d"],
        y: Float[np.ndarray, " n"],
        weights: Mapping[str, torch.Tensor],
    ) -> FittedEnsemble:
        """Train all members from initial weights, each with a leading dimension of E."""
        import torch

        n, n_members = len(X), len(next(iter(weights.values())))
        held = held_out_rows(n, n_members, self.held_out, self.training.seed)
        seen = np.stack([np.setdiff1d(np.arange(n), h) for h in held])
        inputs = tuple(torch.from_numpy(a) for a in layout.tensors(X))
        targets = torch.from_numpy(y.astype(np.float32))

        def loss(trained: dict[str, torch.Tensor], rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            return self.loss(self.score(trained, tuple(t[rows] for t in inputs), generator), targets[rows])

        trained = self.training.run(weights, torch.from_numpy(seen), loss)
        arrays = {name: w.numpy() for name, w in trained.items()}
        unscaled = FittedEnsemble(self.score, layout, arrays, np.zeros((n_members, 2)), np.zeros(3))
        scores = unscaled.scores(X)
        own = np.take_along_axis(scores, seen, axis=1)
        spread = own.std(axis=1)
        scale = np.stack([own.mean(axis=1), np.where(spread > 0, spread, 1.0)], axis=1)
        return FittedEnsemble(self.score, layout, arrays, scale, _line(scores, scale, held, y))


class Layout(Protocol):
    """What turns columns into the inputs of a network."""

    def tensors(self, X: Float[np.ndarray, "m d"]) -> tuple[np.ndarray, ...]:
        """Inputs of m rows, each float32 with leading dimension m."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What it must remember."""
        ...


@dataclass(frozen=True, eq=False)
class AllColumns:
    """The columns as they are."""

    def tensors(self, X: Float[np.ndarray, "m d"]) -> tuple[np.ndarray, ...]:
        """See `Layout.tensors`."""
        return (X.astype(np.float32),)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """Trained members.

    Args:
        score: The forward pass.
        layout: What makes its inputs.
        weights: By name, leading dimension E.
        scale: Mean and standard deviation of each member's scores over its own rows, E x 2.
        line: Intercept, slope and variance of the noise, 3.

    Raises:
        CheckpointError: If there is not one scale a member.
    """

    score: Scorer = field(repr=False)
    layout: Layout
    weights: Mapping[str, np.ndarray] = field(repr=False)
    scale: Float[np.ndarray, "E 2"]
    line: Float[np.ndarray, " 3"]

    def __post_init__(self) -> None:
        members = {len(w) for w in self.weights.values()}
        if self.line.shape != (3,) or members != {len(self.scale)} or self.scale.shape[1:] != (2,):
            msg = (
                f"an ensemble has weights and a scale for each member and a line of 3, but got members {members}, "
                f"{self.scale.shape} and {self.line.shape}: save it again"
            )
            raise CheckpointError(msg)

    @classmethod
    def from_arrays(cls, score: Scorer, layout: Layout, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """Inverse of `to_arrays`, given what is not stored."""
        weights = {k.removeprefix("weights."): a for k, a in arrays.items() if k.startswith("weights.")}
        return cls(score, layout, weights, arrays["scale"], arrays["line"])

    def scores(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "E m"]:
        """What each member says, in its own unit; larger is better."""
        import torch

        weights = {name: torch.tensor(w) for name, w in self.weights.items()}
        inputs = tuple(torch.from_numpy(a) for a in self.layout.tensors(X))
        found = [np.zeros((len(self.scale), 0))]
        with torch.no_grad():
            for start in range(0, len(X), _ROWS_AT_ONCE):
                part = tuple(t[start : start + _ROWS_AT_ONCE].expand(len(self.scale), *(-1,) * t.ndim) for t in inputs)
                found.append(self.score(weights, part, None).numpy().astype(np.float64))
        return np.concatenate(found, axis=1)

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        intercept, slope, noise = self.line
        z = (self.scores(X) - self.scale[:, :1]) / self.scale[:, 1:]
        return GaussianPosterior(intercept + slope * z.mean(axis=0), np.sqrt(slope**2 * z.var(axis=0) + noise))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        named = {f"weights.{name}": w for name, w in self.weights.items()}
        return {**named, **self.layout.to_arrays(), "scale": self.scale, "line": self.line}


def held_out_rows(n: int, n_members: int, share: float, seed: int) -> list[Int[np.ndarray, " k"]]:
    """Rows that each member does not see: consecutive parts of one random order, round and round."""
    k = min(max(round(share * n), 1), n - 1) if n >= 5 and share > 0 else 0
    order = np.random.default_rng(seed).permutation(n)
    return [order[(e * k + np.arange(k)) % n] for e in range(n_members)]


def _line(
    scores: Float[np.ndarray, "E n"],
    scale: Float[np.ndarray, "E 2"],
    held: list[Int[np.ndarray, " k"]],
    y: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " 3"]:
    """Intercept, slope and noise; the slope stays positive, since members were taught that larger is better."""
    z = (scores - scale[:, :1]) / scale[:, 1:]
    out = np.concatenate([z[e, rows] for e, rows in enumerate(held)])
    rows = np.concatenate(held)
    centre, deviation = float(y.mean()), float(y.std())
    if not len(out):  # too few rows to leave any out: no more is known than the spread of the target
        return np.array([centre, deviation, max(deviation**2, _VARIANCE_FLOOR) if len(y) > 1 else 1.0])
    away = y[rows] - centre
    slope = (float(out @ away) + _PRIOR_ROWS * deviation) / (float(out @ out) + _PRIOR_ROWS)
    slope = max(slope, 0.05 * deviation)
    error = float(np.mean((away - slope * out) ** 2))
    disagreement = slope**2 * float(z[:, rows].var(axis=0).mean())
    return np.array([centre, slope, max(error - disagreement, 0.25 * error, _VARIANCE_FLOOR)])
