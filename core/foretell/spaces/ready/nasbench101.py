"""Cells of NAS-Bench-101: up to seven vertices and nine edges, one of three operators on an inner vertex.

Drawn so that each is a cell of the benchmark: a vertex has one input for certain; further edges are drawn one by one,
and left out where they would be the tenth; what leads nowhere is pruned, as in the benchmark.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from foretell.capture import nasbench101
from foretell.spaces.compiled import Compiled
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph
    from foretell.spaces.part import Scope

Cell = tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]
_LAST = nasbench101.MAX_VERTICES - 1
_PAIRS = [f"{a}>{b}" for a, b in combinations(range(_LAST + 1), 2)]
_MORE = 5  # a cell of five vertices may have nine edges, of which four are its vertices' first inputs


def nasbench101_cells(channels: int = 128, stacks: int = 3, cells: int = 3, classes: int = 10) -> Space:
    """The space, for images 3 x 32 x 32; many paths make the same cell.

    Args:
        channels: Channels of the first stack; 128 in the benchmark.
        stacks: Stacks; 3 in the benchmark.
        cells: Cells a stack; 3 in the benchmark.
        classes: Outputs.
    """
    make = partial(_graph, channels=channels, stacks=stacks, cells=cells, classes=classes)
    first = int(np.prod(np.arange(1, _LAST + 1)))
    size = first * (1 + len(_PAIRS)) ** _MORE * len(nasbench101.OPERATIONS) ** (_LAST - 1)
    return Space(Compiled(_draw, make, size, classes), (3, 32, 32))


def _draw(scope: Scope) -> Cell:
    """Matrix and operators, pruned."""
    vertices = range(1, _LAST)
    ops = ["input", *(scope.choice(f"vertex.{v}.is", nasbench101.OPERATIONS) for v in vertices), "output"]
    matrix = np.zeros((_LAST + 1, _LAST + 1), dtype=np.int64)
    for v in range(1, _LAST + 1):
        matrix[int(scope.choice(f"vertex.{v}.from", [str(a) for a in range(v)])), v] = 1
    for k in range(_MORE):
        pair = scope.choice(f"more.{k}", ["none", *_PAIRS])
        if pair != "none":
            a, b = map(int, pair.split(">"))
            more = matrix.copy()
            more[a, b] = 1
            if sum(map(len, nasbench101.prune(more, ops)[0])) <= nasbench101.MAX_EDGES:
                matrix = more
    return tuple(map(tuple, matrix.tolist())), tuple(ops)


def _graph(cell: Cell, **sizes: int) -> ComputationGraph:
    matrix, ops = cell
    return nasbench101.graph(matrix, ops, **sizes)
