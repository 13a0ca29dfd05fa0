"""One function drawn from what a process believes, evaluated wherever it is asked.

Values are drawn jointly, and what is asked later is drawn given all that was answered before: a search can climb on
the function without knowing beforehand where it will look (Rasmussen and Williams, 2006, "Gaussian Processes for
Machine Learning", equations 2.23 and A.6). Exact, unlike draws by random features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.surrogates.search_process import SearchProcess

_JITTER = 1e-6


class PosteriorDraw:
    """A function over encoded positions; without observation noise, in units of the process's targets.

    Notation: n observations, m positions that were asked, k that are; C the covariance of asked ones given the
    observations, L its lower Cholesky factor, e standard normal numbers: values are mean + L e.

    Args:
        process: What is believed.
        rng: Source of randomness.

    >>> from foretell.surrogates.search_process import Layout, SearchProcess
    >>> layout = Layout(np.array([0]), np.array([-1]), 1, 0)
    >>> X, theta = np.array([[0.0], [1.0]]), np.array([-1.0, 0.0, -9.0])
    >>> process = SearchProcess.condition_on(X, np.array([-1.0, 1.0]), layout, theta)
    >>> draw = PosteriorDraw(process, np.random.default_rng(0))
    >>> bool(np.abs(draw(X) - [-1.0, 1.0]).max() < 0.1)  # little doubt about what was observed
    True
    >>> bool(np.abs(draw(np.array([[0.5]])) - draw(np.array([[0.5]])))[0] < 0.01)  # the same function
    True
    """

    def __init__(self, process: SearchProcess, rng: np.random.Generator) -> None:
        self._process = process
        self._rng = rng
        self._asked: Float[np.ndarray, "m c"] | None = None
        self._explained = np.empty((0, len(process.alpha)))
        self._L = np.empty((0, 0))
        self._e = np.empty(0)

    def __call__(self, X: Float[np.ndarray, "k c"]) -> Float[np.ndarray, " k"]:
        """The function's values at more positions."""
        from scipy.linalg import solve_triangular

        process = self._process
        mean, explained = process.explained(X)
        own = process.covariance(X, X) - explained @ explained.T
        m = len(self._e)
        cross = np.empty((len(X), m))
        if self._asked is not None:
            cross = process.covariance(X, self._asked) - explained @ self._explained.T
            cross = solve_triangular(self._L, cross.T, lower=True, check_finite=False).T
            own -= cross @ cross.T
        corner = _root(own, process.s2)
        L = np.zeros((m + len(X), m + len(X)))
        L[:m, :m], L[m:, :m], L[m:, m:] = self._L, cross, corner
        self._L, self._e = L, np.concatenate([self._e, self._rng.standard_normal(len(X))])
        self._asked = X if self._asked is None else np.concatenate([self._asked, X])
        self._explained = np.concatenate([self._explained, explained])
        return np.asarray(mean + L[m:] @ self._e)


def _root(covariance: Float[np.ndarray, "k k"], s2: float) -> Float[np.ndarray, "k k"]:
    """Lower Cholesky factor; where positions are nearly the same, of a little more variance."""
    from scipy.linalg.lapack import dpotrf

    more = _JITTER * (s2 + 1.0)
    while True:
        covariance.flat[:: len(covariance) + 1] += more
        L, failed = dpotrf(covariance, lower=1, clean=1)
        if not failed:
            return np.asarray(L)
        more *= 10.0
