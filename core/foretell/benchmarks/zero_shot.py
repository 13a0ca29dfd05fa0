"""`foretell bench zero-shot`: what learnt on one family ranks another, without a label of it, beside its size alone.

A method is the family that is learnt from, by `foretell.pretraining.transferable.any_family` on 6,000 architectures
that the seed draws, or all there are; the spread over seeds is that of the training architectures. Tested are all
architectures of the other family, of NAS-Bench-101 20,000. `rho connected` is over those whose cell has no `none`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.few_shot import TASKS
from foretell.benchmarks.protocol import split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES, Table, some_rows
from foretell.known_columns import KnownColumns
from foretell.metrics import kendall_tau, spearman_rho
from foretell.pretraining.transferable import ROWS, any_family

if TYPE_CHECKING:
    from jaxtyping import Float

_SIZES = {"params": "log_params", "flops": "log_flops"}
_NONE = {"nasbench201": 1, "transnasbench101": 0}  # the operator of a missing edge


@dataclass
class ZeroShot:
    """Rank correlations on families that were never seen."""

    name: str = "zero-shot"
    methods: Sequence[str] = (*_SIZES, *TASKS)
    _tables: dict[str, Table] = field(default_factory=dict)
    _columns: dict[str, KnownColumns[int]] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means the smallest family."""
        return [
            Cell(method, family, task, seed=seed)
            for family in (TASKS if not quick else ["nasbench301"])
            for task in TASKS[family]
            for method in methods
            if method != family
            for seed in range(1 if method in _SIZES else seeds)
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        table = self._table(cell.family)
        rows = split(cell.family, len(table), 1, 0).test if cell.family == "nasbench101" else np.arange(len(table))
        truth = table.targets[cell.task][rows]
        columns = self._columns[cell.family].rows(rows.tolist())
        if cell.method in _SIZES:
            guess = columns.values[:, columns.names.index(_SIZES[cell.method])]
        else:
            source = self._table(cell.method)
            known = some_rows(len(source), min(ROWS, len(source)), cell.seed)
            learnt = self._columns[cell.method].rows(known.tolist())
            predictor = any_family().fit_encoding(learnt, source.targets[TASKS[cell.method][0]][known])
            guess = predictor.predict_encoding(columns).mean
        return _scores(table, rows, truth, guess)

    def _table(self, family: str) -> Table:
        if family not in self._tables:
            self._tables[family] = TABLES[family]()
            self._columns[family] = KnownColumns(any_family().encode, self._tables[family].candidate)
        return self._tables[family]


def _scores(
    table: Table, rows: np.ndarray, truth: Float[np.ndarray, " m"], guess: Float[np.ndarray, " m"]
) -> dict[str, tuple[float, str]]:
    found = {"rho": (spearman_rho(truth, guess), ""), "tau": (kendall_tau(truth, guess), "")}
    none = _NONE.get(table.family)
    if none is not None:
        connected = np.array([none not in table.specs[int(i)] for i in rows])
        if connected.sum() > 1:
            found["rho connected"] = (spearman_rho(truth[connected], guess[connected]), "")
    return found
