"""What evaluations cost, and what that takes from the promise of the next one.

Expected improvement per unit of cost (Snoek, Larochelle and Adams, 2012, "Practical Bayesian Optimization of Machine
Learning Algorithms", https://arxiv.org/abs/1206.2944, section 3.2) keeps to what is cheap long after it has been
understood; with the exponent cooled as a budget is used up (Lee, Perrone, Archambeau and Seeger, 2020, "Cost-aware
Bayesian Optimization", https://arxiv.org/abs/2003.10870, section 3), it does so at the beginning only. Here nobody says
what the budget is; but who has spent much will hardly stop for one evaluation more. What an evaluation takes is
therefore its own cost and a share of all that was spent before it: at first gain per cost counts, later gain alone.

Notation: n evaluations, c their costs, S = sum of c; gain(x) the expected improvement at x; x scores
log gain(x) - log(c(x) + share S).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.cost import checked_cost
from foretell.errors import InvalidDataError
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta, spread_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.observation import Observation
    from foretell.search_memory import SearchMemory
    from foretell.unit_cube import UnitCube

CostFunction: TypeAlias = Callable[[Mapping[str, "Value"]], float]
"""What a configuration will cost, known before it is evaluated."""
SHARE = 0.05
"""Of what was spent before. Chosen on FCNet protein structure, translation sw-en, and Step Law with .21 and .54
thousand millions of parameters, like the rest: five seeds beside plain gain per cost, an exponent that falls with the
number of trials, and expected improvement over the front of cost and value (CARBS, Fetterman et al., 2023,
https://arxiv.org/abs/2306.08055), which was hardly better than not to look at costs; eight seeds beside a share of .2
and a start with cheap points, which helped where the dear is not the good, and harmed on Step Law."""
_FIT_ROWS, _KEPT_ROWS = 120, 300
_FEWEST = 2  # costs from which anything can be learnt
_LEAST_SPREAD = 1e-9  # of logarithms: keeps costs that are all the same apart from 0 / 0


@dataclass(frozen=True, eq=False)
class CostAware:
    """A belief about the logarithm of costs, and what was spent.

    Args:
        cube: The space.
        centre: What is taken off the columns.
        process: Of the logarithm of costs, standardised.
        mean: Mean of the logarithms.
        std: Their standard deviation.
        spent: All costs so far.
        known: What a configuration will cost, where that is known beforehand.
    """

    cube: UnitCube
    centre: Float[np.ndarray, " c"]
    process: SearchProcess
    mean: float
    std: float
    spent: float
    known: CostFunction | None = None

    @classmethod
    def of(
        cls,
        cube: UnitCube,
        units: Float[np.ndarray, "n d"],
        observations: Sequence[Observation],
        memory: SearchMemory,
        known: CostFunction | None = None,
    ) -> CostAware | None:
        """Learn from what observations cost; None where fewer than two say so.

        What one that was stopped early cost is spent, but nothing is learnt from it: it says only what all of it would
        have cost at least.

        Args:
            cube: The space.
            units: Positions of the observations.
            observations: In the order in which they became known.
            memory: Where fits are found again.
            known: What a configuration will cost, where that is known beforehand; also of observations without a cost.

        Raises:
            InvalidDataError: If there are several objectives, or a known cost is no finite number above 0.
        """
        if known is None and all(o.cost is None for o in observations):
            return None
        if observations and len(observations[0].values) > 1:
            objectives = len(observations[0].values)
            msg = f"costs are weighed against one objective, but got {objectives}: make the cost one of them instead"
            raise InvalidDataError(msg)
        costs = np.array([_cost(o, known) for o in observations], dtype=np.float64)
        told = np.array([not o.partial for o in observations], dtype=bool) & np.isfinite(costs)
        if told.sum() < _FEWEST:
            return None
        logs, at = np.log(costs[told]), units[told]
        k = len(logs) - len(logs) % max(1, len(logs) // 10)  # fitted anew when a tenth has come
        early = spread_rows(-np.arange(k, dtype=np.float64), _FIT_ROWS)
        first, y = cube.encode(at[:k])[early], logs[:k][early]
        centre, mean, std = first.mean(axis=0), float(y.mean()), max(float(y.std()), _LEAST_SPREAD)
        layout = Layout(cube.groups, cube.blocks, cube.n_groups, cube.n_blocks)
        key = ("cost", layout.key, first.tobytes(), y.tobytes())
        theta = memory.fit(key, lambda: fit_theta(first - centre, (y - mean) / std, layout))
        recent = slice(-_KEPT_ROWS, None)
        process = SearchProcess.condition_on(
            cube.encode(at[recent]) - centre, (logs[recent] - mean) / std, layout, theta
        )
        return cls(cube, centre, process, mean, std, float(np.nansum(costs)), known)

    def log_costs(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Expected logarithm of the cost of positions, as far as observations tell."""
        belief = self.process.predict(self.cube.encode(units) - self.centre)
        return np.asarray(self.mean + self.std * belief.mean)

    def burden(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """What is to be taken off the logarithm of the gain at positions, by what observations tell."""
        return self._burden(self.log_costs(units))

    def exact_burden(self, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, " m"]:
        """The same of a few configurations, by what is known of them beforehand if anything is.

        Raises:
            InvalidDataError: If a known cost is no finite number above 0.
        """
        if self.known is None:
            return self.burden(self.cube.space.to_unit(configs))
        return self._burden(np.log([_known_cost(self.known, c) for c in configs]))

    def _burden(self, log_costs: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """log(c + share S)."""
        return np.asarray(np.logaddexp(log_costs, math.log(SHARE * self.spent)))


def _cost(observation: Observation, known: CostFunction | None) -> float:
    if observation.cost is not None:
        return observation.cost
    if known is None:
        return math.nan
    return _known_cost(known, observation.config)


def _known_cost(known: CostFunction, config: Mapping[str, Value]) -> float:
    return checked_cost(known(config), f"the configuration {dict(config)}")
