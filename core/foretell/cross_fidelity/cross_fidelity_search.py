"""Which configuration to evaluate next, and at which fidelity.

    search, trials = CrossFidelitySearch(space, costs=(12, 200)), []
    while spent(trials) < budget:
        job = search.suggest(trials, seed=0)
        trials.append(FidelityTrial(job.config, job.level, evaluate(job.config, job.level)))

No schedule is fixed beforehand, unlike in Hyperband (`foretell.hyperband`): the cheapest level is searched first, and
its favourites are put to the test, see `Screening`. From then on cheap levels get a share of all cost: half where they
are certain to help, a fiftieth where they do not. It goes to the most promising configurations of which a cheap result
says more for its cost than a dear one would; the rest goes to the most promising one in full. The belief is that of
`HeardProcess`; unless this rather surely hears the cheap levels, and for every fourth dear evaluation, the choice is
that of `BayesianOptimizer`, which ignores them. Anything that scores configurations cheaply serves as a level: fewer
epochs, less data, a smaller model, a supernet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.cross_fidelity.cheap_levels import CheapLevels
from foretell.cross_fidelity.fidelity_trial import FidelityJob, FidelityTrial
from foretell.cross_fidelity.heard_process import HeardProcess
from foretell.cross_fidelity.screening import Screening
from foretell.early_fit import refit_size
from foretell.errors import InvalidDataError
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.proposals import first_unseen, local_edits, unseen
from foretell.search_memory import SearchMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.search_space import SearchSpace
    from foretell.unit_cube import UnitCube

_LEAST, _MOST = 0.02, 0.5  # share of all cost that cheap levels get, where they do not help and where they do
_SURE, _DEAF = 0.8, 4  # share from which on cheap levels are heard at all; every so many dear evaluations they are not
_RANDOM, _LOCAL, _REFINED, _ROUNDS = 96, 128, 48, 2
_PARENTS = 8
_LEAST_COST = 0.02  # of a dear evaluation: what costs next to nothing counts so much, else it would go on for ever


@dataclass(frozen=True)
class CrossFidelitySearch:
    """Suggests jobs.

    Args:
        space: What may be varied.
        costs: What an evaluation costs at each level, in any unit; the last is the fidelity that counts. Cheap levels
            count as a fiftieth of it at least, so that no more than some fifty evaluations lie between two dear ones.
        n_startup: Evaluations in full until the surrogates decide; four suffice where the cheapest level is borne out.
        memory: What earlier suggestions worked out; share it between the searches of one study.

    Raises:
        InvalidDataError: If there are fewer than two levels, a cost is not positive, or `n_startup` is below 4.
    """

    space: SearchSpace
    costs: tuple[float, ...]
    n_startup: int = 6
    memory: SearchMemory = field(default_factory=SearchMemory, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "costs", tuple(self.costs))
        if len(self.costs) < 2 or min(self.costs) <= 0 or self.n_startup < 4:
            msg = (
                "a search across fidelities needs two positive costs or more and `n_startup >= 4`, but got "
                f"{self.costs}, {self.n_startup}: for one fidelity take BayesianOptimizer"
            )
            raise InvalidDataError(msg)

    def suggest(self, trials: Sequence[FidelityTrial], seed: int = 0) -> FidelityJob:
        """What to evaluate next; the same arguments give the same answer.

        Args:
            trials: What is known, in the order in which it became known.
            seed: Source of randomness; the number of trials is added to it.

        Raises:
            InvalidDataError: If a trial's level is none of the search's.
        """
        dear = len(self.costs) - 1
        strange = sorted({t.level for t in trials if t.level > dear})
        if strange:
            msg = f"levels go from 0 to {dear}, as many as there are costs, but trials have {strange}: give their costs"
            raise InvalidDataError(msg)
        begun = Screening(self.space, self._charged, self.n_startup, self.memory).job(trials, seed)
        if begun is not None:
            return begun
        full = [t for t in trials if t.level == dear]
        belief = self.believe(trials)
        told = any(trend is not None for trend in belief.levels.trends)
        if told and belief.share >= _SURE and len(full) % _DEAF != _DEAF - 1:
            return self._heard(trials, belief, np.random.default_rng([seed, len(trials)]))
        return self._unheard(trials, full, seed)

    def believe(self, trials: Sequence[FidelityTrial]) -> HeardProcess:
        """What is believed of the dear level, and how far the cheap ones are heard.

        Raises:
            InvalidDataError: If nothing was evaluated in full yet.
        """
        dear = len(self.costs) - 1
        full = [i for i, t in enumerate(trials) if t.level == dear]
        if not full:
            msg = f"a belief about level {dear} needs an evaluation there, but got {len(trials)} of others: go on first"
            raise InvalidDataError(msg)
        units, y = self._known([trials[i] for i in full])
        cube = self._cube(trials)
        then = trials[: full[refit_size(len(full)) - 1] + 1]  # theta depends on what was known then, and no more
        now, before = (
            CheapLevels.fit(cube, [self._known([t for t in part if t.level == j]) for j in range(dear)], self.memory)
            for part in (trials, then)
        )
        return HeardProcess.fit(now, before, units, y, self.memory)

    def _cube(self, trials: Sequence[FidelityTrial]) -> UnitCube:
        units, _ = self._known(trials)
        return self.memory.cube(self.space, np.isnan(units).any(axis=0))

    def _known(self, trials: Sequence[FidelityTrial]) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
        return self.memory.units(self.space, [t.config for t in trials]), np.array([t.value for t in trials])

    @property
    def _charged(self) -> tuple[float, ...]:
        return tuple(max(cost, _LEAST_COST * self.costs[-1]) for cost in self.costs)

    def _heard(self, trials: Sequence[FidelityTrial], belief: HeardProcess, rng: np.random.Generator) -> FidelityJob:
        dear = len(self.costs) - 1
        by_level = [self._known([t for t in trials if t.level == j]) for j in range(dear + 1)]
        rows = self._proposals(by_level, belief, rng)
        spent = np.array([self._charged[j] * len(y) for j, (_, y) in enumerate(by_level)])
        worth = _LEAST + (_MOST - _LEAST) * max(2.0 * belief.share - 1.0, 0.0)
        if spent[:-1].sum() < worth * spent.sum():
            gain = belief.informative(rows) / np.array(self._charged)
            for j in range(dear):
                gain[~unseen(rows, by_level[j][0]), j] = 0.0
            telling = np.flatnonzero(gain[:, :dear].max(axis=1) > gain[:, dear])
            if len(telling):
                first = int(telling[0])
                return FidelityJob(self.space.from_unit(rows[first]), int(np.argmax(gain[first, :dear])))
        return FidelityJob(self.space.from_unit(rows[0]), dear)

    def _unheard(self, trials: Sequence[FidelityTrial], full: Sequence[FidelityTrial], seed: int) -> FidelityJob:
        """What the dear level alone suggests; now and then at the cheapest first, so that there is evidence."""
        dear, last = len(self.costs) - 1, trials[-1]
        if last.level < dear and all(t.config != last.config for t in full):
            return FidelityJob(last.config, dear)
        observations = [Observation(t.config, (t.value,)) for t in full]
        own = BayesianOptimizer(self.space, memory=self.memory, n_startup=self.n_startup)
        chosen = own.suggest(observations, seed=[seed, len(trials)])
        spent = sum(self._charged[t.level] for t in trials)
        cheap = sum(self._charged[t.level] for t in trials if t.level < dear)
        return FidelityJob(chosen, 0 if cheap + self._charged[0] < _LEAST * spent else dear)

    def _proposals(
        self,
        by_level: Sequence[tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]],
        belief: HeardProcess,
        rng: np.random.Generator,
    ) -> Float[np.ndarray, "m d"]:
        """Positions that were not evaluated in full, best first: known at cheap levels, edits, and random ones."""
        cube, (seen, _) = belief.levels.cube, by_level[-1]
        parents = np.concatenate([units[np.argsort(-y, kind="stable")[:_PARENTS]] for units, y in by_level])
        cheap = [units for units, _ in by_level[:-1]]
        rows = np.concatenate([*cheap, cube.sample(_RANDOM, rng), local_edits(cube, parents, _LOCAL, rng)])
        scores = belief.score(rows)
        for _ in range(_ROUNDS):
            edits = local_edits(cube, rows[np.argsort(-scores, kind="stable")[:5]], _REFINED, rng)
            rows, scores = np.concatenate([rows, edits]), np.concatenate([scores, belief.score(edits)])
        order = np.argsort(-scores, kind="stable")
        new = first_unseen(rows[order], seen, 64)
        if not new:  # a small space, used up
            return np.asarray(rows[order[:1]])
        return np.asarray(rows[order[new]])
