"""`foretell bench table-search`: how many architectures must be trained until the best one is found.

A search asks the table for one architecture at a time: ten drawn at random, then what `ArchitectureSearch` suggests.
`queries` counts up to the one with the best target of the table, 0 standing for not found in 150; `regret` is what the
best one found so far lacks to it, in the target's unit. Random search runs beside it, with the same first ten, and
where the table is that of a program, so do searches over programs (`foretell.spaces.searchers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.program_tables import FAMILIES, SEARCHERS
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.searched_tables import SearchedTables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUDGET = 150
_REPORTED = (20, 50, 100, 150)
_TASKS = {
    "nasbench201": ("cifar10", "cifar100"), "nasbench101": ("test_acc",), "transnasbench101": ("class_scene", "jigsaw"),
}  # fmt: skip


@dataclass
class TableSearch:
    """Queries and regret; smaller is better."""

    name: str = "table-search"
    methods: Sequence[str] = ("foretell", "graf", "nas-bowl", *SEARCHERS, "random")
    _tables: SearchedTables = field(default_factory=SearchedTables)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task."""
        tasks = [(family, task) for family, names in _TASKS.items() for task in names]
        return [Cell(m, family, task, None, s) for family, task in tasks[: 1 if quick else None] for m in methods
                if m not in SEARCHERS or family in FAMILIES for s in range(seeds)]  # fmt: skip

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        best = float(self._tables.table(cell.family).targets[cell.task].max())
        asked = []
        for step in islice(self._tables.steps(cell.method, cell.family, cell.task, cell.seed), _BUDGET):
            asked.append(step.value)
            if step.value == best:
                break
        found = np.maximum.accumulate(asked)
        result = {"queries": (float(len(asked) if found[-1] == best else 0), "")}
        return result | {f"regret@{k}": (float(best - found[min(k, len(found)) - 1]), "") for k in _REPORTED}
