"""Gaussian process of a search: local similarity of whole configurations plus straight effects of single columns.

`GaussianProcess` with two changes that a search in many choices needs. A Matern kernel over all groups knows nothing of
a configuration that shares few values with any observed one; effects of single values, added up, still do, as in a
linear regression. And what is asked again and again, a thousand proposals at a time, is a matrix product.

Notation (Rasmussen and Williams, 2006, "Gaussian Processes for Machine Learning", chapters 2 and 5):
    X: n x c columns, G groups of them, D_g: n x n mean squared distances within group g; Z_b: the columns of X of
    straight block b of B; y: n targets; theta = (log ell_1, ..., log ell_G, log s2, log t2, log v_1, ..., log v_B);
    K = s2 Matern(sum_g D_g / ell_g^2) + sum_b v_b Z_b Z_b' + t2 I; alpha = K^-1 (y - mean).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_JITTER = 1e-8
_MOST_ITERATIONS = 40
_FLAT = 0.02  # slopes below are none
_LENGTH_SCALE = math.exp(math.sqrt(2.0) - 3.0)  # as in `GaussianProcess`: the mode of LogNormal(sqrt 2, sqrt 3)
_BOUNDS = {"ell": (math.log(0.02), math.log(500.0)), "s2": (math.log(0.02), math.log(20.0)),
           "t2": (math.log(1e-5), math.log(2.0)), "v": (math.log(1e-4), math.log(20.0))}  # fmt: skip
_PRIOR = {"s2": (0.0, 2.0), "t2": (math.log(0.02), 4.0), "v": (math.log(0.05), 4.0)}  # mean and variance of the log


@dataclass(frozen=True, eq=False)
class Layout:
    """What the columns mean.

    Args:
        groups: Group of each column in the Matern kernel, 0 to G - 1; -1 where it has no part in it.
        blocks: Block of each column's straight effect, 0 to B - 1; -1 where it has none.
        n_groups: G.
        n_blocks: B.
    """

    groups: Int[np.ndarray, " c"]
    blocks: Int[np.ndarray, " c"]
    n_groups: int
    n_blocks: int

    @property
    def key(self) -> bytes:
        """The same for layouts that mean the same."""
        return b"".join((self.groups.tobytes(), b"|", self.blocks.tobytes(), bytes(f"|{self.n_groups}", "ascii")))

    def scales(self, theta: Float[np.ndarray, " G_plus_2_plus_B"]) -> tuple[np.ndarray, np.ndarray | None]:
        """What columns are multiplied by in the Matern kernel, and as straight effects; None without such."""
        G, B = self.n_groups, self.n_blocks
        each = np.zeros(G + 1)  # the last for columns that belong to none
        np.exp(-theta[:G], out=each[:G])
        each[:G] /= self._group_roots
        slopes = np.zeros(B + 1)
        np.exp(0.5 * theta[G + 2 :], out=slopes[:B])
        slopes[slopes < _FLAT] = 0.0
        return each[self.groups], slopes[self.blocks] if slopes.any() else None

    @cached_property
    def _group_roots(self) -> Float[np.ndarray, " G"]:
        counted = self.groups[self.groups >= 0]
        return np.asarray(np.sqrt(np.maximum(np.bincount(counted, minlength=self.n_groups), 1)))


@dataclass(frozen=True, eq=False)
class SearchProcess:
    """The process given n observations.

    Args:
        scale: What columns are multiplied by in the Matern kernel.
        slope: The same for straight effects, None without.
        near: Observed columns times scale.
        far: Observed columns times slope.
        y: Targets.
        s2: Signal variance of the Matern kernel.
        t2: Noise variance.
        mean: Constant mean (generalised least squares).
        root: Inverse of the lower Cholesky factor of K.
        alpha: K^-1 (y - mean).
    """

    scale: Float[np.ndarray, " c"]
    slope: Float[np.ndarray, " c"] | None
    near: Float[np.ndarray, "n c"]
    far: Float[np.ndarray, "n c"] | None
    y: Float[np.ndarray, " n"]
    s2: float
    t2: float
    mean: float
    root: Float[np.ndarray, "n n"]
    alpha: Float[np.ndarray, " n"]

    @classmethod
    def condition_on(
        cls, X: Float[np.ndarray, "n c"], y: Float[np.ndarray, " n"], layout: Layout, theta: np.ndarray
    ) -> SearchProcess:
        """Algorithm 2.1 of Rasmussen and Williams, lines 2 and 3, with a constant mean.

        Args:
            X: Columns; of straight effects, zero must mean "nothing to say".
            y: Targets.
            layout: What the columns mean.
            theta: See above.
        """
        from scipy.linalg.lapack import dpotrf, dtrtri

        scale, slope = layout.scales(theta)
        s2, t2 = np.exp(theta[layout.n_groups : layout.n_groups + 2]).tolist()
        near, far = X * scale, None if slope is None else X * slope
        K = _kernel(near, _Others.of(near), far, far, s2)
        K.flat[:: len(K) + 1] += t2 + _JITTER * (s2 + 1.0)
        L, failed = dpotrf(K, lower=1, clean=1)
        while failed:  # numbers of very different size: more noise
            K.flat[:: len(K) + 1] += 1e-6 * float(np.trace(K)) / len(K)
            L, failed = dpotrf(K, lower=1, clean=1)
        root, _ = dtrtri(L, lower=1)
        ones, half = root.sum(axis=1), root @ y
        mean = float(ones @ half / (ones @ ones))
        return cls(scale, slope, near, far, y, s2, t2, mean, root, root.T @ (half - mean * ones))

    def predict(self, X: Float[np.ndarray, "m c"]) -> GaussianPosterior:
        """Belief about the function itself, without observation noise; lines 4 to 6 of Algorithm 2.1."""
        K, own = self._against(X)
        half = K @ self.root.T
        variance = np.maximum(own - np.einsum("mn,mn->m", half, half), 1e-10)
        return GaussianPosterior(self.mean + K @ self.alpha, np.sqrt(variance))

    @cached_property
    def _others(self) -> _Others:
        return _Others.of(self.near)

    def _against(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray | float]:
        """Covariances of points with the observed ones, and their own variances."""
        far = None if self.slope is None else X * self.slope
        K = _kernel(X * self.scale, self._others, far, self.far, self.s2)
        return K, self.s2 if far is None else self.s2 + np.einsum("mc,mc->m", far, far)

    def explained(self, X: Float[np.ndarray, "m c"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m n"]]:
        """Mean at points, and rows whose products are what the observations take off covariances."""
        K, _ = self._against(X)
        return self.mean + K @ self.alpha, K @ self.root.T

    def covariance(self, X: Float[np.ndarray, "m c"], Z: Float[np.ndarray, "k c"]) -> Float[np.ndarray, "m k"]:
        """Covariances of the function between points before anything is observed."""
        far, far_z = (None, None) if self.slope is None else (X * self.slope, Z * self.slope)
        return _kernel(X * self.scale, _Others.of(Z * self.scale), far, far_z, self.s2)

    def believing(self, X: Float[np.ndarray, "p c"]) -> SearchProcess:
        """The process told that its own mean at some more points is true: only the variance shrinks."""
        from scipy.linalg.lapack import dpotrf, dtrtri

        n, p = len(self.alpha), len(X)
        cross, _ = self._against(X)
        near, far = X * self.scale, None if self.slope is None else X * self.slope
        lower = cross @ self.root.T  # (p, n)
        schur = _kernel(near, _Others.of(near), far, far, self.s2) - lower @ lower.T
        schur.flat[:: p + 1] += self.t2 + 1e-6 * (self.s2 + 1.0)
        L, failed = dpotrf(schur, lower=1, clean=1)
        if failed or not p:
            return self
        corner, _ = dtrtri(L, lower=1)
        root = np.zeros((n + p, n + p))
        root[:n, :n], root[n:, n:], root[n:, :n] = self.root, corner, -corner @ lower @ self.root
        return replace(
            self, near=np.concatenate([self.near, near]),
            far=None if far is None or self.far is None else np.concatenate([self.far, far]),
            y=np.concatenate([self.y, self.mean + cross @ self.alpha]), root=root,
            alpha=np.concatenate([self.alpha, np.zeros(p)]),
        )  # fmt: skip

    @property
    def smoothed(self) -> Float[np.ndarray, " n"]:
        """Mean of the function at the observed points: y less the share of noise, (t2 I) alpha."""
        return np.asarray(self.y - (self.t2 + _JITTER * (self.s2 + 1.0)) * self.alpha)

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given all others (equation 5.12, theta and mean held), noise included."""
        inverse = np.einsum("ij,ij->j", self.root, self.root)
        return GaussianPosterior(self.y - self.alpha / inverse, np.sqrt(1.0 / inverse))

    def log_pseudo_likelihood(self) -> float:
        """Log density of every observation given all others, but for a constant (equations 5.10 and 5.11)."""
        left_out = self.leave_one_out()
        z = (self.y - left_out.mean) / left_out.std
        return float(-0.5 * (z @ z) - np.log(left_out.std).sum())


