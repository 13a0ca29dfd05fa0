"""Exact volume of what a set of points dominates; for the tens of points and few objectives of a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.expected_hypervolume import pareto_front

if TYPE_CHECKING:
    from jaxtyping import Float


def hypervolume(values: Float[np.ndarray, "n m"], reference: Float[np.ndarray, " m"]) -> float:
    """Volume between the points and a reference below them, by slices along the last objective; larger is better.

    Args:
        values: Points, larger is better; what does not exceed the reference everywhere adds nothing.
        reference: The worst corner.

    >>> hypervolume(np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2))
    3.0
    """
    above = values[(values > reference).all(axis=1)]
    if not len(above):
        return 0.0
    if above.shape[1] == 1:
        return float(above.max() - reference[0])
    front = above[pareto_front(above)]
    order = np.argsort(-front[:, -1], kind="stable")
    front = front[order]
    total = 0.0
    for i, level in enumerate(front[:, -1]):
        below = front[i + 1, -1] if i + 1 < len(front) else reference[-1]
        if level > below:
            total += float(level - below) * hypervolume(front[: i + 1, :-1], reference[:-1])
    return total
