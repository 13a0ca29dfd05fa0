"""How much each source task counts for a task of which there is no label: by how far the others agree with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.metrics import kendall_tau

if TYPE_CHECKING:
    from jaxtyping import Float


def source_votes(scores: Float[np.ndarray, "n T"]) -> Float[np.ndarray, " T"]:
    """How much each source counts without a label: its mean Kendall tau with the others, none below 0; sum 1.

    A source that nobody agrees with is more often a bad one than the only good one.

    >>> good = np.arange(6.0)
    >>> source_votes(np.stack([good, good**2, good[[2, 0, 4, 1, 5, 3]]], axis=1)).round(2).tolist()
    [0.4, 0.4, 0.2]
    """
    T = scores.shape[1]
    tau = np.array(
        [[0.0 if i == j else kendall_tau(a, b) for j, b in enumerate(scores.T)] for i, a in enumerate(scores.T)]
    )
    earned = np.maximum(tau, 0.0).sum(axis=1)
    return np.asarray(earned / earned.sum() if earned.sum() > 0 else np.full(T, 1.0 / T))
