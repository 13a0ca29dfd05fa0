"""Many objectives to one: a random augmented Chebyshev weighting, drawn anew for every suggestion.

Knowles, 2006, "ParEGO: A hybrid algorithm with on-line landscape approximation for expensive multiobjective
optimization problems", https://doi.org/10.1109/TEVC.2005.851274, equation 2. Objectives enter as ranks
instead of being scaled by their range, so one extreme value cannot flatten the others; this is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

_RHO = 0.05  # weight of the sum that breaks ties between weakly dominated points, as in the paper


def scalarise(values: Float[np.ndarray, "n m"], rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """Reduce m objectives to one; larger is better on both sides. A single objective comes back as it is.

    Args:
        values: n observations of m objectives, infinite allowed.
        rng: Source of the weights, uniform on the simplex.
    """
    if values.shape[1] == 1:
        return values[:, 0]
    from scipy.stats import rankdata

    ranks = (rankdata(values, axis=0) - 0.5) / len(values)
    weighted = (ranks - 1.0) * rng.dirichlet(np.ones(values.shape[1]))
    return np.asarray(weighted.min(axis=1) + _RHO * weighted.sum(axis=1))


def feasible_first(y: Float[np.ndarray, " n"], violation: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Targets in which the infeasible lie below all finite feasible ones, the worse the more they violate.

    Args:
        y: Targets, larger is better.
        violation: Sum of violated constraints, 0 where all hold.
    """
    bad = violation > 0
    if not bad.any():
        return y
    from scipy.stats import rankdata

    order = rankdata(np.where(bad, -violation, 0.0), method="dense")
    finite = y[~bad & np.isfinite(y)]
    floor = float(finite.min()) if finite.size else 0.0
    return np.where(bad, floor - 1.0 - (order.max() - order), y)


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
