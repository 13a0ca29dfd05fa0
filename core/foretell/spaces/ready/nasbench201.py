"""Cells of NAS-Bench-201: one of five operators on each of six edges; 15,625."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from foretell.capture import nasbench201
from foretell.spaces.compiled import Compiled
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from foretell.graph import Shape
    from foretell.spaces.part import Scope


def nasbench201_cells(channels: int = 16, cells: int = 5, classes: int = 10, image: Shape = (3, 32, 32)) -> Space:
    """The space.

    Args:
        channels: Channels of the first stage; 16 in the benchmark.
        cells: Cells a stage; 5 in the benchmark.
        classes: Outputs.
        image: Channels, height and width of what enters; 3 x 32 x 32 in the benchmark.

    >>> nasbench201_cells().plan_of({"edge.0.3": "nor_conv_3x3"}).text
    '(0, 0, 2, 0, 0, 0)'
    """
    make = partial(nasbench201.graph, channels=channels, cells=cells, classes=classes, image=image)
    size = len(nasbench201.OPERATIONS) ** len(nasbench201.EDGES)
    return Space(Compiled(_draw, make, size, classes), image)


def _draw(scope: Scope) -> tuple[int, ...]:
    """Positions of the operators, the benchmark's own form."""
    return tuple(
        nasbench201.OPERATIONS.index(scope.choice(f"edge.{a}.{b}", nasbench201.OPERATIONS))
        for a, b in nasbench201.EDGES
    )
