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
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.win_rates import win_rate
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import make_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.pareto_problems import ParetoProblem
    from foretell.benchmarks.runner import Measurement

_TRIALS, _TRIALS_OF_SLOW = 100, 60
_CHECKPOINTS = (20, 60, 100)
_START = 10  # suggestions before are start-up, and left out of the time


class Pareto:
    """Volumes and milliseconds."""

    name = "pareto"
    methods: Sequence[str] = ("foretell", "tpe", "nsgaii", "gp", "random")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem, and no slow sampler."""
        places = REPORTED[:1] if quick else (*REPORTED, *TUNED)
        return [
            Cell(m, *place, _TRIALS_OF_SLOW if m == "gp" else _TRIALS, seed)
            for seed in range(seeds)
            for place in places
            for m in methods
            if not (m == "gp" and (quick or place in TUNED))
        ]

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
        methods = list(dict.fromkeys(m.method for m in rows))
        lines: list[str] = []
        for half, places in (("reported", REPORTED), ("tuned", TUNED)):
            here = [m for m in rows if (m.family, m.task) in places]
            if not here:
                continue
            lines += ["", f"Volume in percent of the largest, mean over seeds, the {half} half", ""]
            lines += [f"| problem | after | {' | '.join(methods)} | studies |", f"|{'---|' * (len(methods) + 3)}"]
            for place in places:
                for k in _CHECKPOINTS:
                    of = {m: _by_seed(here, m, place, k) for m in methods}
                    if any(of.values()):
                        means = [f"{statistics.fmean(v.values()):.1f}" if v else "" for v in of.values()]
                        counts = "/".join(str(len(v)) for v in of.values())
                        lines.append(f"| {' '.join(place)} | {k} | {' | '.join(means)} | {counts} |")
            lines += ["", f"How often `foretell` is ahead, a tie counting half, the {half} half", ""]
            lines += ["| against | " + " | ".join(f"after {k}" for k in _CHECKPOINTS) + " |", f"|{'---|' * 4}"]
            for method in methods:
                if method != "foretell":
                    rates = " | ".join(_rate(here, method, places, k) for k in _CHECKPOINTS)
                    lines.append(f"| {method} | {rates} |")
        return lines


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


def _by_seed(rows: Sequence[Measurement], method: str, place: tuple[str, str], k: int) -> dict[int, float]:
    here = [m for m in rows if (m.family, m.task) == place]
    return {m.seed: m.value for m in here if m.method == method and m.metric == f"volume@{k}"}


def _rate(rows: Sequence[Measurement], method: str, places: Sequence[tuple[str, str]], k: int) -> str:
    """The rate with its interval by bootstrap over problems."""
    pairs = []
    for place in places:
        ours, theirs = (_by_seed(rows, m, place, k) for m in ("foretell", method))
        pairs += [(ours[seed], theirs[seed], place) for seed in ours if seed in theirs]
    if not pairs:
        return ""
    first, second, clusters = zip(*pairs, strict=True)
    found = win_rate(np.array(first), np.array(second), clusters)
    return f"{found.rate:.2f} [{found.low:.2f}, {found.high:.2f}] ({found.pairs})"
