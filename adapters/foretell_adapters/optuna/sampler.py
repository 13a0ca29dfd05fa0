"""`ForetellSampler`: foretell's predictor as the sampler of an Optuna study."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.logging import get_logger
from optuna.samplers import BaseSampler
from optuna.samplers._base import _process_constraints_after_trial
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell import BayesianOptimizer, SearchSpace
from foretell.affordable import Affordable, Filled
from foretell.encoders import Pretrained
from foretell.errors import InvalidDataError
from foretell.graph_source import GraphSource
from foretell.latin_index import latin_index
from foretell.limit import limits_of
from foretell.limits_keeper import LimitsKeeper
from foretell.network_expectation import NetworkExpectation
from foretell.network_prior import NetworkPrior
from foretell.search_space import stable_hash
from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.old_studies import ATTRIBUTE, read_old_studies, sources_for, weights_attribute
from foretell_adapters.optuna.proposal import MOST_LOOKS, proposal_attributes
from foretell_adapters.optuna.running_trials import RunningTrials
from foretell_adapters.optuna.trial_cost import TrialCost
from foretell_adapters.optuna.trial_memory import FINISHED, TrialMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from foretell import ComputationGraph
    from foretell.distributions import Value
    from foretell.limit import Limit
    from foretell.thompson_crowd import ThompsonCrowd
    from foretell.transfer import Sources
    from foretell_adapters.optuna.old_studies import OldStudies
    from foretell_adapters.optuna.trial_cost import CostSource

_logger = get_logger(__name__)


class ForetellSampler(BaseSampler):
    """Suggests by expected improvement under a surrogate that sees hyperparameters and, with `graph`, the network.

    Every decision is a function of the study's storage, the seed and the trial's number: workers share nothing else, a
    restarted one goes on as before, and two trials never draw the same random numbers. Conditional parameters are
    modelled together with the others; which ones are conditional shows in the trials. With several objectives what
    counts is the expected gain in hypervolume. Trials that run count as if they had reached the expected value; pruned
    ones count with their last report but never above the median; where constraints were violated or trials failed, a
    proposal counts with the probability that it will do neither.

    Args:
        seed: Seed; None draws one, and the study is not reproducible.
        graph: From a trial's parameters to the network they make, a `torch.nn.Module` or a `ComputationGraph`; the
            surrogate then sees the network's statistics as well. Parameters for which it raises are not proposed while
            there are others, unless such a trial did better than the worst of the rest.
        example_inputs: Example inputs, with batch dimension, with which modules are captured; only shapes matter.
        graph_timeout: Seconds that building and capturing one network may take; one that takes longer, or raises, is
            judged by its parameters, and after three that took longer this process asks for no more. None: no limit.
        pretrained: A checkpoint that expects something of networks before any was trained, such as
            "foretell-pretrained", or a folder; see `foretell.encoders.Pretrained`. Its favourites are every other trial
            until five have finished, unless these contradict it; from then on how well own trials are predicted with it
            and without decides how much it counts.
        n_startup_trials: Finished trials before the surrogate decides; until then a quasi-random sequence. Once a third
            of them have finished, running ones count too. With `graph` and one objective half as many are enough.
        sources: Old studies to learn from: a study, a storage or its URL (all studies in it), or several of these, as
            they are now. Parameters are matched by name and values; scale, bounds and direction may differ. They give
            every other trial until five have finished, unless these contradict them; from then on the surrogate hears
            what they expect of a configuration, and its weight against one that does not is decided by how well both
            predict the study's own trials. Weights are in the trials' user attribute "foretell:sources".
        limits: What no proposal may cost more than: `{"flops": 3e8}`, or a list of `foretell.limit.Limit`, which also
            takes functions of the parameters, such as a latency in milliseconds. What is too dear is not proposed, or
            projected onto something cheaper.
        search_space: Optuna's distributions of all parameters, by name. Needed with `limits`, which would otherwise not
            hold for the first trials; without them it spares the first trials their independent sampling.
        cost: What a trial costs, so that what promises most for its cost is tried, and a budget goes further: "time"
            for its own duration, the name of a user attribute that holds it (set before the trial ends), or a function
            of the parameters that knows it beforehand, such as FLOPs; that is asked of every trial once and of sixteen
            proposals a suggestion. Any unit; above 0. Trials that have none, or a wrong one, tell nothing of costs, and
            a warning says so once. At first gain per cost counts, later gain alone, see `foretell.cost_aware`. With
            "time" a study is reproducible as far as its durations are. One objective only.
        desirability: For every objective the value that is worth nothing and the one that is good enough, such as
            `[(0.6, 0.95), (100.0, 10.0)]` for an accuracy to be maximised and milliseconds to be minimised. The search
            is then for the best compromise, the largest geometric mean of how far each has come from the one to the
            other, in place of the whole front; see `foretell.desirability`.
        crowd: From how many running trials on each proposal follows a draw of what is believed (Thompson sampling), as
            in `foretell.thompson_crowd.ThompsonCrowd(32)`; None for never, which was better with up to 64 workers. One
            objective only, without costs or networks.
        constraints_func: Values of a trial that must not be positive; deprecated in Optuna 5, whose
            `trial.set_constraint` says the same.
        independent_sampler: Samples parameters that no earlier trial had; uniform by default.
        warn_independent_sampling: Whether to log when that happens after the start.

    Raises:
        InvalidDataError: If `n_startup_trials` or the seed is negative, `graph_timeout` is not positive, `pretrained`
            is given without `graph`, sources have no finished trials, limits come without what they need, or `cost` is
            none of the three; at a suggestion, if a study among the sources has other objectives, nothing is within the
            limits, the function of the cost gives no finite number above 0, there are costs and several objectives, or
            desirability is not given for every objective, from worse to better.
        CheckpointError: If there is no such checkpoint.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=ForetellSampler(seed=0, n_startup_trials=5))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -3, 3) ** 2, n_trials=15)
    >>> study.best_value < 0.01
    True
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        graph: Callable[[dict[str, Any]], torch.nn.Module | ComputationGraph | None] | None = None,
        example_inputs: Sequence[Any] | torch.Tensor = (),
        graph_timeout: float | None = 60.0,
        pretrained: str | Path | None = None,
        n_startup_trials: int = 6,
        sources: OldStudies | None = None,
        limits: Mapping[str, float] | Sequence[Limit] = (),
        search_space: Mapping[str, BaseDistribution] | None = None,
        cost: CostSource | None = None,
        desirability: Sequence[tuple[float, float]] = (),
        crowd: ThompsonCrowd | None = None,
        constraints_func: Callable[[FrozenTrial], Sequence[float]] | None = None,
        independent_sampler: BaseSampler | None = None,
        warn_independent_sampling: bool = True,
    ) -> None:
        if n_startup_trials < 0 or (seed is not None and seed < 0):
            msg = (
                f"`n_startup_trials >= 0` and `seed >= 0` must hold, but got ({n_startup_trials=}, {seed=}): raise them"
            )
            raise InvalidDataError(msg)
        if pretrained is not None and graph is None:
            msg = f"`pretrained` expects something of networks, but `graph` is None ({pretrained=}): pass both"
            raise InvalidDataError(msg)
        self._prior = None if pretrained is None else NetworkPrior(NetworkExpectation(Pretrained(str(pretrained))))
        self._seed = secrets.randbits(32) if seed is None else seed
        inputs = example_inputs if isinstance(example_inputs, list | tuple) else (example_inputs,)
        self._graph = GraphSource(graph, inputs, timeout=graph_timeout) if graph is not None else None
        self._whole_space = dict(search_space or {})
        self._keeper = LimitsKeeper(limits_of(limits), self._graph)
        if limits and not self._whole_space:
            msg = "limits need the whole space from the first trial on: pass search_space={name: distribution, ...}"
            raise InvalidDataError(msg)
        if any(limit.sees_network for limit in self._keeper.limits) and self._graph is None:
            msg = "limits on flops, params or memory need the network: pass graph=, and example_inputs for modules"
            raise InvalidDataError(msg)
        self._cost = None if cost is None else TrialCost(cost)
        self._desirability = tuple(desirability)
        self._crowd = crowd
        self._memory = TrialMemory(None if self._cost is None else self._cost_of)
        self._running = RunningTrials()
        self._said: set[str] = set()
        self._n_startup_trials = n_startup_trials
        self._old_studies = () if sources is None else read_old_studies(sources)
        self._sources: tuple[str, Sources] | None = None
        self._constraints_func = constraints_func
        self._independent_sampler = independent_sampler
        self._warn_independent_sampling = warn_independent_sampling

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Everything that any finished trial was asked for, and what was given as the space; see the base class.

        Before any has finished, what running trials were asked for.

        Raises:
            InvalidDataError: With a cost and several objectives.
        """
        del trial
        if self._cost is not None and len(study.directions) > 1:
            msg = f"`cost` is for one objective, but the study has {len(study.directions)}: make the cost one of them"
            raise InvalidDataError(msg)
        finished = study.get_trials(deepcopy=False, states=FINISHED)
        joint = self._memory.joint(finished) if finished else spaces.joint_distributions(_running(study))
        return joint if not self._whole_space else {**self._whole_space, **joint}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose all known parameters at once, and write the proposal down for other workers; see the base class."""
        if not search_space:
            return {}
        trials = study.get_trials(deepcopy=False)
        params = self._propose(study, trial, search_space, trials, 0)
        if not any(t.state == TrialState.RUNNING and t._trial_id != trial._trial_id for t in trials):
            return params
        earlier = {t._trial_id for t in trials if t.state.is_finished()} | {trial._trial_id}
        for look in range(1, MOST_LOOKS):
            trials = study.get_trials(deepcopy=False)
            others = [t for t in trials if t._trial_id not in earlier and t.state != TrialState.WAITING]
            if spaces.to_config(params) not in [self._tries(t, search_space) for t in others]:
                break
            params = self._propose(study, trial, search_space, trials, look)
        return params

    def _propose(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
        trials: Sequence[FrozenTrial],
        look: int,
    ) -> dict[str, Any]:
        """What these trials say is best, written down; after a `look`, because another worker had the same idea."""
        finished = [t for t in trials if t.state in FINISHED]
        failed, pending = [], []
        if len(finished) < len(trials) - 1:
            failed = [t for t in trials if t.state == TrialState.FAIL]
            running = [t for t in trials if t.state == TrialState.RUNNING and t.number != trial.number]
            pending = [c for t in running if (c := self._tries(t, search_space))]
        space = self._memory.space(study, search_space, finished)
        sources = self._sources_for(study)
        whole = Filled.of(space) if self._keeper.limits else None
        known = self._cost if self._cost is not None and callable(self._cost.source) else None
        optimizer = BayesianOptimizer(
            space,
            self._graph,
            self._n_startup_trials,
            self._memory.search,
            wishes=spaces.to_wishes(self._desirability, study.directions),
            cost=None if known is None else lambda config: known.of(spaces.to_params(config, search_space)),
            admissible=None if whole is None else Affordable(self._keeper, whole, self._graph),
            sources=sources,
            prior=self._prior,
            crowd=self._crowd,
        )
        observations = self._memory.observations(study, finished)
        seed = [self._seed, trial.number, *([look] if look else [])]
        config = optimizer.suggest(
            observations,
            pending,
            seed=seed,
            index=trial.number,
            failed=self._memory.failures(study, failed),
        )
        if whole is not None:
            config = self._keeper.affordable(whole(config), whole.space, np.random.default_rng(seed))
        params = spaces.to_params(config, search_space)
        weights = optimizer.source_weights(observations, trial.number)
        try:
            for key, value in proposal_attributes(params, search_space, look).items():
                study._storage.set_trial_system_attr(trial._trial_id, key, value)
            if weights:
                study._storage.set_trial_user_attr(trial._trial_id, ATTRIBUTE, weights_attribute(weights))
        except Exception as e:  # noqa: BLE001 - of any storage's kind; a trial is worth more than word of it
            self._say_once("unwritten", f"Trial {trial.number}'s proposal could not be written down ({e!r})")
        return params

    def _tries(self, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Value]:
        """What a running trial tries: its stored proposal, overruled by what it was given."""
        try:
            return self._running.config(trial, search_space)
        except InvalidDataError as e:
            self._say_once("unread", f"Trial {trial.number}'s proposal is left aside ({e})")
            return spaces.to_config(trial.params)

    def _cost_of(self, trial: FrozenTrial) -> float | None:
        """What a finished trial cost; None, and a warning once, where that cannot be told."""
        assert self._cost is not None
        try:
            return self._cost(trial)
        except InvalidDataError as e:
            if callable(self._cost.source):  # not the trial's fault
                raise
            self._say_once("cost", f"Trial {trial.number}'s cost is left aside ({e})")
            return None

    def _say_once(self, kind: str, what: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            _logger.warning(f"{what}; the search goes on without it, and more of the kind is not reported.")

    def _sources_for(self, study: Study) -> Sources:
        """Sources that suit the study, found once."""
        if self._sources is None or self._sources[0] != study.study_name:
            self._sources = (study.study_name, sources_for(study, self._old_studies))
        return self._sources[1]

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample a parameter that no earlier trial had; see the base class.

        Raises:
            InvalidDataError: With limits, which such a parameter might break.
        """
        if self._keeper.limits and not param_distribution.single():
            msg = (
                f"with limits every parameter must be in `search_space`, but the trial asks for {param_name!r} from "
                f"{param_distribution}: add it there"
            )
            raise InvalidDataError(msg)
        if self._warn_independent_sampling:
            done = len(study.get_trials(deepcopy=False, states=FINISHED))
            if done >= max(self._n_startup_trials, 1):
                _logger.warning(
                    f"Trial {trial.number} asks for {param_name!r}, which none of {done} finished trials had in this "
                    "form; it is sampled independently. Silence this with warn_independent_sampling=False."
                )
        if self._independent_sampler is not None:
            return self._independent_sampler.sample_independent(study, trial, param_name, param_distribution)
        one = SearchSpace({param_name: spaces.to_distribution(param_distribution)})
        if self._old_studies and trial.number % 2 == 0 and not study.get_trials(deepcopy=False, states=FINISHED):
            known = self._sources_for(study).beginning(one, trial.number // 2)
            if known:
                return spaces.to_params(known, {param_name: param_distribution})[param_name]
        seed, number = self._seed + stable_hash(param_name), trial.number
        alone = all(t._trial_id == trial._trial_id for t in _running(study))
        config = one.quasi_random(number if alone else latin_index(number, seed), seed)
        return spaces.to_params(config, {param_name: param_distribution})[param_name]

    def interval(self, study: Study, params: dict[str, Any]) -> tuple[float, float]:
        """The 90 % interval of what a trial with these parameters would give, before it runs.

        As wide as the study so far asks: what earlier trials did to the interval before them is worked out again.

        Raises:
            InvalidDataError: With several objectives, or before any trial has finished.
        """
        finished = study.get_trials(deepcopy=False, states=FINISHED)
        distributions = self._memory.joint(finished)
        observations = self._memory.observations(study, finished)
        space = self._memory.space(study, distributions, finished)
        optimizer = BayesianOptimizer(space, None, self._n_startup_trials, self._memory.search)
        belief = optimizer.believe(observations, [spaces.to_config(params)])
        wide = optimizer.tracked(observations).of(belief)
        ends = (float(wide.quantile(0.05)[0]), float(wide.quantile(0.95)[0]))
        return ends if study.direction == StudyDirection.MAXIMIZE else (-ends[1], -ends[0])

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Write down what `constraints_func` says of the trial; see the base class."""
        del values
        if self._constraints_func is not None:
            _process_constraints_after_trial(self._constraints_func, study, trial, state)

    def __repr__(self) -> str:
        sees = "hyperparameters and network" if self._graph is not None else "hyperparameters"
        return f"ForetellSampler(seed={self._seed}, n_startup_trials={self._n_startup_trials}, sees {sees})"


def _running(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
