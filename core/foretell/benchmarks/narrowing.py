"""`foretell bench narrowing`: how much of the best is left when a predictor narrows a space.

After some trained networks `gbdt-nas` drops features until a share of the space is left, see `foretell.explain.narrow`.
Beside it features dropped at random until as much is left (mean of 20 such), and the networks that the same predictor
ranks best, as many as are left: what one gets by listing and ranking the whole space instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.protocol import split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES, Table, some_rows
from foretell.candidate import Candidate
from foretell.distributions import CategoricalDistribution
from foretell.encoders import Encoding, Hyperparameters
from foretell.explain.narrowing import Narrowing, binary_columns, narrow_encoding
from foretell.known_columns import KnownColumns
from foretell.predictor import Predictor
from foretell.presets import PRESETS
from foretell.search_space import SearchSpace
from foretell.surrogates import GradientBoosting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Bool, Float

_TASKS = {"nasbench201": ("cifar10", "cifar100"), "nasbench101": ("test_acc",), "transnasbench101": ("jigsaw",)}
_SIZES, _SHARE, _POOL, _SAMPLE, _RANDOM = (100, 400), 0.1, 20_000, 5000, 20
_EDGES = "edge-choices"


@dataclass
class NarrowingLeft:
    """Shares of the space and of its true best percent that are left, and the best network left.

    Methods: `rule` is the published rule, `guarded` ours with its default limit; both see the matrix of the cell. With
    `edge-choices: ` before it the columns are the operator chosen on each edge, where a space has such.
    `random` and `ranked` are sized as `guarded`.
    """

    name: str = "narrowing"
    methods: Sequence[str] = ("rule", "guarded", "random", "ranked", f"{_EDGES}: rule", f"{_EDGES}: guarded",
                              f"{_EDGES}: random", f"{_EDGES}: ranked")  # fmt: skip
    _tables: dict[str, Table] = field(default_factory=dict)
    _columns: dict[tuple[str, bool], KnownColumns[int]] = field(default_factory=dict)
    _fits: dict[Cell, Predictor] = field(default_factory=dict)
    _found: dict[str, Narrowing] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means NAS-Bench-201 with CIFAR-10 and 100 architectures."""
        families = ["nasbench201"] if quick else list(_TASKS)
        return [
            Cell(method, family, task, n, seed)
            for family in families
            for task in (_TASKS[family][:1] if quick else _TASKS[family])
            for n in (_SIZES[:1] if quick else _SIZES)
            for seed in range(seeds)
            for method in methods
            if not (method.startswith(_EDGES) and family == "nasbench101")
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        if cell.family not in self._tables:
            self._tables[cell.family] = TABLES[cell.family]()
        table, edges = self._tables[cell.family], cell.method.startswith(_EDGES)
        truth = table.targets[cell.task]
        pool = np.sort(some_rows(len(table), min(len(table), _POOL), seed=101))
        columns = self._table_columns(cell.family, edges=edges)
        key = Cell(_EDGES if edges else "matrix", cell.family, cell.task, cell.n, cell.seed)
        if key not in self._fits:
            train = split(cell.family, len(table), cell.n, cell.seed).train
            self._fits = {key: _predictor(table, edges=edges).fit_encoding(columns.rows(train.tolist()), truth[train])}
            self._found = {}
        predictor, rows, y = self._fits[key], columns.rows(pool.tolist()), truth[pool]
        method = cell.method.rpartition(": ")[2]
        rule = "rule" if method == "rule" else "guarded"
        if rule not in self._found:
            sample = rows.rows(np.random.default_rng(cell.seed).permutation(len(pool))[:_SAMPLE])
            limits = {"risk": 1.0} if method == "rule" else {}
            self._found[rule] = narrow_encoding(predictor, sample, share=_SHARE, **limits)
        found = self._found[rule]
        kept = found.keeps_rows(rows)
        if method == "random":
            each = [_left(_random(rows, int(kept.sum()), (cell.seed, k)), y) for k in range(_RANDOM)]
            return {name: (float(np.mean([one[name][0] for one in each])), each[0][name][1]) for name in each[0]}
        if method == "ranked":
            order = np.argsort(-predictor.predict_encoding(rows).mean, kind="stable")
            return _left(np.isin(np.arange(len(y)), order[: int(kept.sum())]), y)
        return {**_left(kept, y), **_said(found)}

    def _table_columns(self, family: str, *, edges: bool) -> KnownColumns[int]:
        if (family, edges) not in self._columns:
            table = self._tables[family]
            view = _Choices(table) if edges else _Cells(table)
            self._columns[family, edges] = KnownColumns(_predictor(table, edges=edges).encode, view.candidate)
        return self._columns[family, edges]


@dataclass(frozen=True, eq=False)
class _Choices:
    """Candidates that are the choices on their edges."""

    table: Table

    def candidate(self, row: int) -> Candidate:
        return Candidate(config={f"edge {i}": f"operator {op}" for i, op in enumerate(self.table.specs[row])})


@dataclass(frozen=True, eq=False)
class _Cells:
    """Candidates of which only the cells are built."""

    table: Table

    def candidate(self, row: int) -> Candidate:
        return Candidate(cells=self.table.cells(self.table.specs[row]))


def _predictor(table: Table, *, edges: bool) -> Predictor:
    if not edges:
        return PRESETS["gbdt-nas"]()
    operators = tuple(f"operator {op}" for op in sorted({op for spec in table.specs for op in spec}))
    space = {f"edge {i}": CategoricalDistribution(operators) for i in range(len(table.specs[0]))}
    return Predictor((Hyperparameters(SearchSpace(space)),), GradientBoosting())


def _left(kept: Bool[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> dict[str, tuple[float, str]]:
    """What is left of a pool."""
    top = y >= np.sort(y)[-max(len(y) // 100, 1)]
    return {
        "share": (float(kept.mean()), ""),
        "top1%": (float(kept[top].mean()), ""),
        "best": (float(y[kept].max()), "target"),
        "regret": (float(y.max() - y[kept].max()), "target"),
        "mean": (float(y[kept].mean()), "target"),
    }


def _said(found: Narrowing) -> dict[str, tuple[float, str]]:
    return {"risk": (found.risk, ""), "dropped": (float(len(found.dropped)), "")}


def _random(rows: Encoding, least: int, seed: tuple[int, int]) -> Bool[np.ndarray, " n"]:
    """Features dropped in random order, as long as so many candidates are left."""
    kept = np.ones(len(rows.values), dtype=bool)
    for column in np.random.default_rng(seed).permutation(binary_columns(rows)).tolist():
        less = kept & ~(rows.values[:, column] > 0)
        if less.sum() >= least:
            kept = less
    return kept
