"""`foretell bench intervals`: how many trials of whole studies end inside the 90 % interval stated before they ran.

Studies of `BayesianOptimizer` on the problems of `foretell.benchmarks.search_spaces.problems`, from the first trial
that its surrogate chose on. `tracked` is what `ForetellSampler.interval` gives, whose width follows the study's own
record; `plain` is as wide as leaving one out says. Widths are in units of the way from the problem's median value to
its best, so that problems can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problems import REPORTED, TUNED, load_problem
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.tracked_intervals import TrackedIntervals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.problem import SearchProblem

_TRIALS = 60
_BANDS = ((6, 20), (20, 40), (40, 60), (6, 60))
_QUICK = (("hpobench-mlp", "australian"),)


class StudyIntervals:
    """Coverage, best at 90 %, and width, of which less is better."""

    name = "intervals"
    methods: Sequence[str] = ("foretell",)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem."""
        places = _QUICK if quick else (*REPORTED, *TUNED)
        return [Cell(m, *place, _TRIALS, seed) for seed in range(seeds) for place in places for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = load_problem(cell.family, cell.task)
        unit = float(problem.values[-1] - np.median(problem.values)) or 1.0
        found: dict[str, tuple[float, str]] = {}
        for name, rows in stated_intervals(problem, cell.n, cell.seed).items():
            for low, high in _BANDS:
                inside = [lo <= value <= hi for i, lo, hi, value in rows if low <= i < high]
                width = [(hi - lo) / unit for i, lo, hi, _ in rows if low <= i < high]
                if inside:
                    found[f"{name}@{low}-{high - 1}"] = (100 * float(np.mean(inside)), "%")
                    found[f"{name} width@{low}-{high - 1}"] = (float(np.median(width)), "median to best")
        return found

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: a table a half, all trials of all seeds together."""
        lines: list[str] = []
        bands = [f"{low}-{high - 1}" for low, high in _BANDS]
        for half, places in (("reported", REPORTED), ("tuned", TUNED)):
            here = [m for m in rows if (m.family, m.task) in places]
            if not here:
                continue
            columns = [f"{name} @{band}" for name in ("tracked", "plain") for band in bands]
            lines += ["", f"Share of values inside, in percent, the {half} half", ""]
            lines += [f"| problem | {' | '.join(columns)} | studies |", f"|{'---|' * (len(columns) + 2)}"]
            for place in (*places, None):
                of = [m for m in here if place is None or (m.family, m.task) == place]
                means = [_mean(m.value for m in of if m.metric == c.replace(" @", "@")) for c in columns]
                studies = len({m.cell for m in of})
                if studies:
                    name = " ".join(place) if place else "all"
                    lines.append(f"| {name} | {' | '.join(means)} | {studies} |")
        return lines


def stated_intervals(problem: SearchProblem, n: int, seed: int) -> dict[str, list[tuple[int, float, float, float]]]:
    """Search a problem; for each trial that the surrogate chose its number, the interval's ends, and what came."""
    optimizer = BayesianOptimizer(problem.space)
    observations: list[Observation] = []
    intervals = TrackedIntervals()
    found: dict[str, list[tuple[int, float, float, float]]] = {"tracked": [], "plain": []}
    for i in range(n):
        config = optimizer.suggest(observations, seed=[seed, i], index=i)
        value = problem.value(config)
        if i >= optimizer.n_startup:
            before = optimizer.believe(observations, [config])
            for name, belief in (("tracked", intervals.of(before)), ("plain", before)):
                low, high = (float(belief.quantile(q)[0]) for q in (0.05, 0.95))
                found[name].append((i, low, high, value))
            intervals = intervals.after(before, np.array([value]))
        observations.append(Observation(config, (value,)))
    return found


def _mean(values: Iterable[float]) -> str:
    kept = list(values)
    return f"{np.mean(kept):.1f}" if kept else ""
