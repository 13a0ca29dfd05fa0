"""`foretell bench calibration`: how many truths lie inside the 90 % intervals, and how wide these are.

With `n`: trained on as many architectures drawn at random, tested on 2,000 of the test architectures of `protocol`.
Without: along a search (`searched_tables`), the interval of each architecture that is asked for, stated before its
target is known and counted by how many were known then; `tracked` are the same with `TrackedIntervals`. Coverage is a
share, width is in units of the target. `gp`, one Gaussian process over all columns of the network, stands beside ours
as it is commonly used: with the intervals of its own likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.protocol import split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.searched_tables import SearchedTables
from foretell.benchmarks.tables import some_rows
from foretell.encoders import OperatorStatistics
from foretell.known_columns import KnownColumns
from foretell.predictor import Predictor
from foretell.presets import PRESETS
from foretell.surrogates import GaussianProcess
from foretell.tracked_intervals import TrackedIntervals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.posterior import Posterior

_TASKS = {
    "transnasbench101": ("class_scene", "jigsaw", "autoencoder", "room_layout"), "nasbench301": ("val_acc",),
    "nasbench201": ("cifar10", "cifar100"), "nasbench101": ("test_acc",),
}  # fmt: skip
_SIZES = (20, 50, 100, 400)
_TESTED = 2000
_BANDS = ((20, 50), (50, 100), (100, 150))  # how many targets are known, the end excluded
_PREDICTORS: Mapping[str, Callable[[], Predictor]] = {
    "foretell": PRESETS["foretell"],
    "gp": lambda: Predictor((OperatorStatistics(),), GaussianProcess(length_scale=1.4)),
}


@dataclass
class Calibration:
    """Coverage, best at 0.9, and width, of which less is better."""

    name: str = "calibration"
    methods: Sequence[str] = tuple(_PREDICTORS)
    _tables: SearchedTables = field(default_factory=lambda: SearchedTables(_PREDICTORS))
    _known: dict[tuple[str, str], KnownColumns[int]] = field(default_factory=dict)

    def average(self, values: Sequence[float]) -> float:
        """Over seeds: the mean, which is the share among all intervals."""
        return float(np.mean(values))

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task and no search."""
        tasks = [(family, task) for family, names in _TASKS.items() for task in names]
        sizes: tuple[int | None, ...] = _SIZES[:2] if quick else (*_SIZES, None)
        return [Cell(m, family, task, n, s) for family, task in tasks[: 1 if quick else None] for n in sizes
                for m in methods for s in range(seeds)]  # fmt: skip

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        if cell.n is None:
            return self._along_a_search(cell.method, cell.family, cell.task, cell.seed)
        table = self._tables.table(cell.family)
        truth = table.targets[cell.task]
        rows = split(cell.family, len(table), cell.n, cell.seed)
        test = rows.test[some_rows(len(rows.test), _TESTED, cell.seed)]
        predictor = _PREDICTORS[cell.method]()
        if (cell.method, cell.family) not in self._known:
            self._known[cell.method, cell.family] = KnownColumns(predictor.encode, table.candidate)
        columns = self._known[cell.method, cell.family]
        predictor.fit_encoding(columns.rows(rows.train.tolist()), truth[rows.train])
        inside, width = _intervals(predictor.predict_encoding(columns.rows(test.tolist())), truth[test])
        return {"coverage90": (float(inside.mean()), ""), "width90": (float(width.mean()), "target")}

    def _along_a_search(self, method: str, family: str, task: str, seed: int) -> dict[str, tuple[float, str]]:
        inside: dict[str, dict[int, float]] = {"": {}, "tracked ": {}}
        width: dict[str, dict[int, float]] = {"": {}, "tracked ": {}}
        intervals = TrackedIntervals()
        for known, step in enumerate(islice(self._tables.steps(method, family, task, seed), _BANDS[-1][1])):
            if step.posterior is None:
                continue
            value = np.array([step.value])
            for name, posterior in (("", step.posterior), ("tracked ", intervals.of(step.posterior))):
                held, wide = _intervals(posterior, value)
                inside[name][known], width[name][known] = float(held[0]), float(wide[0])
            intervals = intervals.after(step.posterior, value)
        found = {}
        for low, high in _BANDS:
            for name in inside:
                for metric, of, unit in (("coverage90", inside, ""), ("width90", width, "target")):
                    values = [v for known, v in of[name].items() if low <= known < high]
                    if values:
                        found[f"{name}{metric}@{low}-{high - 1}"] = (float(np.mean(values)), unit)
        return found


def _intervals(posterior: Posterior, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each truth lies in the central 90 % interval, and how wide that is."""
    low, high = posterior.quantile(0.05), posterior.quantile(0.95)
    return (truth >= low) & (truth <= high), high - low
