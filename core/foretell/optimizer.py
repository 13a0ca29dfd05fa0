"""Bayesian optimisation over configurations whose networks may be visible: what to try next.

A pure function of what is known, so that workers who see the same storage agree and nothing is lost with a
process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.candidate import Candidate
from foretell.encoders import ColumnScaler, Encoding, GraphStatistics, Hyperparameters
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.proposals import local_edits, unseen
from foretell.scalarisation import feasible_first, held_down, scalarise
from foretell.surrogates import GaussianProcess
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.search_space import SearchSpace
    from foretell.surrogates.gaussian_process import FittedGaussianProcess

GraphFunction = Callable[[Mapping[str, "Value"]], "ComputationGraph | None"]
_N_PROPOSALS = 768
_N_REFINED = 128
_SHORTLIST = 24  # proposals whose network is built and captured
_REFITS = 20  # theta is fitted again after every n / 20 observations


@dataclass(frozen=True)
class Observation:
    """One finished evaluation.

    Args:
        config: What was tried; inactive parameters are absent.
        values: Objectives, larger is better; infinite allowed, `nan` not.
        violation: Sum by which constraints were violated, 0 when all held.
        partial: Whether it was stopped early, so that the objective is an intermediate value.

    Raises:
        InvalidDataError: If there is no objective or one is `nan`.
    """

    config: Mapping[str, Value]
    values: tuple[float, ...]
    violation: float = 0.0
    partial: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(float(v) for v in self.values))
        if not self.values or any(v != v for v in (*self.values, self.violation)):
            msg = f"an observation needs objectives that are numbers, but got {self.values}: leave failed ones out"
            raise InvalidDataError(msg)


@dataclass(frozen=True)
class BayesianOptimizer:
    """Suggests the next configuration by expected improvement under a Gaussian process.

    Args:
        space: What may be varied.
        graph: Gives the network of a configuration, None where it has none; the surrogate then sees the network too.
            Called for every observation and for the most promising proposals; cache it.
        n_startup: Observations before the surrogate decides; until then points of a Sobol sequence.
    """

    space: SearchSpace
    graph: GraphFunction | None = None
    n_startup: int = 10

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]] = (),
        seed: int | Sequence[int] = 0,
        index: int | None = None,
    ) -> dict[str, Value]:
        """Propose a configuration; the same arguments give the same answer.

        Args:
            observations: What is known, in the order in which it became known.
            pending: Configurations now being evaluated elsewhere.
            seed: Source of randomness for this suggestion; `seed` and `index` should differ between
                suggestions.
            index: Number of this suggestion, for the start-up sequence; counts all that is known by default.

        Returns:
            Active parameters only, as plain Python values inside the space.

        Raises:
            InvalidSearchSpaceError: If the space is empty.
            InvalidDataError: If observations differ in their number of objectives.
        """
        if not len(self.space):
            msg = "a suggestion needs at least one parameter, but the space is empty: add distributions"
            raise InvalidSearchSpaceError(msg)
        if len({len(o.values) for o in observations}) > 1:
            msg = "observations must agree in their number of objectives, but differ: keep studies apart"
            raise InvalidDataError(msg)
        seeds = [seed] if isinstance(seed, int) else list(seed)
        rng = np.random.default_rng(seeds)
        number = len(observations) + len(pending) if index is None else index
        known = self.space.to_unit([o.config for o in observations])
        running = self.space.to_unit(list(pending))
        seen = np.concatenate([known, running])
        if len(observations) < max(self.n_startup, 1):
            first = self.space.quasi_random(number, seeds[0])
            row = self.space.to_unit([first])
            return first if unseen(row, seen)[0] else self._random(seen, rng)

        values = scalarise(np.array([o.values for o in observations]), rng)
        finished = held_down(values, np.array([o.partial for o in observations]))
        targets = feasible_first(finished, np.array([o.violation for o in observations]))
        rows = self._search(known, running, targets, seen, rng)
        configs = [self.space.from_unit(row) for row in rows]
        if self.graph is None or len(configs) == 1:
            return configs[0]
        return self._look_at_networks(observations, pending, targets, configs)

    def _search(
        self,
        known: Float[np.ndarray, "n d"],
        running: Float[np.ndarray, "p d"],
        targets: Float[np.ndarray, " n"],
        seen: Float[np.ndarray, "m d"],
        rng: np.random.Generator,
    ) -> Float[np.ndarray, "k d"]:
        """The most promising unseen positions by hyperparameters alone, best first."""
        block = Hyperparameters(self.space)
        belief = _Belief.fit(block.encode_units(known), targets, block.encode_units(running))
        elite = known[np.argsort(-targets, kind="stable")[: max(5, len(known) // 10)]]
        rows = np.concatenate(
            [
                self.space.sample_units(_N_PROPOSALS // 2, rng),
                local_edits(self.space, elite, _N_PROPOSALS // 2, rng),
            ]
        )
        scores = belief.score(block.encode_units(rows))
        for _ in range(2):
            best = rows[np.argsort(-scores, kind="stable")[:5]]
            edits = local_edits(self.space, best, _N_REFINED, rng)
            rows, scores = (
                np.concatenate([rows, edits]),
                np.concatenate([scores, belief.score(block.encode_units(edits))]),
            )
        order = np.argsort(-scores, kind="stable")
        fresh = order[unseen(rows[order], seen)]
        wanted = 1 if self.graph is None else _SHORTLIST
        chosen = fresh[:wanted] if len(fresh) else order[:1]  # a small space, used up: its best point again
        return np.asarray(rows[chosen])

    def _look_at_networks(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]],
        targets: Float[np.ndarray, " n"],
        configs: Sequence[dict[str, Value]],
    ) -> dict[str, Value]:
        """Judge the shortlist again with its networks in view."""
        blocks = (Hyperparameters(self.space), GraphStatistics())

        def encode(given: Sequence[Mapping[str, Value]]) -> Encoding:
            assert self.graph is not None
            candidates = [Candidate(self.graph(c), c) for c in given]
            return Encoding.side_by_side([b.encode(candidates) for b in blocks])

        belief = _Belief.fit(encode([o.config for o in observations]), targets, encode(pending))
        return configs[int(np.argmax(belief.score(encode(configs))))]

    def _random(self, seen: Float[np.ndarray, "m d"], rng: np.random.Generator) -> dict[str, Value]:
        rows = self.space.sample_units(64, rng)
        fresh = rows[unseen(rows, seen)]
        return self.space.from_unit((fresh if len(fresh) else rows)[0])


@dataclass(frozen=True, eq=False)
class _Belief:
    """A process over columns, told what is running, with the value to beat."""

    scaler: ColumnScaler
    process: FittedGaussianProcess
    best: float

    @classmethod
    def fit(cls, encoding: Encoding, targets: Float[np.ndarray, " n"], running: Encoding) -> _Belief:
        k = _refit_size(len(targets))
        scaler = ColumnScaler.fit(encoding.rows(slice(k)))  # on the same rows as theta, so that both are found again
        X, y = scaler.transform(encoding), TargetWarp.fit_top_linear(targets).forward(targets)
        early = GaussianProcess().fit(X[:k], TargetWarp.fit_top_linear(targets[:k]).forward(targets[:k]), scaler.groups)
        process = early if k == len(y) else early.condition_on(X, y, early.index, early.theta)
        best = float(process.smoothed.max())
        if len(running.values):  # believe the mean: the running points lose their uncertainty, not their rank
            at = scaler.transform(running)
            process = process.condition(at, process.predict(at).mean)
        return cls(scaler, process, best)

    def score(self, encoding: Encoding) -> Float[np.ndarray, " m"]:
        return log_expected_improvement(self.process.predict_latent(self.scaler.transform(encoding)), self.best)


def _refit_size(n: int) -> int:
    """The largest size up to n at which theta is fitted, so that its cost is shared by n / 20 suggestions."""
    step = max(1, n // _REFITS)
    return n - n % step
