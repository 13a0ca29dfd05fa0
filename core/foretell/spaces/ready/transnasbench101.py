"""Micro cells of TransNAS-Bench-101: one of four operators on each of six edges; 4,096."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from foretell.capture import transnasbench101
from foretell.spaces.compiled import Compiled
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from foretell.spaces.part import Scope


def transnasbench101_cells(channels: int = 64, classes: int = 75, size: int = 256) -> Space:
    """The space of classifiers.

    Args:
        channels: Channels of the stem; 64 in the benchmark.
        classes: Outputs.
        size: Height and width of the RGB image; 256 in the benchmark.

    >>> transnasbench101_cells().plan_of({"edge.0.3": "nor_conv_3x3"}).text
    '(0, 0, 0, 3, 0, 0)'
    """
    make = partial(transnasbench101.graph, channels=channels, classes=classes, size=size)
    count = len(transnasbench101.OPERATIONS) ** len(transnasbench101.EDGES)
    return Space(Compiled(_draw, make, count, classes), (3, size, size))


def _draw(scope: Scope) -> tuple[int, ...]:
    """Positions of the operators, the benchmark's own form."""
    return tuple(
        transnasbench101.OPERATIONS.index(scope.choice(f"edge.{a}.{b}", transnasbench101.OPERATIONS))
        for a, b in transnasbench101.EDGES
    )
