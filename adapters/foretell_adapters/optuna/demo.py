"""The main job: a joint search over architecture and recipe, foretell beside TPE and random, really trained.

Studies live in one SQLite file and go on where they stopped. Each study is a function of its seed, so what a run gives
does not depend on how often it was interrupted, or on how many processes shared the work.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import TrialState

from foretell import ComputationGraph, SearchSpace
from foretell.benchmarks import digits
from foretell.benchmarks.comparison import Run
from foretell.distributions import CategoricalDistribution, FloatDistribution
from foretell_adapters.optuna.sampler import ForetellSampler
from foretell_adapters.optuna.space import to_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

METHODS = ("foretell", "tpe", "random")
_POLL_SECONDS = 0.5
_LOCK_SECONDS = 120  # a process waits for others to let go of the file; 5, the default, is short on a busy machine
_MEASURED = ("accuracy", "suggest_seconds", "train_seconds")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demonstration runs.

    Args:
        storage: SQLite file.
        n_seeds: Studies a method.
        n_trials: Trials a study.
        n_jobs: Processes.
    """

    storage: Path
    n_seeds: int
    n_trials: int
    n_jobs: int

    @property
    def url(self) -> str:
        """The storage as Optuna names it."""
        return f"sqlite:///{self.storage}"

    @property
    def studies(self) -> list[tuple[str, int]]:
        """Method and seed of every study."""
        return [(method, seed) for seed in range(self.n_seeds) for method in METHODS]


def network_of(params: Mapping[str, Any]) -> ComputationGraph:
    """The graph of a trial's network."""
    import torch

    return ComputationGraph.from_module(digits.build(params), torch.zeros(digits.EXAMPLE_SHAPE))


def sampler_of(method: str, seed: int) -> optuna.samplers.BaseSampler:
    """The sampler of a method, with the settings that its users have by default."""
    if method == "foretell":
        return ForetellSampler(seed=seed, graph=network_of)
    if method == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


def suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, Any]:
    """Ask a trial for every active parameter of a space."""
    config: dict[str, Any] = {}
    for name, d in space.distributions.items():
        if not all(c.parent in config and config[c.parent] in c.values for c in space.conditions.get(name, ())):
            continue
        if isinstance(d, CategoricalDistribution):
            config[name] = trial.suggest_categorical(name, d.choices)
        elif isinstance(d, FloatDistribution):
            config[name] = trial.suggest_float(name, d.low, d.high, log=d.log, step=d.step)
        else:
            config[name] = trial.suggest_int(name, d.low, d.high, log=d.log, step=d.step)
    return config


def objective(trial: optuna.Trial) -> float:
    """Train the trial's network; the seed of its weights is the trial's number, the same for every method."""
    start = time.perf_counter()
    config = suggest(trial, digits.SPACE)
    asked = time.perf_counter()
    score = digits.train(config, seed=trial.number)
    trial.set_user_attr("suggest_seconds", asked - start)
    trial.set_user_attr("train_seconds", time.perf_counter() - asked)
    trial.set_user_attr("accuracy", score.accuracy)
    return score.log_loss


def run_study(url: str, method: str, seed: int, n_trials: int) -> None:
    """Bring one study to its number of trials; what an interrupted run left half done counts as failed."""
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=f"{method}-{seed}", storage=_opened(url), sampler=sampler_of(method, seed), load_if_exists=True
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    done = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    study.optimize(objective, n_trials=max(n_trials - done, 0))


def run(plan: Plan, report: Callable[[int, int], None]) -> None:
    """Run all studies, in several processes; `report` hears (finished, all) trials about twice a second.

    An interruption loses at most the trials that were being trained.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _opened(plan.url)  # creates the file and its tables before the workers meet there
    total = len(plan.studies) * plan.n_trials
    context = multiprocessing.get_context("spawn")  # forked children would inherit torch's threads
    with ProcessPoolExecutor(plan.n_jobs, mp_context=context) as pool:
        work: list[Future[None]] = [pool.submit(run_study, plan.url, m, s, plan.n_trials) for m, s in plan.studies]
        try:
            while not all(f.done() for f in work):
                report(_count(storage), total)
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        report(_count(storage), total)
        for future in work:
            future.result()


def _opened(url: str) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": _LOCK_SECONDS}})


def _count(storage: optuna.storages.RDBStorage) -> int:
    studies = storage.get_all_studies()
    return sum(storage.get_n_trials(s._study_id, (TrialState.COMPLETE,)) for s in studies)


def load(plan: Plan) -> dict[tuple[str, int], list[Run]]:
    """Finished trials of every study by method and seed, at most the plan's number each, in order."""
    found, storage = {}, _opened(plan.url)
    for method, seed in plan.studies:
        study = optuna.load_study(study_name=f"{method}-{seed}", storage=storage)
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))[: plan.n_trials]
        found[method, seed] = [
            Run(to_config(t.params), t.values[0], **{k: float(t.user_attrs[k]) for k in _MEASURED}) for t in trials
        ]
    return found
