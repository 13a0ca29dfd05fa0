"""`foretell bench table-search`: how many architectures must be trained until the best one is found.

A search asks the table for one architecture at a time: ten drawn at random, then the one of largest expected
improvement among all that were not asked, the first of them where several have equal columns. `queries` counts up to
the one with the best target of the table, 0 standing for not found in 150; `regret` is what the best one found so far
lacks to it, in the target's unit. Random search runs beside it, with the same first ten.

NAS-Bench-101 is too large to be judged whole at every step: there the candidates are the neighbours of the five best so
far and 256 random ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.benchmarks.nasbench101_neighbours import Neighbours101
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.table_columns import TableColumns
from foretell.benchmarks.tables import TABLES, Table
from foretell.encoders import Encoding
from foretell.posterior import WarpedPosterior
from foretell.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

    from foretell.predictor import Predictor

_START, _BUDGET = 10, 150
_REPORTED = (20, 50, 100, 150)
_TASKS = {
    "nasbench201": ("cifar10", "cifar100"), "nasbench101": ("test_acc",), "transnasbench101": ("class_scene", "jigsaw"),
}  # fmt: skip
_PARENTS, _RANDOM = 5, 256


@dataclass
class TableSearch:
    """Queries and regret; smaller is better."""

    name: str = "table-search"
    methods: Sequence[str] = ("foretell", "graf", "nas-bowl", "random")
    _known: dict[tuple[str, str], Encoding] = field(default_factory=dict)
    _tables: dict[str, Table] = field(default_factory=dict)
    _neighbours: Neighbours101 | None = None

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task."""
        tasks = [(family, task) for family, names in _TASKS.items() for task in names]
        return [Cell(m, family, task, None, s) for family, task in tasks[: 1 if quick else None] for m in methods
                for s in range(seeds)]  # fmt: skip

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        if cell.family not in self._tables:
            self._tables[cell.family] = TABLES[cell.family]()
        table = self._tables[cell.family]
        truth = table.targets[cell.task]
        order = np.random.default_rng(cell.seed).permutation(len(truth))
        if cell.method == "random":
            asked = order[:_BUDGET]
        elif cell.family == "nasbench101":
            asked = self._search_locally(cell.method, table, truth, order[:_START], cell.seed)
        else:
            columns = self._columns(cell.family, cell.method)
            asked = _search(cell.method, columns, truth, order[:_START])
        best = truth.max()
        found = np.maximum.accumulate(truth[asked])
        hits = np.flatnonzero(truth[asked] == best)
        result = {"queries": (float(hits[0] + 1) if len(hits) else 0.0, "")}
        return result | {f"regret@{k}": (float(best - found[min(k, len(found)) - 1]), "") for k in _REPORTED}

    def _columns(self, family: str, method: str) -> Encoding:
        if (family, method) not in self._known:
            table, predictor = self._tables[family], PRESETS[method]()
            self._known[family, method] = predictor.encode([table.candidate(i) for i in range(len(table))])
        return self._known[family, method]

    def _search_locally(
        self, method: str, table: Table, truth: Float[np.ndarray, " n"], start: Int[np.ndarray, " k"], seed: int
    ) -> Int[np.ndarray, " budget"]:
        """As `_search`, among some candidates at each step."""
        if self._neighbours is None:
            self._neighbours = Neighbours101(table)
        rng = np.random.default_rng([seed, 1])
        columns = TableColumns(PRESETS[method]().encode, table)
        asked = [int(row) for row in start]
        while len(asked) < _BUDGET and truth[asked].max() < truth.max():
            parents = sorted(asked, key=lambda row: -truth[row])[:_PARENTS]
            near = np.setdiff1d([row for parent in parents for row in self._neighbours(parent)], asked)
            far = np.setdiff1d(rng.integers(len(truth), size=_RANDOM), [*asked, *near.tolist()])
            predictor = PRESETS[method]()
            random_ones = predictor.encode([table.candidate(row) for row in far.tolist()])  # seen once: not kept
            judged = Encoding.on_top([columns.rows(near.astype(np.int64)), random_ones]) if len(near) else random_ones
            predictor.fit_encoding(columns.rows(np.array(asked)), truth[asked])
            gain = _log_gain(predictor, judged, truth[asked])
            asked.append(int(np.concatenate([near, far])[int(np.argmax(gain))]))
        return np.array(asked)


def _log_gain(predictor: Predictor, columns: Encoding, seen: Float[np.ndarray, " k"]) -> Float[np.ndarray, " m"]:
    """Logarithm of expected improvement on the best target seen."""
    belief = predictor.predict_encoding(columns)
    assert isinstance(belief, WarpedPosterior)
    return log_expected_improvement(belief.latent, float(belief.warp.forward(seen).max()))


def _search(
    method: str, columns: Encoding, truth: Float[np.ndarray, " n"], start: Int[np.ndarray, " k"]
) -> Int[np.ndarray, " budget"]:
    """Rows in the order in which they were asked; ends at the best one."""
    values = np.ascontiguousarray(np.nan_to_num(columns.values, nan=-1e9).round(9))
    as_bytes = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
    _, first, same = np.unique(as_bytes, return_index=True, return_inverse=True)
    distinct = columns.rows(first)
    asked = [int(row) for row in start]
    while len(asked) < _BUDGET and truth[asked].max() < truth.max():
        predictor = PRESETS[method]().fit_encoding(columns.rows(np.array(asked)), truth[asked])
        gain = _log_gain(predictor, distinct, truth[asked])[same]
        gain[asked] = -np.inf
        asked.append(int(np.argmax(gain)))
    return np.array(asked)
