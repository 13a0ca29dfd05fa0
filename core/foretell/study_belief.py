"""What a search believes of positions in its space, and how much each is worth trying.

One process an objective and a constraint, and one for whether an evaluation succeeds at all. Length scales are those of
an `EarlyFit`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.early_fit import EarlyFit, refit_size
from foretell.expected_hypervolume import (
    log_expected_hypervolume_improvement,
    pareto_front,
    worthwhile_point,
)
from foretell.held_down import held_down
from foretell.posterior import GaussianPosterior, WarpedPosterior
from foretell.posterior_draw import PosteriorDraw
from foretell.search_warps import SCALES, on_scale
from foretell.surrogates.calibrated import conformal_factor
from foretell.surrogates.search_process import SearchProcess, spread_rows
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Bool, Float

    from foretell.search_memory import SearchMemory
    from foretell.transfer.informed_cube import InformedCube
    from foretell.transfer.informed_trend import InformedTrend
    from foretell.unit_cube import UnitCube

_KEPT_ROWS = 300
_PLAIN = (np.inf,)
_FIRST = 10  # observations of several objectives that say what is usual
_HOPELESS = np.log(0.2)  # where what is left to gain is little, a product alone would gamble on what must fail
_LIKELY = np.log(0.5)  # from here on a position under evaluation is expected to hold its limits
_LEAST_PROMISE = -500.0  # log probability that something works, at least: a sum of such stays finite


@dataclass(frozen=True, eq=False)
class Trend:
    """One process over the columns of a cube.

    Args:
        centre: What is taken off the columns.
        process: The process.
        which: Rows, of those given, that it kept.
        scale: The scale of its targets, one of `SCALES`.
        targets: Their targets, on their own scale.
    """

    centre: Float[np.ndarray, " c"]
    process: SearchProcess
    which: np.ndarray
    scale: float
    targets: Float[np.ndarray, " k"]

    @classmethod
    def fit(
        cls,
        cube: UnitCube | InformedCube,
        units: Float[np.ndarray, "n d"],
        y: Float[np.ndarray, " n"],
        memory: SearchMemory,
        partial: Bool[np.ndarray, " n"] | None = None,
        scales: Sequence[float] = SCALES,
    ) -> Trend:
        """Fit to the targets of positions, in the order in which they became known.

        Args:
            cube: The space.
            units: Positions.
            y: Targets, any scale, infinite allowed.
            memory: Where theta is found again.
            partial: Which were stopped early, see `held_down`.
            scales: Scales on which the targets may be seen, see `search_warps`.
        """
        n, k = len(y), refit_size(len(y))
        early = EarlyFit.of(cube, units[:k], y[:k], None if partial is None else partial[:k], memory, scales)
        y = y if partial is None else held_down(y, partial)
        kept = spread_rows(y, _KEPT_ROWS, recent=_KEPT_ROWS // 8)
        z = on_scale(y, early.scale)
        if len(kept) < n:
            rows, y, z = cube.encode(units[kept]), y[kept], z[kept]
        else:  # the first by themselves: a product of matrices rounds by their number of rows
            rows = early.rows if k == n else np.concatenate([early.rows, cube.encode(units[k:])])
        process = SearchProcess.condition_on(rows - early.centre, z, early.layout, early.theta)
        return cls(early.centre, process, kept, early.scale, y)

    def told(self, X: Float[np.ndarray, "p c"]) -> Trend:
        """Believe the mean at encoded positions under evaluation: they lose their uncertainty, not their rank."""
        return replace(self, process=self.process.believing(X - self.centre))

    def predict(self, X: Float[np.ndarray, "m c"]) -> GaussianPosterior:
        """Belief about the function at encoded positions, in units of the warped targets."""
        return self.process.predict(X - self.centre)

    def drawn(self, rng: np.random.Generator) -> Callable[[Float[np.ndarray, "m c"]], Float[np.ndarray, " m"]]:
        """One function of encoded positions, drawn from the belief, in units of the warped targets."""
        draw = PosteriorDraw(self.process, rng)
        return lambda X: draw(X - self.centre)

    def next_values(self, X: Float[np.ndarray, "m c"]) -> WarpedPosterior:
        """Belief about what would be measured at encoded positions, noise included, in units of the targets.

        Intervals are as wide as leaving one out says, see `conformal_factor`.
        """
        left_out, y = self.process.leave_one_out(), self.process.y
        factor = conformal_factor(np.abs(y - left_out.mean) / left_out.std)
        latent = self.predict(X)
        std = factor * np.sqrt(latent.std**2 + self.process.t2)
        return WarpedPosterior(GaussianPosterior(latent.mean, std), self.warp)

    @property
    def warp(self) -> TargetWarp:
        """Between the targets' own scale and that of the process."""
        finite = np.isfinite(self.targets)
        values, first = np.unique(self.targets[finite], return_index=True)
        return TargetWarp(values, self.process.y[: len(self.targets)][finite][first])


