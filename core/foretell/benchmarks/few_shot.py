"""`foretell bench few-shot`: every named predictor, and the cheap baselines, on the real tables under one protocol.

Columns of a table's architectures are computed once and kept while this process lives; `encode` says what they cost an
architecture. A predictor that learns from unlabelled architectures gets 2,000 of those for testing, columns alone.
Pretrained weights that learnt from a family are left out when it is measured; those of its other tasks stay for
`foretell-pretrained-new-task`, as for a known search space on a new data set. `fit` and `query` are CPU time on one
thread, a query being the ranking of all test architectures.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.curves import curves_figure
from foretell.benchmarks.few_shot_report import few_shot_tables
from foretell.benchmarks.protocol import SIZES, scores, split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES, Table, some_rows
from foretell.benchmarks.unknowing import unknowing
from foretell.encoders import Encoding
from foretell.known_columns import KnownColumns
from foretell.metrics import kendall_tau, spearman_rho
from foretell.presets import PRESETS
from foretell.surrogates import SemiSupervised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement
    from foretell.candidate import Candidate

_POOL = 2000
_BASELINES = ("params", "flops")
_NEW_TASK = "foretell-pretrained-new-task"
TASKS = {
    "nasbench201": ("cifar10", "cifar100"), "nasbench101": ("test_acc",), "nasbench301": ("val_acc",),
    "transnasbench101": ("class_scene", "jigsaw", "autoencoder", "room_layout"),
}  # fmt: skip
"""Targets of each family; the first one is what is learnt from where one is needed."""


@dataclass
class FewShot:
    """Rank correlations and more; larger is better but for regret, likelihood and times."""

    name: str = "few-shot"
    methods: Sequence[str] = (*_BASELINES, *(name for name in PRESETS if name != "baker"), _NEW_TASK)  # baker: curves
    _tables: dict[str, Table] = field(default_factory=dict)
    _encoded: dict[tuple[str, str], _TimedColumns] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task a family and 50 or 100 architectures."""
        return [
            Cell(method, family, task, n, seed)
            for family, sizes in SIZES.items()
            for task in (TASKS[family][:1] if quick else TASKS[family])
            for n in (sizes if not quick else [k for k in sizes if k in {50, 100}][:1])
            for method in methods
            for seed in range(seeds)
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        if cell.family not in self._tables:
            self._tables[cell.family] = TABLES[cell.family]()
        table = self._tables[cell.family]
        truth = table.targets[cell.task]
        rows = split(cell.family, len(table), cell.n, cell.seed)
        if cell.method in _BASELINES:
            sizes = self._columns(cell.family, "sizes", _sizes).rows(rows.test.tolist())
            guess = sizes.values[:, _BASELINES.index(cell.method)]
            return {
                "tau": (kendall_tau(truth[rows.test], guess), ""),
                "rho": (spearman_rho(truth[rows.test], guess), ""),
            }
        if cell.method == _NEW_TASK:
            predictor = unknowing(PRESETS["foretell-pretrained"](), f"{cell.family}.{cell.task}")
        else:
            predictor = unknowing(PRESETS[cell.method](), cell.family)
        key = json.dumps([[e.name, e.to_config()] for e in predictor.encoders], sort_keys=True)
        columns = self._columns(cell.family, key, predictor.encode)
        known, asked = columns.rows(rows.train.tolist()), columns.rows(rows.test.tolist())
        pool = None
        if isinstance(predictor.surrogate, SemiSupervised):
            pool = asked.rows(some_rows(len(rows.test), min(_POOL, len(rows.test)), cell.seed))
        start = time.process_time()
        predictor.fit_encoding(known, truth[rows.train], unlabelled=pool)
        fitted = time.process_time()
        posterior = predictor.predict_encoding(asked)
        ranked = posterior.mean
        done = time.process_time()
        assert len(ranked) == len(rows.test)
        times = {"fit": (fitted - start, "s"), "query": (done - fitted, "s"), "encode": (columns.milliseconds, "ms")}
        return {**scores(posterior, truth[rows.test]), **times}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting.report`."""
        return few_shot_tables(self._in_order(rows))

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        """See `Drawing.figure`: tau against the number of labels."""
        return curves_figure(self._in_order(rows), "tau", _BASELINES)

    def _in_order(self, rows: Sequence[Measurement]) -> list[Measurement]:
        """Presets as they are listed, ours first, then the baselines; families and tasks likewise."""
        places = [(family, task) for family, tasks in TASKS.items() for task in tasks]
        methods = sorted(self.methods, key=_BASELINES.__contains__)
        return sorted(rows, key=lambda m: (places.index((m.family or "", m.task or "")), methods.index(m.method)))

    def _columns(self, family: str, key: str, encode: Callable[[Sequence[Candidate]], Encoding]) -> _TimedColumns:
        """Presets with the same encoders share their columns."""
        if (family, key) not in self._encoded:
            self._encoded[family, key] = _TimedColumns(encode, self._tables[family])
        return self._encoded[family, key]


class _TimedColumns:
    """Columns of a table's rows, and what encoding one costs."""

    def __init__(self, encode: Callable[[Sequence[Candidate]], Encoding], table: Table) -> None:
        self._encode, self._seconds, self._number = encode, 0.0, 0
        self._known = KnownColumns(self._timed, table.candidate)

    def rows(self, wanted: Sequence[int]) -> Encoding:
        """Columns of some rows, in their order."""
        return self._known.rows(wanted)

    @property
    def milliseconds(self) -> float:
        """Mean CPU time of encoding one architecture."""
        return 1e3 * self._seconds / max(self._number, 1)

    def _timed(self, candidates: Sequence[Candidate]) -> Encoding:
        start = time.process_time()
        found = self._encode(candidates)
        self._seconds += time.process_time() - start
        self._number += len(candidates)
        return found


def _sizes(candidates: Sequence[Candidate]) -> Encoding:
    """Parameters and FLOPs."""
    values = np.array([[c.graph.params, c.graph.flops] if c.graph else [np.nan] * 2 for c in candidates], dtype=float)
    return Encoding(values, _BASELINES, _BASELINES, np.zeros(2, dtype=bool))
