"""`foretell bench defaults`: the first configurations on a task that was left out, from old studies of the others.

For every other task of the family there is an old study: 60 trials of TPE with a seed of its own. `clusters` are
`TaskDefaults`; `one-default` the same for all tasks together; `nearest` the best of the study whose task is described
most like the one left out; `in-turn` every study's best, then every second best; `sources` where `ForetellSampler`
would begin with the old studies, described too; `centre` the middle of every parameter first, then random ones;
`random` random ones alone. Share of all configurations that are better than the best of the first so many, in percent.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import optuna

from foretell.benchmarks.described_tasks import (
    FAMILIES,
    described_problem,
    described_tasks,
    description,
    middle,
    nearest_task,
)
from foretell.benchmarks.runner import Cell
from foretell.transfer import SharedParameters, SourceKnowledge, TaskClusters
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.old_studies import TASK, read_old_studies
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.distributions import Value
    from foretell.transfer import Source

_FIRST = (1, 3, 5)
_OLD_TRIALS, _OLD_SEEDS = 60, 2000  # the first seed of old studies
Configs = list["Mapping[str, Value]"]


@dataclass
class DefaultsBench:
    """Share of all configurations better than the best of the first so many, in percent; smaller is better."""

    name: str = "defaults"
    methods: Sequence[str] = ("clusters", "one-default", "nearest", "in-turn", "sources", "centre", "random")
    _old: dict[tuple[str, str, int], Source] = field(default_factory=dict)
    _learnt: dict[tuple[str, str, int], TaskClusters] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means the smallest family."""
        tasks = {"nmt": ("en-ja", "ru-en", "sw-en")} if quick else {f: described_tasks()[f] for f in FAMILIES}
        return [Cell(m, f, t, None, seed) for seed in range(seeds) for f in tasks for t in tasks[f] for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`; clusters that were found, and the one that was taken, too."""
        assert cell.family is not None
        assert cell.task is not None
        with one_quiet_thread():
            problem = described_problem(cell.family, cell.task)
            configs = self._configs(cell, problem)
        rng = np.random.default_rng([cell.seed, 7])
        configs += [problem.space.sample(rng) for _ in range(max(_FIRST) - len(configs))]
        values = [problem.value(config) for config in configs]
        found = {f"share@{k}": (100 * problem.share_better(max(values[:k])), "%") for k in _FIRST}
        if cell.method == "clusters":
            learnt = self._clusters(cell)
            near = learnt.for_task(description(cell.family, cell.task)).cluster is not None
            found |= {"clusters": (float(len(learnt.clusters)), ""), "near": (float(near), "")}
        return found

    def _configs(self, cell: Cell, problem: SearchProblem) -> Configs:
        """What a method would try first, at most five."""
        assert cell.family is not None
        assert cell.task is not None
        task = description(cell.family, cell.task)
        if cell.method in ("clusters", "one-default"):
            learnt = self._clusters(cell)
            if cell.method == "one-default":
                learnt = replace(learnt, clusters=(replace(learnt.clusters[0], configurations=learnt.everywhere),))
            return list(learnt.for_task(task, problem.space).configurations)
        if cell.method == "centre":
            return [middle(problem.space)]
        if cell.method == "random":
            return []
        old = self._sources(cell)
        if cell.method == "sources":
            knowledge = SourceKnowledge.learn(old, problem.space, 0, task)
            return [problem.space.from_unit(row) for row in knowledge.portfolio]
        if cell.method == "nearest":
            return _best([old[nearest_task(task, [source.task for source in old])]], problem)
        return _best(old, problem)

    def _clusters(self, cell: Cell) -> TaskClusters:
        key = (str(cell.family), str(cell.task), cell.seed)
        if key not in self._learnt:
            self._learnt.clear()  # cells come task by task
            self._learnt[key] = TaskClusters.from_sources(self._sources(cell), max(_FIRST))
        return self._learnt[key]

    def _sources(self, cell: Cell) -> list[Source]:
        assert cell.family is not None
        return [self._source(cell.family, t, cell.seed) for t in described_tasks()[cell.family] if t != cell.task]

    def _source(self, family: str, task: str, seed: int) -> Source:
        """A finished study of a task, read; the same object for the same arguments."""
        key = (family, task, seed)
        if key not in self._old:
            problem = described_problem(family, task)
            study = optuna.create_study(
                study_name=task, direction="maximize", sampler=optuna.samplers.TPESampler(seed=_OLD_SEEDS + seed)
            )
            study.set_user_attr(TASK, description(family, task))
            study.optimize(lambda trial: problem.value(suggest(trial, problem.space)), n_trials=_OLD_TRIALS)
            self._old[key] = read_old_studies(study)[0].source
        return self._old[key]

    def average(self, values: Sequence[float]) -> float:
        """The mean."""
        return statistics.fmean(values)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: a line a family, means over tasks and seeds."""
        lines = [f"| tasks | {' | '.join(self.methods)} | clusters | seeds |", f"|{'---|' * (len(self.methods) + 3)}"]
        for family in FAMILIES:
            mine = [r for r in rows if r.family == family]
            if not mine:
                continue
            cells = []
            for method in self.methods:
                values = {k: [r.value for r in mine if (r.method, r.metric) == (method, f"share@{k}")] for k in _FIRST}
                cells.append(" / ".join(f"{statistics.fmean(v):.2f}" if v else "-" for v in values.values()))
            found = [r.value for r in mine if r.metric == "clusters"]
            n, seeds = len({r.task for r in mine}), len({r.seed for r in mine})
            mean = f"{statistics.fmean(found):.1f}" if found else "-"
            lines.append(f"| {family} ({n}) | {' | '.join(cells)} | {mean} | {seeds} |")
        return lines


def _best(old: Sequence[Source], problem: SearchProblem) -> Configs:
    """The old studies' best configurations, in turn, with the nearest values that the problem allows; five of them."""
    ranked = []
    for source in old:
        shared = SharedParameters.between(problem.space, source.space)
        pairs = zip(source.targets(0).tolist(), source.observations, strict=True)
        ranked.append([shared.to_target(seen.config) for _, seen in sorted(pairs, key=lambda pair: -pair[0])])
    found: Configs = []
    for config in chain.from_iterable(zip(*ranked, strict=False)):
        if config not in found:
            found.append(config)
    return found[: max(_FIRST)]
