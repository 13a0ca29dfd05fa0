"""Evaluations that were stopped early, held down to where they cannot lure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def held_down(y: Float[np.ndarray, " n"], partial: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Targets in which no evaluation that was stopped early counts for more than the finished ones' median.

    Whoever stopped it judged it hopeless, and early values of some metrics look better than final ones.

    Args:
        y: Targets, larger is better.
        partial: Which were stopped early.
    """
    if not partial.any() or partial.all():
        return y
    finished = np.sort(y[~partial])
    median = finished[(len(finished) - 1) // 2]  # the lower one: the mean of two infinite values may be nan
    return np.where(partial, np.minimum(y, median), y)