def prior_covariance(
    X: Float[np.ndarray, "m c"], layout: Layout, theta: Float[np.ndarray, " G_plus_2_plus_B"]
) -> Float[np.ndarray, "m m"]:
    """Covariance of the function at points before anything is known, K without noise."""
    scale, slope = layout.scales(theta)
    near, far = X * scale, None if slope is None else X * slope
    return _kernel(near, _Others.of(near), far, far, float(np.exp(theta[layout.n_groups])))


def fit_theta(
    X: Float[np.ndarray, "n c"], y: Float[np.ndarray, " n"], layout: Layout, start: np.ndarray | None = None
) -> Float[np.ndarray, " G_plus_2_plus_B"]:
    """The most probable theta.

    Args:
        X: Columns.
        y: Targets.
        layout: What the columns mean.
        start: Where to start from, say the theta of like targets.
    """
    from scipy.optimize import minimize

    n, G, B = len(y), layout.n_groups, layout.n_blocks
    sizes = np.maximum(np.bincount(layout.groups[layout.groups >= 0], minlength=G), 1)
    varies = (X[:1] != X).any(axis=0)
    moving = [g for g in range(G) if varies[layout.groups == g].any()]
    k = max(len(moving), 1)
    centre = math.log(_LENGTH_SCALE) + 0.5 * math.log(k)
    theta = np.concatenate([np.full(G, centre), [0.0, math.log(1e-2)], np.full(B, _PRIOR["v"][0])])
    if n < 4 or not moving or float(y.std()) == 0.0:
        return theta
    D = np.empty((k, n, n))
    for i, g in enumerate(moving):
        columns = X[:, layout.groups == g]
        D[i] = _squared(columns, _Others.of(columns)) / sizes[g]
    used = [b for b in range(B) if varies[layout.blocks == b].any()]
    Z = np.empty((len(used), n, n))
    for i, b in enumerate(used):
        Z[i] = X[:, layout.blocks == b] @ X[:, layout.blocks == b].T
    each = [(centre, 3.0)] * k + [_PRIOR["s2"], _PRIOR["t2"]] + [_PRIOR["v"]] * len(used)
    mean, variance = np.array(each).T
    first = mean.copy()
    first[:k] = math.log(0.7) + 0.5 * math.log(k)
    first[k + 1] = math.log(0.05)
    if start is not None:
        first = start[[*moving, G, G + 1, *(G + 2 + b for b in used)]]
    bounds = [_BOUNDS["ell"]] * k + [_BOUNDS["s2"], _BOUNDS["t2"]] + [_BOUNDS["v"]] * len(used)
    shifted = y - y.mean()

    def objective(at: np.ndarray) -> tuple[float, np.ndarray]:
        return _negative_log_posterior(at, D.reshape(k, -1), Z.reshape(len(used), n * n), shifted, mean, variance)

    found = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": _MOST_ITERATIONS, "ftol": 1e-4}).x  # fmt: skip
    theta[moving] = found[:k]
    theta[G : G + 2] = found[k : k + 2]
    theta[[G + 2 + b for b in used]] = found[k + 2 :]
    return theta


