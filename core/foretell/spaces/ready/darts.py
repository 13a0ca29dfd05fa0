"""Cells of DARTS: a normal and a reduction cell of four nodes, each with two inputs and an operator on either."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from foretell.capture import nasbench301
from foretell.spaces.compiled import Compiled
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from foretell.spaces.part import Scope

Genotype = tuple[tuple[tuple[int, str], ...], ...]
_NODES = 4


def darts_cells(channels: int = 32, cells: int = 8, classes: int = 10) -> Space:
    """The space, for images 3 x 32 x 32.

    Args:
        channels: Channels of the first cells; 32 in NAS-Bench-301.
        cells: How many; 8 in NAS-Bench-301.
        classes: Outputs.

    >>> f"{darts_cells().size:.1e}"  # (1 3 6 10 pairs of inputs x 7^8 operators) squared
    '1.1e+18'
    """
    make = partial(nasbench301.graph, channels=channels, cells=cells, classes=classes)
    pairs = math.prod(math.comb(n + 2, 2) for n in range(_NODES))
    size = (pairs * len(nasbench301.OPERATIONS) ** (2 * _NODES)) ** 2
    return Space(Compiled(_draw, make, size, classes), (3, 32, 32))


def _draw(scope: Scope) -> Genotype:
    return tuple(_cell(scope.inside(kind)) for kind in ("normal", "reduction"))


def _cell(scope: Scope) -> tuple[tuple[int, str], ...]:
    found = []
    for node in range(_NODES):
        at = scope.inside(node)
        pairs = [f"{a}+{b}" for b in range(node + 2) for a in range(b)]
        inputs = map(int, at.choice("from", pairs).split("+"))
        found += [(source, at.choice(f"op.{k}", nasbench301.OPERATIONS)) for k, source in enumerate(inputs)]
    return tuple(found)
