"""Learning curves of training runs: what was reported at which step, and how it is read between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

LARGEST = 1e100
"""Values beyond count as not finite: their differences and squares are not."""
Curve = Sequence[tuple[float, float]]
"""Pairs (step, value), steps increasing; larger values are better."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A training run that was not stopped.

    Args:
        curve: Pairs (step, value), steps increasing; larger values are better.
        final: What the run is judged by, in the unit of the curve.
    """

    curve: tuple[tuple[float, float], ...]
    final: float


def finite_points(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve whose values are finite numbers."""
    return [(t, v) for t, v in curve if abs(v) <= LARGEST]


def read_curve(points: Curve, at: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Values at steps, by straight lines between points; constant beyond the ends.

    Args:
        points: Finite ones, one at least.
        at: Steps.

    >>> read_curve([(1, 0.0), (3, 1.0)], np.array([0.0, 2.0, 5.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    steps, values = np.array(points, dtype=np.float64).T
    return np.asarray(np.interp(at, steps, values))
