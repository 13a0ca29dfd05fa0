"""How a search across fidelities begins: the cheapest level is searched first, and its favourite put to the test.

Evaluating the first configurations at every level costs as much as a search of the dear level alone needs to come near
the best. So the cheapest level alone is searched, for two thirds of what one dear evaluation costs; its favourite is
evaluated in full, and beside it the first configuration of all, which is anywhere. If the dear level ranks them as the
cheap one does, the cheap one is searched on, for half of all cost, and its next favourites follow; as soon as the dear
results are ranked rather the other way round, they go on as a search of the dear level would begin. Where two thirds of
a dear evaluation do not pay for four cheap ones, so few that a search of them says little, the dear level begins alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.cross_fidelity.fidelity_trial import FidelityJob
from foretell.metrics import kendall_tau
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.study_belief import Trend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.cross_fidelity.fidelity_trial import FidelityTrial
    from foretell.distributions import Value
    from foretell.search_memory import SearchMemory
    from foretell.search_space import SearchSpace

_SCREENED, _FEWEST = 2 / 3, 4  # cost of the first screening in dear evaluations, and its evaluations at least
_ANYWHERE = 5  # of these, the first so many are quasi-random
_CHEAP = 0.5  # share of all cost that the cheapest level may have while it is not contradicted
_HEARD = 4  # dear results with which `HeardProcess` may begin where they agree
_PLAIN = (np.inf,)


@dataclass(frozen=True)
class Screening:
    """The first jobs of a search.

    Args:
        space: What may be varied.
        costs: Of each level.
        n_startup: Dear evaluations until the surrogates decide at the latest.
        memory: Of the search.
    """

    space: SearchSpace
    costs: tuple[float, ...]
    n_startup: int
    memory: SearchMemory

    def job(self, trials: Sequence[FidelityTrial], seed: int) -> FidelityJob | None:
        """The next job, None once the surrogates can decide.

        Args:
            trials: What is known, in the order in which it became known.
            seed: As for the search.
        """
        dear = len(self.costs) - 1
        cheap, full = ([t for t in trials if t.level == level] for level in (0, dear))
        if len(full) >= self.n_startup:
            return None
        if self._cost(_FEWEST) > _SCREENED * self.costs[dear]:
            return self._dear(full, len(trials), seed)
        if not full and (self._cost(len(cheap) + 1) <= _SCREENED * self.costs[dear] or len(cheap) < _FEWEST):
            return self._screen(cheap, len(trials), seed)
        expected, agreed = self._agreement(cheap, full)
        if not agreed and full:
            return FidelityJob(self._anywhere(cheap, full, seed), dear)
        if len(full) >= min(_HEARD, self.n_startup):
            return None
        spent = sum(self.costs[t.level] for t in trials)
        if full and self._cost(len(cheap) + 1) <= _CHEAP * (spent + self.costs[0]):
            return self._screen(cheap, len(trials), seed)
        done = [t.config for t in full]
        favourites = [cheap[i].config for i in np.argsort(-expected, kind="stable") if cheap[i].config not in done]
        return FidelityJob(favourites[0] if favourites else self._anywhere(cheap, full, seed), dear)

    def _cost(self, n: int) -> float:
        return self.costs[0] * n - 1e-9 * self.costs[-1]

    def _screen(self, cheap: Sequence[FidelityTrial], number: int, seed: int) -> FidelityJob:
        """What a search of the cheapest level would try next."""
        own = BayesianOptimizer(self.space, memory=self.memory, n_startup=_ANYWHERE)
        return FidelityJob(own.suggest([Observation(t.config, (t.value,)) for t in cheap], seed=[seed, number]), 0)

    def _dear(self, full: Sequence[FidelityTrial], number: int, seed: int) -> FidelityJob:
        """What a search of the dear level alone would try next."""
        own = BayesianOptimizer(self.space, memory=self.memory, n_startup=self.n_startup)
        suggested = own.suggest([Observation(t.config, (t.value,)) for t in full], seed=[seed, number])
        return FidelityJob(suggested, len(self.costs) - 1)

    def _agreement(
        self, cheap: Sequence[FidelityTrial], full: Sequence[FidelityTrial]
    ) -> tuple[Float[np.ndarray, " n"], bool]:
        """What the cheapest level is expected to give for its own trials, noise smoothed; and whether it is borne out.

        It is if two dear results or more are ranked rather as it says.
        """
        units, y = self.memory.units(self.space, [t.config for t in cheap]), np.array([t.value for t in cheap])
        if len(np.unique(y)) < 2:
            return y, False
        cube = self.memory.cube(self.space, np.isnan(units).any(axis=0))
        trend = Trend.fit(cube, units, y, self.memory, scales=_PLAIN)
        expected = np.full(len(y), -np.inf)
        expected[trend.which] = trend.process.smoothed
        if len(full) < 2:
            return expected, False
        said = trend.predict(cube.encode(self.memory.units(self.space, [t.config for t in full]))).mean
        return expected, kendall_tau(np.array([t.value for t in full]), said) > 0

    def _anywhere(
        self, cheap: Sequence[FidelityTrial], full: Sequence[FidelityTrial], seed: int
    ) -> Mapping[str, Value]:
        """One of those with which the screening began, else the next of the quasi-random sequence."""
        done = [t.config for t in full]
        left = [t.config for t in cheap[:_ANYWHERE] if t.config not in done]
        return left[0] if left else self.space.quasi_random(len(cheap) + len(full), seed)
