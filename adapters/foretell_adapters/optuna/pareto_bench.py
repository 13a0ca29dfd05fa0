"""`foretell bench pareto`: several objectives, ours beside Optuna's samplers, one process, one thread.

Problems are those of `foretell.benchmarks.pareto_problems`; a study has 100 trials, of a sampler that takes a second a
suggestion 60. What counts is the volume that a study's trials dominate, in percent of the largest there is.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
import optuna

from foretell.benchmarks.pareto_problems import REPORTED, TUNED, load_pareto
from foretell.benchmarks.two_halves import TwoHalves
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import make_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.pareto_problems import ParetoProblem
    from foretell.benchmarks.runner import Cell, Measurement

_TRIALS, _TRIALS_OF_SLOW = 100, 60
_CHECKPOINTS = (20, 60, 100)
_START = 10  # suggestions before are start-up, and left out of the time
_HALVES = TwoHalves(REPORTED, TUNED, "volume", "Volume in percent of the largest", _CHECKPOINTS, digits=".1f")


class Pareto:
    """Volumes and milliseconds."""

    name = "pareto"
    methods: Sequence[str] = ("foretell", "tpe", "nsgaii", "gp", "random")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem, and no slow sampler."""
        return _HALVES.cells(methods, seeds, quick=quick, length=_TRIALS, length_of_slow=_TRIALS_OF_SLOW)

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = load_pareto(cell.family, cell.task)
        with one_quiet_thread():
            values, times = run_study(make_sampler(cell.method, cell.seed), problem, cell.n)
        found = {f"volume@{k}": (100 * problem.share(values[:k]), "%") for k in _CHECKPOINTS if k <= len(values)}
        return {"suggest": (1e3 * statistics.median(times[_START:] or times), "ms"), **found}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: volumes and how often ours is ahead, a table a half."""
        return _HALVES.report(rows)


def run_study(
    sampler: optuna.samplers.BaseSampler, problem: ParetoProblem, n_trials: int
) -> tuple[np.ndarray, list[float]]:
    """Objectives of all trials, larger is better, and the seconds that each suggestion took."""
    study = optuna.create_study(sampler=sampler, directions=["maximize"] * len(problem.reference))
    values, times = [], []
    for _ in range(n_trials):
        start = time.process_time()
        trial = study.ask()
        config = suggest(trial, problem.space)
        times.append(time.process_time() - start)
        values.append(problem.values(config))
        study.tell(trial, values[-1])
    return np.array(values), times
