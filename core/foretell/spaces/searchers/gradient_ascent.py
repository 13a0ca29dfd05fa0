"""Gradient ascent from many points at once, with all points on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-12


def gradient_ascent(
    gradient: Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]],
    starts: Float[np.ndarray, "n d"],
    steps: int,
    rate: float,
) -> list[Float[np.ndarray, "n d"]]:
    """All points on the way, the starts left out; every point goes its own way.

    Steps are those of Adam (Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980), upwards.

    Args:
        gradient: Of what is to grow, at each point.
        starts: Where to begin.
        steps: How many.
        rate: Length of a step in each coordinate, about.

    >>> way = gradient_ascent(lambda x: -2 * (x - 3.0), np.zeros((1, 2)), steps=200, rate=0.1)
    >>> way[-1].round(1)
    array([[3., 3.]])
    """
    x, first, second = starts, np.zeros_like(starts), np.zeros_like(starts)
    way = []
    for step in range(1, steps + 1):
        slope = gradient(x)
        first = _FIRST * first + (1.0 - _FIRST) * slope
        second = _SECOND * second + (1.0 - _SECOND) * slope**2
        size = np.sqrt(second / (1.0 - _SECOND**step)) + _TINY
        x = x + rate * (first / (1.0 - _FIRST**step)) / size
        way.append(x)
    return way
