"""`foretell bench soak`: thousands of trials one after the other in one process, beside Optuna's samplers.

A study in memory of 10 mixed parameters (those of `foretell bench latency`) whose objective costs nothing. After every
250th trial two things are written down: the processor time that the study took for a trial (ask, suggest, tell), median
and mean of those 250, and the memory that the process has. Each study has a process of its own, whose memory is nobody
else's; `random` shows what Optuna itself keeps. A sampler that takes a second a suggestion has 300 trials.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import optuna

from foretell.benchmarks.runner import Cell, medians
from foretell.empty_figure import empty_figure
from foretell_adapters.optuna.latency import asked, mixed_space, sampler_of, value_of
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement

_TRIALS, _TRIALS_OF_SLOW, _QUICK_TRIALS = 5000, 300, 500
_EVERY, _EVERY_OF_SLOW = 250, 50
_SLOW = frozenset({"gp"})
_SETTLED = 500  # trials after which memory should be flat: all code is loaded by then
_COLOURS = {"foretell": "#2a6fdb", "tpe": "#d1495b", "gp": "#edae49", "random": "#8d99ae"}


class Soak:
    """Milliseconds and megabytes along one long study; smaller and flatter is better."""

    name = "soak"
    methods: Sequence[str] = ("foretell", "tpe", "gp", "random")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means 500 trials, and no slow sampler."""
        trials = _QUICK_TRIALS if quick else _TRIALS
        return [
            Cell(m, "10-mixed", None, _TRIALS_OF_SLOW if m in _SLOW else trials, seed)
            for m in methods
            if not (quick and m in _SLOW)
            for seed in range(seeds)
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`: `median`, `mean` and `memory` after so many trials."""
        assert cell.n is not None
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(soaked, cell.method, cell.n, cell.seed).result()
        return {f"{kind}@{at}": value for at, row in found.items() for kind, value in row.items()}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: time early and late, and how much memory came after the first 500 trials."""
        lines = [
            "| sampler | trials | ms a trial, early | ms a trial, late | ms more per 1,000 trials | MB at the end "
            "| MB more since trial 500 |",
            "|---|---|---|---|---|---|---|",
        ]
        for method in self.methods:
            time_of, memory = (dict(series(rows, method, kind)) for kind in ("median", "memory"))
            if time_of:
                early, late = _SETTLED if _SETTLED in time_of else min(time_of), max(time_of)
                growth = 1000 * (time_of[late] - time_of[early]) / (late - early) if late > early else float("nan")
                settled = memory.get(_SETTLED, float("nan"))
                entries = [method, str(late), f"{time_of[early]:.1f} (at {early})", f"{time_of[late]:.1f}"]
                entries += [f"{growth:.1f}", f"{memory[late]:.0f}", f"{memory[late] - settled:.1f}"]
                lines.append(f"| {' | '.join(entries)} |")
        return lines

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        """See `Drawing`: time a trial and memory against the number of trials."""
        figure = empty_figure(10, 3.8)
        times, memory = figure.subplots(1, 2)
        for method in self.methods:
            for axes, kind in ((times, "median"), (memory, "memory")):
                points = series(rows, method, kind)
                if points:
                    x, y = zip(*points, strict=True)
                    axes.plot(x, y, label=method, color=_COLOURS[method], linewidth=2)
        times.set(xlabel="trials so far", ylabel="processor time a trial, ms", yscale="log")
        memory.set(xlabel="trials so far", ylabel="memory of the process, MB", ylim=(0, None))
        for axes in (times, memory):
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        times.legend(frameon=False)
        return figure


def soaked(method: str, n: int, seed: int) -> dict[int, dict[str, tuple[float, str]]]:
    """One study in this process: what was seen after so many trials."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with one_quiet_thread(), threadpool_limits(1):
        every = _EVERY_OF_SLOW if method in _SLOW else _EVERY
        return dict(_checkpoints(method, n, seed, every))


def _checkpoints(method: str, n: int, seed: int, every: int) -> Iterator[tuple[int, dict[str, tuple[float, str]]]]:
    study, space = optuna.create_study(sampler=sampler_of(method, seed)), mixed_space(10)
    taken: list[float] = []
    for number in range(1, n + 1):
        start = time.process_time()
        trial = study.ask()
        value = value_of(asked(trial, space))
        study.tell(trial, value)
        taken.append(1e3 * (time.process_time() - start))
        if number % every == 0 or number == n:
            yield (
                number,
                {
                    "median": (statistics.median(taken), "ms"),
                    "mean": (statistics.mean(taken), "ms"),
                    "memory": (resident_megabytes(), "MB"),
                },
            )
            taken = []


def resident_megabytes() -> float:
    """Memory that this process has now; where the system does not tell, the most that it ever had."""
    now = Path("/proc/self/statm")
    if now.exists():
        import os

        return int(now.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource
    import sys

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0) / 1e6


def series(rows: Sequence[Measurement], method: str, kind: str) -> list[tuple[int, float]]:
    """Median over seeds of one kind of metric, by the number of trials."""
    found = [
        (int(metric.removeprefix(f"{kind}@")), value)
        for cell, metric, value, _ in medians(rows)
        if cell.method == method and metric.startswith(f"{kind}@")
    ]
    return sorted(found)
