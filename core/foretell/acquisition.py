"""Acquisition functions: how much a candidate is worth trying, given a belief about it. Larger is better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.posterior import GaussianPosterior

_FAR = 25.0  # beyond, what lies below the best has no part in the gain
_ROOT_HALF, _ROOT_HALF_PI, _LOG_ROOT_TWO_PI = math.sqrt(0.5), math.sqrt(math.pi / 2), 0.5 * math.log(2 * math.pi)


def log_expected_improvement(posterior: GaussianPosterior, best: float) -> Float[np.ndarray, " n"]:
    """Logarithm of the expected gain over `best`, exact where the gain itself underflows.

    Ament, Daulton, Eriksson, Balandat and Bakshy, 2023, "Unexpected Improvements to Expected Improvement
    for Bayesian Optimization", https://arxiv.org/abs/2310.20708, equation 9: with z = (mean - best) / std,
    log EI = log(phi(z) + z Phi(z)) + log std.

    Args:
        posterior: Belief about n candidates.
        best: Value to be improved on, in the same units.

    Returns:
        n logarithms, always finite.

    >>> from foretell.posterior import GaussianPosterior
    >>> p = GaussianPosterior(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    >>> np.exp(log_expected_improvement(p, 0.0)).round(4).tolist()
    [0.3989, 1.0833]
    """
    from scipy.special import erfcx

    z = (posterior.mean - best) / posterior.std
    low, high = (float(z.min()), float(z.max())) if len(z) else (0.0, 0.0)
    # phi(z) + z Phi(z) = phi(z) (1 + z sqrt(pi/2) erfcx(-z / sqrt 2)); for z << 0 the bracket cancels, and its
    # expansion 1 / z^2 - 3 / z^4 takes over; for z >> 0 it overflows, and what is left is z
    t = np.minimum(z, _FAR) if high > _FAR else z
    bracket = 1.0 + _ROOT_HALF_PI * t * erfcx(-_ROOT_HALF * t)
    if low < -100.0:
        tail = np.minimum(t, -100.0)
        bracket = np.where(t < -100.0, (1.0 - 3.0 / tail**2) / tail**2, bracket)
    found = np.log(bracket) - 0.5 * t * t - _LOG_ROOT_TWO_PI
    if high > _FAR:
        found = np.where(z > _FAR, np.log(np.maximum(z, _FAR)), found)
    return np.asarray(found + np.log(posterior.std))
