"""`foretell bench stopping`: when `StopWhenDone` ends a study, and what more trials would have brought.

Studies of `foretell bench search`, with the callback's default settings; after it has stopped one, the study goes on to
120 trials without it. `stopped` is the number of trials at the stop, 120 where there was none; `lost`, what the rest
would have gained, in percent of the way from the median of the first ten trials to the best of all.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problems import REPORTED, TUNED, load_problem
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import sampler_of
from foretell_adapters.optuna.stop_when_done import StopWhenDone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement

_TRIALS, _START = 120, 10


class Stopping:
    """Trials saved, and what they would have brought."""

    name = "stopping"
    methods: Sequence[str] = ("foretell", "tpe", "random")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem."""
        places = REPORTED[:1] if quick else (*REPORTED, *TUNED)
        return [Cell(m, *place, _TRIALS, seed) for place in places for m in methods for seed in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = load_problem(cell.family, cell.task)
        study = optuna.create_study(direction="maximize", sampler=sampler_of(cell.method, cell.seed, problem))
        callback, seconds = StopWhenDone(), []

        def timed(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            start = time.process_time()
            callback(study, trial)
            seconds.append(time.process_time() - start)

        def objective(trial: optuna.Trial) -> float:
            return problem.value(suggest(trial, problem.space))

        with one_quiet_thread():
            study.optimize(objective, n_trials=cell.n, callbacks=[timed])
            stopped, best = len(study.trials), study.best_value
            study.optimize(objective, n_trials=cell.n - stopped)
        start = statistics.median(t.values[0] for t in study.trials[:_START])
        lost = (study.best_value - best) / max(study.best_value - start, 1e-300)
        return {
            "stopped": (float(stopped), "trials"),
            "lost": (100 * lost, "%"),
            "callback": (1e3 * statistics.mean(seconds), "ms"),
        }

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: medians of the trials, means of what was lost."""
        names = ("half", "family", "method", "trials at the stop", "lost, %", "ms a trial", "studies")
        lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        for half, places in (("reported", REPORTED), ("tuned", TUNED)):
            for family in dict.fromkeys(family for family, _ in places):
                for method in self.methods:
                    found = {
                        metric: [
                            r.value
                            for r in rows
                            if (r.family, r.method, r.metric) == (family, method, metric)
                            and (r.family, r.task) in places
                        ]
                        for metric in ("stopped", "lost", "callback")
                    }
                    if found["stopped"]:
                        entries = [half, family, method, f"{statistics.median(found['stopped']):.0f}"]
                        entries += [f"{statistics.mean(found[m]):.2g}" for m in ("lost", "callback")]
                        lines.append(f"| {' | '.join([*entries, str(len(found['stopped']))])} |")
        return lines
