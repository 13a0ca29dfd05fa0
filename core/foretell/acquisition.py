"""Acquisition functions: how much a candidate is worth trying, given a belief about it. Larger is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.posterior import GaussianPosterior


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
    from scipy.special import erfcx, ndtr

    z = (posterior.mean - best) / posterior.std
    direct = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) + z * ndtr(z)
    # phi(z) + z Phi(z) = phi(z) (1 + z sqrt(pi/2) erfcx(-z / sqrt 2)); for z << 0 the bracket cancels, and
    # its expansion 1 / z^2 - 3 / z^4 takes over
    tail = np.minimum(z, -1.0)
    bracket = 1.0 + tail * np.sqrt(np.pi / 2) * erfcx(-tail / np.sqrt(2.0))
    bracket = np.where(tail < -100.0, (1.0 - 3.0 / tail**2) / tail**2, np.maximum(bracket, 1e-300))
    log_tail = -0.5 * tail**2 - 0.5 * np.log(2 * np.pi) + np.log(bracket)
    return np.asarray(np.where(z > -1.0, np.log(np.maximum(direct, 1e-300)), log_tail) + np.log(posterior.std))