Doubts: TypeAlias = "tuple[tuple[Trend, float], ...]"
"""Trends whose value must not exceed a limit, with the limit."""


@dataclass(frozen=True, eq=False)
class StudyBelief:
    """All that a search believes.

    Args:
        cube: The space.
        objectives: One trend each.
        doubts: Trends whose value must not exceed a limit, with the limit.
        best: Per objective, the best smoothed value among what holds all constraints; None if nothing does.
        front: Smoothed values of the undominated ones among it, with several objectives.
        elite: Positions to look around, best first.
        reference: The corner from which volume counts, with several objectives.
    """

    cube: UnitCube | InformedCube
    objectives: tuple[Trend | InformedTrend, ...]
    doubts: Doubts
    best: float | None
    front: Float[np.ndarray, "f m"] | None
    elite: Float[np.ndarray, "k d"]
    reference: Float[np.ndarray, " m"] | None = None

    @classmethod
    def fit(
        cls,
        cube: UnitCube | InformedCube,
        units: Float[np.ndarray, "n d"],
        values: Float[np.ndarray, "n m"],
        partial: Bool[np.ndarray, " n"],
        constraints: Float[np.ndarray, "n c"],
        running: Float[np.ndarray, "p d"],
        failed: Float[np.ndarray, "f d"],
        memory: SearchMemory,
    ) -> StudyBelief:
        """Fit every process.

        Args:
            cube: The space.
            units: Positions that were evaluated, in the order in which their values became known.
            values: Objectives, larger is better, infinite allowed.
            partial: Which were stopped early.
            constraints: Values that must not be positive; `nan` where unknown.
            running: Positions under evaluation.
            failed: Positions whose evaluation failed.
            memory: Where fits are found again.
        """
        stopped = partial if partial.any() else None
        scales = scales_for(values.shape[1])
        objectives = [_objective(cube, units, column, m, memory, stopped, scales) for m, column in enumerate(values.T)]
        broken = np.asarray((constraints > 0).any(axis=1))  # not where they are unknown
        doubts = doubted(cube, units, constraints, failed, memory)
        best, front, order = _standing(objectives, values, broken, constraints)
        elite = units[_distinct_first(values, order)[: max(5, len(units) // 10)]]
        if len(running):
            at = cube.encode(running)
            objectives = [trend.told(at) for trend in objectives]
            believed = np.stack([trend.predict(at).mean for trend in objectives], axis=1)
            best, front = _raised(best, front, believed[promise(doubts, at) >= _LIKELY])
        reference = None if front is None else worthwhile_point(front, _plain(values)[:_FIRST])
        return cls(cube, tuple(objectives), doubts, best, front, elite, reference)

    def score(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Logarithm of what each position is expected to gain, if it works at all."""
        X = self.cube.encode(units)
        scores = promise(self.doubts, X)
        if self.front is not None:
            beliefs = [trend.predict(X) for trend in self.objectives]
            return np.asarray(scores + log_expected_hypervolume_improvement(beliefs, self.front, self.reference))
        if self.best is None:  # nothing holds all constraints yet: find what does
            return scores
        return np.asarray(scores + log_expected_improvement(self.objectives[0].predict(X), self.best))


def _raised(
    best: float | None, front: Float[np.ndarray, "f m"] | None, believed: Float[np.ndarray, "p m"]
) -> tuple[float | None, Float[np.ndarray, "f m"] | None]:
    """What is to be beaten once positions under evaluation keep their promise; else all workers would crowd there."""
    if not len(believed):
        return best, front
    if best is not None:
        return max(best, float(believed.max())), front
    if front is not None:
        both = np.concatenate([front, believed])
        return best, both[pareto_front(both)]
    return best, front


def _objective(
    cube: UnitCube | InformedCube,
    units: Float[np.ndarray, "n d"],
    values: Float[np.ndarray, " n"],
    objective: int,
    memory: SearchMemory,
    partial: Bool[np.ndarray, " n"] | None,
    scales: Sequence[float],
) -> Trend | InformedTrend:
    from foretell.transfer.informed_cube import InformedCube
    from foretell.transfer.informed_trend import InformedTrend

    if isinstance(cube, InformedCube):
        return InformedTrend.fit(cube, units, values, objective, memory, partial)
    return Trend.fit(cube, units, values, memory, partial, scales)


def promise(doubts: Doubts, X: Float[np.ndarray, "m c"]) -> Float[np.ndarray, " m"]:
    """Logarithm of the probability that encoded positions hold all limits; what will hardly is put far below the rest.

    Args:
        doubts: Trends whose value must not exceed a limit, with the limit.
        X: Encoded positions.
    """
    from scipy.special import log_ndtr

    total = np.zeros(len(X))
    for trend, limit in doubts:
        belief = trend.predict(X)
        chance = np.maximum(log_ndtr((limit - belief.mean) / belief.std), _LEAST_PROMISE)
        total += np.where(chance < _HOPELESS, chance + _LEAST_PROMISE, chance)
    return total


def doubted(
    cube: UnitCube | InformedCube,
    units: Float[np.ndarray, "n d"],
    constraints: Float[np.ndarray, "n c"],
    failed: Float[np.ndarray, "f d"],
    memory: SearchMemory,
) -> Doubts:
    """One trend a constraint that was ever violated, and one for failures."""
    found = []
    for column in constraints.T:
        known = ~np.isnan(column)
        if (column[known] > 0).any():
            y = column[known]
            trend = Trend.fit(cube, units[known], y, memory, scales=_PLAIN)
            found.append((trend, _limit(y)))
    if len(failed):
        both = np.concatenate([failed, units])
        y = np.concatenate([np.ones(len(failed)), np.zeros(len(units))])
        trend = Trend.fit(cube, both, y, memory, scales=_PLAIN)
        found.append((trend, float(on_scale(np.append(y, 0.5), np.inf)[-1])))
    return tuple(found)


def _limit(y: Float[np.ndarray, " n"]) -> float:
    """Where zero lies on the scale of the warped values."""
    return float(TargetWarp.fit_top_linear(y).forward(np.zeros(1))[0])


def _standing(
    objectives: Sequence[Trend | InformedTrend],
    values: Float[np.ndarray, "n m"],
    broken: Bool[np.ndarray, " n"],
    constraints: Float[np.ndarray, "n c"],
) -> tuple[float | None, Float[np.ndarray, "f m"] | None, np.ndarray]:
    """The value to beat, or the front, and all rows from the best to the worst."""
    n = len(values)
    if len(objectives) == 1:
        trend = objectives[0]
        rank = np.full(n, -np.inf)
        rank[trend.which] = trend.process.smoothed
        held = rank[~broken]
        best = float(held.max()) if len(held) and held.max() > -np.inf else None
        front = None
    else:
        scores = _plain(values)
        front_rows = pareto_front(np.where(broken[:, None], -np.inf, scores)) & ~broken
        best, front = None, scores[front_rows] if front_rows.any() else None
        rank = np.where(front_rows, 100.0, 0.0) + scores.mean(axis=1)
    if broken.any():
        excess = np.nan_to_num(constraints, nan=0.0).clip(0.0)
        share = (excess / np.maximum(excess.max(axis=0), 1e-300)).sum(axis=1)
        rank = np.where(broken, -1e6 - share, rank)
    return best, front, np.argsort(-rank, kind="stable")


def scales_for(objectives: int) -> tuple[float, ...]:
    """Scales on which each of so many objectives may be seen: of several the plain one, which hypervolume has."""
    return SCALES if objectives == 1 else _PLAIN


def _plain(values: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Every objective on the plain scale."""
    return np.stack([on_scale(column, np.inf) for column in values.T], axis=1)


def _distinct_first(values: Float[np.ndarray, "n m"], order: np.ndarray) -> np.ndarray:
    """The same rows; those of a value that was there before come last.

    Where parameters change nothing, such as an edge to nowhere, all copies of the best would crowd out the rest.
    """
    if values.shape[1] == 1:
        firsts = list({value: at for at, value in reversed(list(enumerate(values[order, 0].tolist())))}.values())
    else:
        firsts = np.unique(values[order], axis=0, return_index=True)[1].tolist()
    if len(firsts) == len(order):
        return order
    new = np.zeros(len(order), dtype=bool)
    new[firsts] = True
    return np.concatenate([order[new], order[~new]])
