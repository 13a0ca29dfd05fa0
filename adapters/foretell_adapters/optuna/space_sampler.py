"""`SpaceSampler`: searches over programs of `foretell.spaces` as the sampler of an Optuna study."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell import CategoricalDistribution, IntDistribution
from foretell.spaces.searchers import ModelSearch
from foretell_adapters.optuna.space import to_config
from foretell_adapters.optuna.trial_memory import in_order

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from foretell.distributions import Distribution
    from foretell.spaces import Space, Trace
    from foretell.spaces.searchers import Searcher


class SpaceSampler(BaseSampler):
    """Proposes whole networks of a program: paths through its tree of decisions.

    `ForetellSampler(graph=space.graph)` learns a program's parameters one by one as it meets them, which suits some
    dozens of them; a grammar has thousands, each met by few trials. Here a proposal is an edit of a whole derivation,
    so that every parameter that a trial asks for is known when it starts. Parameters that the program does not have,
    such as a learning rate, are drawn by `others`. One objective.

    Args:
        space: The program; the objective calls it with the trial.
        searcher: What proposes, over the same program; by default `ModelSearch`, ours.
        seed: Seed; None draws one.
        others: Samples what is no parameter of the program; uniform by default.

    >>> import optuna
    >>> from foretell.spaces.ready import nasbench201_cells
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> space = nasbench201_cells()
    >>> study = optuna.create_study(sampler=SpaceSampler(space, seed=0))
    >>> study.optimize(lambda trial: len(space.plan(trial).text.split("2")), n_trials=3)
    >>> sorted(study.best_params)[0]
    'edge.0.1'
    """

    def __init__(
        self,
        space: Space,
        searcher: Searcher | None = None,
        *,
        seed: int | None = None,
        others: BaseSampler | None = None,
    ) -> None:
        self._space = space
        self._searcher = searcher if searcher is not None else ModelSearch(space)
        self._seed = secrets.randbits(32) if seed is None else seed
        self._others = others if others is not None else RandomSampler(seed=self._seed)
        self._traces: dict[int, Trace] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters of the network that this trial is to try; see the base class."""
        trace = self._proposal(study, trial)
        return {name: _to_optuna(distribution) for name, distribution in trace.distributions.items()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Its values; see the base class."""
        del search_space
        return dict(self._proposal(study, trial).config)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A parameter that the program does not have; see the base class."""
        return self._others.sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """What is drawn hangs on the trial's number; only `others` has numbers of its own; see the base class."""
        self._others.reseed_rng()

    def _proposal(self, study: Study, trial: FrozenTrial) -> Trace:
        if trial.number not in self._traces:
            sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
            trials = study.get_trials(deepcopy=False)
            observed: dict[Trace, float] = {}
            for t in in_order([t for t in trials if t.state == TrialState.COMPLETE]):
                value = sign * float(t.values[0])
                observed[self._space.trace(to_config(t.params))] = value if not math.isnan(value) else -math.inf
            worst = min(observed.values(), default=0.0)
            for t in trials:  # what runs or failed is not proposed again
                if t.state in (TrialState.RUNNING, TrialState.FAIL) and t.number != trial.number and t.params:
                    observed.setdefault(self._space.trace(to_config(t.params)), worst)
            self._traces = {trial.number: self._searcher.suggest(observed, self._seed + trial.number)}
        return self._traces[trial.number]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_traces": {}}


def _to_optuna(distribution: Distribution) -> BaseDistribution:
    if isinstance(distribution, CategoricalDistribution):
        return optuna.distributions.CategoricalDistribution(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return optuna.distributions.IntDistribution(
            distribution.low, distribution.high, distribution.log, distribution.step
        )
    return optuna.distributions.FloatDistribution(
        distribution.low, distribution.high, distribution.log, distribution.step
    )
