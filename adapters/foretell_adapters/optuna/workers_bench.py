"""`foretell bench workers`: what a search loses by many workers, at the same number of trials.

Problems and samplers are those of `foretell bench search`, the samplers with their default settings. Eight trials are
always under way, each for a duration drawn anew, so that results come in any order; one under way shows in the study as
running. `regret@k` is what the best of the first k results lacks to the best of the table, in percent of the way from
the table's median to its best; `copies`, the percentage of trials that repeat another one's configuration. `n` is the
number of workers.
"""

from __future__ import annotations

import heapq
import json
import math
import statistics
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problems import REPORTED, TUNED, load_problem
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import sampler_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.problem import SearchProblem

CHECKPOINTS = (40, 60, 100)
_WORKERS = (1, 8)


class Workers:
    """Percent of regret, and of trials in vain; smaller is better."""

    name = "workers"
    methods: Sequence[str] = ("foretell", "tpe")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem."""
        places = REPORTED[1:2] if quick else (*REPORTED, *TUNED)
        return [Cell(m, *place, k, s) for place in places for m in methods for s in range(seeds) for k in _WORKERS]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = load_problem(cell.family, cell.task)
        with one_quiet_thread():
            study = optuna.create_study(sampler=sampler_of(cell.method, cell.seed, problem), direction="maximize")
            values = run_workers(study, problem, cell.n, CHECKPOINTS[-1], cell.seed)
        best, top, middle = [*accumulate(values, max)], problem.values[-1], statistics.median(problem.values.tolist())
        scale = max(float(top) - middle, 1e-300)
        seen = {json.dumps(t.params, sort_keys=True) for t in study.trials}
        return {
            **{f"regret@{k}": (100 * max(float(top - best[k - 1]), 0.0) / scale, "%") for k in CHECKPOINTS},
            "copies": (100 * (1 - len(seen) / len(study.trials)), "%"),
        }

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: means over problems and seeds, and what eight workers' regret is of one's."""
        names = [
            "half",
            "family",
            "method",
            *(f"regret@{k}, 1 and 8 workers" for k in CHECKPOINTS),
            "copies",
            "studies",
        ]
        lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        for half, places in (("reported", REPORTED), ("tuned", TUNED)):
            for family in [*dict.fromkeys(family for family, _ in places), None]:
                for method in self.methods:
                    here = [r for r in rows if (r.family, r.task) in places and r.method == method]
                    here = [r for r in here if family is None or r.family == family]
                    if here:
                        entries = [half, family or "**all**", method, *_entries(here)]
                        lines.append(f"| {' | '.join(entries)} |")
        return lines


def run_workers(study: optuna.Study, problem: SearchProblem, workers: int, trials: int, seed: int) -> list[float]:
    """Values in the order in which they became known, with so many trials always under way."""
    rng = np.random.default_rng([seed, workers])
    values: list[float] = []
    under_way: list[tuple[float, int, optuna.Trial, float]] = []
    now, asked = 0.0, 0
    while len(values) < trials:
        while len(under_way) < workers and asked < trials:
            trial = study.ask()
            value = problem.value(suggest(trial, problem.space))
            heapq.heappush(under_way, (now + float(rng.uniform(0.5, 1.5)), asked, trial, value))
            asked += 1
        now, _, trial, value = heapq.heappop(under_way)
        study.tell(trial, value)
        values.append(value)
    return values


def _entries(rows: Sequence[Measurement]) -> list[str]:
    """Means for one worker and for eight with their ratio, copies of eight workers, and the number of studies."""
    found = []
    for k in CHECKPOINTS:
        one, eight = (_mean([r.value for r in rows if (r.metric, r.n) == (f"regret@{k}", n)]) for n in _WORKERS)
        ratio = f" ({eight / one:.2f})" if one >= 0.005 else ""
        found.append(f"{one:.2f}, {eight:.2f}{ratio}")
    copies = [r.value for r in rows if r.metric == "copies" and r.n == _WORKERS[-1]]
    return [*found, f"{_mean(copies):.1f} %", str(len(copies))]


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else math.nan
