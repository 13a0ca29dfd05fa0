"""`foretell bench sources`: a study that knows old studies of other data sets, beside one that does not.

One data set of a family is left out and searched for 40 trials; for every other one there is an old study: 60 trials of
TPE with a seed of its own. Peers: TPE, TPE with the old studies' best configurations enqueued first (every study's
best, then every second best and so on, five of them or one a study), random search, and ours without sources.
`described` is ours with a description of every data set, see `described`. Then
sources that mislead: `inverted`, the old studies were run in the wrong direction; `shuffled`, their values are
permuted; `unrelated`, they searched another function on the same space.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import numpy as np
import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.source_tasks import TARGETS, described, source_problem, sources_of, unrelated_problem
from foretell.benchmarks.sources_report import CHECKPOINTS, sources_tables
from foretell.transfer import SharedParameters
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.old_studies import TASK
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement

_TRIALS, _OLD_TRIALS, _ENQUEUED = 40, 60, 5
_OLD_SEEDS = 1000  # the first seed of old studies
_MISLEADING = ("inverted", "shuffled", "unrelated")
_QUICK = (("nmt", "en-ja"), ("nasbench201", "cifar10"))


@dataclass
class SourcesBench:
    """Share of all configurations better than the best one found, in percent; smaller is better."""

    name: str = "sources"
    methods: Sequence[str] = (
        "foretell+sources", "foretell+described", "foretell", "tpe", "tpe+enqueued", "random",
        *(f"foretell+{m}" for m in _MISLEADING),
    )  # fmt: skip
    _old: dict[tuple[str, str, int, str], optuna.Study] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means two data sets."""
        places = _QUICK if quick else TARGETS
        return [Cell(m, *place, _TRIALS, seed) for place in places for seed in range(seeds) for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        with one_quiet_thread():
            problem = source_problem(cell.family, cell.task)
            values = self._study(cell.method, cell.family, cell.task, cell.seed, cell.n)
        best = list(accumulate(values, max))
        return {f"share@{k}": (100 * problem.share_better(best[k - 1]), "%") for k in CHECKPOINTS if k <= cell.n}

    def average(self, values: Sequence[float]) -> float:
        """The mean."""
        return statistics.fmean(values)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`."""
        return sources_tables(rows)

    def _study(self, method: str, family: str, task: str, seed: int, n: int) -> list[float]:
        problem = source_problem(family, task)
        name, _, extra = method.partition("+")
        kind = extra if extra in _MISLEADING else "real"
        old = [self._old_study(family, other, seed, kind) for other in sources_of(family, task)] if extra else []
        for other, earlier in zip(sources_of(family, task), old, strict=False):
            earlier.set_user_attr(TASK, described(family, other) if extra == "described" else {})
        sampler: optuna.samplers.BaseSampler
        if name == "foretell":
            sampler = ForetellSampler(seed=seed, sources=old or None, warn_independent_sampling=False)
        else:
            sampler = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[name](seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.set_user_attr(TASK, described(family, task) if extra == "described" else {})
        for config in _best(old, problem) if name != "foretell" else []:
            study.enqueue_trial(config)
        _run(study, problem, n)
        return [float(t.value) for t in study.get_trials(deepcopy=False) if t.value is not None]

    def _old_study(self, family: str, task: str, seed: int, kind: str) -> optuna.Study:
        """A finished study of another data set; the same object for the same arguments."""
        key = (family, task, seed, kind)
        if key not in self._old:
            problem, sign = source_problem(family, task), 1.0
            if kind == "unrelated":
                problem = unrelated_problem(problem, seed)
            if kind == "inverted":
                sign = -1.0
            sampler = optuna.samplers.TPESampler(seed=_OLD_SEEDS + seed)
            study = optuna.create_study(study_name=f"{task} {kind}", direction="maximize", sampler=sampler)
            if kind == "shuffled":
                real = self._old_study(family, task, seed, "real").get_trials(deepcopy=False)
                order = np.random.default_rng(seed).permutation(len(real))
                for trial, i in zip(real, order.tolist(), strict=True):
                    study.add_trial(
                        optuna.trial.create_trial(
                            value=real[i].value, params=trial.params, distributions=trial.distributions
                        )
                    )
            else:
                _run(study, problem, _OLD_TRIALS, sign)
            self._old[key] = study
        return self._old[key]


def _run(study: optuna.Study, problem: SearchProblem, n: int, sign: float = 1.0) -> None:
    study.optimize(lambda trial: sign * problem.value(suggest(trial, problem.space)), n_trials=n)


def _best(old: Sequence[optuna.Study], problem: SearchProblem) -> list[dict[str, object]]:
    """The old studies' best configurations, in turn, with the nearest values that the problem allows."""
    ranked = []
    shared = SharedParameters.between(problem.space, problem.space)  # names agree within a family
    for study in old:
        trials = sorted(study.get_trials(deepcopy=False), key=lambda t: -float(t.value or 0.0))
        ranked.append([shared.to_target(t.params) for t in trials[: 4 * _ENQUEUED]])
    found: list[dict[str, object]] = []
    for config in chain.from_iterable(zip(*ranked, strict=True)):
        if config not in found:
            found.append(dict(config))
    return found[: max(_ENQUEUED, len(old))]