def _negative_log_posterior(
    theta: Float[np.ndarray, " k_plus_2_plus_b"],
    D: Float[np.ndarray, "k nn"],
    Z: Float[np.ndarray, "b nn"],
    y: Float[np.ndarray, " n"],
    mean: np.ndarray,
    variance: np.ndarray,
) -> tuple[float, Float[np.ndarray, " k_plus_2_plus_b"]]:
    """Equations 5.8 and 5.9 plus the log prior of theta, and the gradient."""
    from scipy.linalg.lapack import dpotrf, dpotri

    n, k = len(y), len(D)
    weights = np.exp(-2.0 * theta[:k])
    s2, t2 = np.exp(theta[k : k + 2])
    v = np.exp(theta[k + 2 :])
    r = np.sqrt(5.0 * (weights @ D))
    decay = np.exp(-r)
    correlation = (1.0 + r + r * r / 3.0) * decay
    K = (s2 * correlation + v @ Z).reshape(n, n)
    K.flat[:: n + 1] += t2 + _JITTER * (s2 + 1.0)
    L, failed = dpotrf(K, lower=1, clean=1)
    if failed:
        return 1e25, np.zeros_like(theta)
    inverse, _ = dpotri(L, lower=1)
    inverse = inverse + inverse.T  # the upper triangle is zero
    inverse.flat[:: n + 1] *= 0.5
    alpha = inverse @ y
    W = (np.outer(alpha, alpha) - inverse).ravel()  # d log likelihood / d K, twice
    gradient = np.empty_like(theta)
    gradient[:k] = -0.5 * weights * (D @ (W * ((5.0 / 3.0) * s2 * (1.0 + r) * decay)))
    gradient[k] = -0.5 * s2 * float(W @ correlation)
    gradient[k + 1] = -0.5 * t2 * float(W[:: n + 1].sum())
    gradient[k + 2 :] = -0.5 * v * (Z @ W)
    value = 0.5 * float(y @ alpha) + float(np.log(np.diag(L)).sum())
    away = (theta - mean) / variance
    return value + 0.5 * float(away @ (theta - mean)), gradient + away


