"""Which cells of NAS-Bench-101 are one edit away from another."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.tables import data_file
from foretell.capture import nasbench101

if TYPE_CHECKING:
    from collections.abc import Iterator

    from foretell.benchmarks.tables import Table

_VERTICES, _EDGES = 7, 9  # most that a cell of the benchmark has
Spec = tuple[list[list[int]], list[str]]


class Neighbours101:
    """Finds the rows of cells that differ by one edge, one operator, or one vertex put between two.

    Args:
        table: `load_101()`.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        with np.load(data_file("nasbench101/nb101.npz")) as stored:
            hashes = np.ascontiguousarray(stored["hash"]).view(np.uint8).reshape(len(table), 16)
        self._row = {name.tobytes(): row for row, name in enumerate(hashes)}
        self._known: dict[int, list[int]] = {}

    def __call__(self, row: int) -> list[int]:
        """Rows of all neighbours of a row, in a fixed order."""
        if row not in self._known:
            names = (nasbench101.fingerprint(*spec) for spec in edits(self._table.specs[row]))
            rows = dict.fromkeys(self._row[name] for name in names if name in self._row)
            self._known[row] = [other for other in rows if other != row]
        return self._known[row]


def edits(spec: Spec) -> Iterator[Spec]:
    """All cells one edit away, those that are no cells of the benchmark among them.

    >>> len(list(edits(([[0, 1], [0, 0]], ["input", "output"]))))
    4
    """
    matrix, ops = spec
    n = len(ops)
    for u, v in combinations(range(n), 2):
        flipped = [row[:] for row in matrix]
        flipped[u][v] = 1 - flipped[u][v]
        if sum(map(sum, flipped)) <= _EDGES:
            yield flipped, ops
    for v in range(1, n - 1):
        for op in nasbench101.OPERATIONS:
            if op != ops[v]:
                yield matrix, [*ops[:v], op, *ops[v + 1 :]]
    if n == _VERTICES or sum(map(sum, matrix)) + 2 > _EDGES:
        return
    for u, v in combinations(range(n), 2):  # the new vertex comes right before v
        wider = [[*row[:v], 0, *row[v:]] for row in matrix]
        wider.insert(v, [0] * (n + 1))
        wider[u][v] = wider[v][v + 1] = 1
        for op in nasbench101.OPERATIONS:
            yield wider, [*ops[:v], op, *ops[v:]]
