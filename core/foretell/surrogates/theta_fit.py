"""The most probable theta of a Gaussian process: length scales, signal and noise, by the gradient of their posterior.

Notation as in `foretell.surrogates.gaussian_process`; equations of Rasmussen and Williams, 2006.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.surrogates.matern import squared_distances

if TYPE_CHECKING:
    from jaxtyping import Float

JITTER = 1e-8
"""Added to the diagonal of K, in units of the signal variance."""
_LOG_BOUNDS = {"ell": (math.log(0.02), math.log(500.0)), "s2": (math.log(0.05), math.log(20.0)),
               "t2": (math.log(1e-5), math.log(2.0))}  # fmt: skip


@lru_cache(maxsize=64)
def fit_theta(
    X_bytes: bytes, y_bytes: bytes, index_bytes: bytes, n: int, max_iterations: int,
    mean_bytes: bytes, variance_bytes: bytes, start_bytes: bytes,
) -> tuple[float, ...]:  # fmt: skip
    """Maximise the log posterior of theta; a pure function of bytes, so that equal data are fitted once.

    Args:
        X_bytes: X, n x d doubles.
        y_bytes: y, n doubles.
        index_bytes: Group of each column, d whole numbers of 64 bits.
        n: Number of observations.
        max_iterations: Steps of L-BFGS.
        mean_bytes: Mean of theta beforehand, G + 2 doubles.
        variance_bytes: Its variance beforehand, likewise.
        start_bytes: Where the search begins, likewise.

    Returns:
        theta; its mean beforehand where there are fewer than four observations, no columns or equal targets.
    """
    from scipy.optimize import minimize

    index = np.frombuffer(index_bytes, dtype=np.int64)
    X = np.frombuffer(X_bytes).reshape(n, len(index))
    y = np.frombuffer(y_bytes)
    n_groups = int(index.max()) + 1 if len(index) else 0
    D = np.stack([squared_distances(X[:, index == g], X[:, index == g]) for g in range(n_groups)] or [np.zeros((n, n))])
    sizes = np.bincount(index, minlength=n_groups) if len(index) else np.ones(1)
    D /= np.maximum(sizes, 1)[:, None, None] if n_groups else 1.0
    mean, variance, start = (np.frombuffer(b) for b in (mean_bytes, variance_bytes, start_bytes))
    if n < 4 or not len(index) or float(y.std()) == 0.0:
        return (*mean[:n_groups].tolist(), 0.0, math.log(1e-2))
    y = y - y.mean()

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return negative_log_posterior(theta, D, y, mean, variance)

    bounds = [_LOG_BOUNDS["ell"]] * n_groups + [_LOG_BOUNDS["s2"], _LOG_BOUNDS["t2"]]
    start = np.clip(start, *np.array(bounds).T)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": max_iterations, "ftol": 1e-5})  # fmt: skip
    return tuple(found.x.tolist())


def negative_log_posterior(
    theta: Float[np.ndarray, " G_plus_2"],
    D: Float[np.ndarray, "G n n"],
    y: Float[np.ndarray, " n"],
    prior_mean: Float[np.ndarray, " G_plus_2"],
    prior_variance: Float[np.ndarray, " G_plus_2"],
) -> tuple[float, Float[np.ndarray, " G_plus_2"]]:
    """Equations 5.8 and 5.9 plus the log prior of theta, and the gradient by theta.

    Args:
        theta: Where.
        D: Squared distances within each group, over the group's size.
        y: Targets less their mean.
        prior_mean: Mean of theta beforehand.
        prior_variance: Its variance beforehand.
    """
    from scipy.linalg import LinAlgError, cholesky
    from scipy.linalg.lapack import dpotri

    n, G = len(y), len(D)
    weights = np.exp(-2.0 * theta[:G])
    s2, t2 = np.exp(theta[G:])
    r2 = np.tensordot(weights, D, axes=1)
    r = np.sqrt(5.0 * r2)
    decay = np.exp(-r)
    correlation = (1.0 + r + r * r / 3.0) * decay
    K = s2 * correlation
    K[np.diag_indices_from(K)] += t2 + JITTER * s2
    try:
        L = cholesky(K, lower=True, check_finite=False)
    except LinAlgError:
        return 1e25, np.zeros_like(theta)
    inverse, _ = dpotri(L, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    alpha = inverse @ y
    W = np.outer(alpha, alpha) - inverse  # d log likelihood / d K, twice
    slope = W * ((5.0 / 3.0) * s2 * (1.0 + r) * decay)  # dK / d log ell_g = this factor times w_g D_g
    gradient = np.empty_like(theta)
    gradient[:G] = -0.5 * weights * (D.reshape(G, -1) @ slope.ravel())
    gradient[G] = -0.5 * s2 * float(np.sum(W * correlation))
    gradient[G + 1] = -0.5 * t2 * float(np.trace(W))
    value = 0.5 * float(y @ alpha) + float(np.log(np.diag(L)).sum()) + 0.5 * n * math.log(2 * math.pi)
    away = (theta - prior_mean) / prior_variance
    return value + 0.5 * float(away @ (theta - prior_mean)), gradient + away
