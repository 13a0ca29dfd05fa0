"""How a search across fidelities begins: two configurations at the cheapest level and in full, then its favourites.

The first two are from anywhere, those with which a search of the dear level alone would begin. If the dear level ranks
them as the cheapest does, this one is searched, until it has cost two thirds of what one dear evaluation costs; its
favourite is evaluated in full, it is searched on, for half of all cost, and its next favourites follow. As long as the
dear results are ranked rather the other way round, they go on as a search of the dear level would begin, each at the
cheapest level first: six pairs tell whether it is to be heard after all, with either sign. Where two thirds of a dear
evaluation do not pay for four cheap ones, so few that a search of them says little, the dear level begins alone.
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
_BOTH = 2  # configurations at the cheapest level and in full, before it is searched
_ANYWHERE = 5  # of these, the first so many are quasi-random
_CHEAP = 0.5  # share of all cost that the cheapest level may have while it is not contradicted
_LOOKED = 16  # of the quasi-random sequence, beyond what is done
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
        done = [t.config for t in full]
        expected, agreed = self._agreement(cheap, full)
        if len(full) < _BOTH or not agreed:
            return self._pair(cheap, done, seed)
        if len(full) >= min(_HEARD, self.n_startup):
            return None
        limit = _SCREENED * self.costs[dear]
        if len(full) > _BOTH:
            limit = _CHEAP * sum(self.costs[t.level] for t in trials)
        if self._cost(len(cheap) + 1) <= limit or len(cheap) < _FEWEST:
            return self._screen(cheap, len(trials), seed)
        favourites = [cheap[i].config for i in np.argsort(-expected, kind="stable") if cheap[i].config not in done]
        return FidelityJob(favourites[0], dear) if favourites else self._pair(cheap, done, seed)

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

    def _pair(self, cheap: Sequence[FidelityTrial], done: Sequence[Mapping[str, Value]], seed: int) -> FidelityJob:
        """The next of the quasi-random sequence: at the cheapest level, and then in full.

        In a small space that is used up, the first of the sequence again.
        """
        sequence = (self.space.quasi_random(i, seed) for i in range(len(done) + _LOOKED))
        config = next((c for c in sequence if c not in done), None) or self.space.quasi_random(0, seed)
        known = any(t.config == config for t in cheap)
        return FidelityJob(config, len(self.costs) - 1 if known else 0)