@dataclass(frozen=True, eq=False)
class _Others:
    """Points to which distances are asked for again and again.

    Args:
        doubled: Minus twice the points, turned round.
        squares: Their squared lengths.
    """

    doubled: Float[np.ndarray, "c n"]
    squares: Float[np.ndarray, " n"]

    @classmethod
    def of(cls, points: Float[np.ndarray, "n c"]) -> _Others:
        return cls(np.ascontiguousarray(-2.0 * points.T), np.einsum("nc,nc->n", points, points))


def _kernel(
    near: np.ndarray, others: _Others, far: np.ndarray | None, far_b: np.ndarray | None, s2: float
) -> Float[np.ndarray, "m n"]:
    """Equation 4.17 at scaled columns, and the product of the straight ones."""
    K = _squared(near, others)
    K *= 5.0
    r = np.sqrt(K)
    K *= 1.0 / 3.0
    K += r
    K += 1.0
    K *= s2
    np.negative(r, out=r)
    K *= np.exp(r, out=r)
    if far is not None and far_b is not None:
        K += far @ far_b.T
    return K


def _squared(a: Float[np.ndarray, "m c"], others: _Others) -> Float[np.ndarray, "m n"]:
    """Squared distances of all pairs by a matrix product."""
    out = a @ others.doubled
    out += np.einsum("mc,mc->m", a, a)[:, None]
    out += others.squares
    return np.asarray(np.maximum(out, 0.0, out=out))


def spread_rows(y: Float[np.ndarray, " n"], most: int, recent: int = 0) -> Int[np.ndarray, " k"]:
    """Rows that stand for all n: the best third, the most recent, and an even share of the rest."""
    n = len(y)
    if n <= most:
        return np.arange(n)
    order = np.argsort(-y, kind="stable")
    chosen = np.zeros(n, dtype=bool)
    chosen[order[: most // 3]] = True
    chosen[n - recent :] = True
    rest = np.flatnonzero(~chosen)
    left = most - int(chosen.sum())
    if left > 0:
        chosen[rest[np.linspace(0, len(rest) - 1, left).round().astype(int)]] = True
    return np.flatnonzero(chosen)
