"""Exact Gaussian process with a Matern-5/2 kernel and one length scale a group of columns.

The surrogate for up to about a thousand observations. Our own, since a library's costs too much here: the
gradient of the marginal likelihood over a few dozen length scales has a closed form, and a suggestion must
take milliseconds (see `foretell bench latency`, where scikit-learn's regressor stands beside it).

Notation (Rasmussen and Williams, 2006, "Gaussian Processes for Machine Learning", chapters 2 and 5):
    X: n x d columns, y: n targets, G: number of groups, D_g: n x n squared distances within group g,
    ell_g: length scale, s2: signal variance, t2: noise variance, K: n x n kernel matrix with noise,
    alpha = K^-1 y, theta = (log ell_1, ..., log ell_G, log s2, log t2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.surrogates.kernel_prior import WIDE, KernelPrior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

MOST_ROWS = 2**14
"""Of a stored process: its kernel matrix has two gigabytes."""
_JITTER = 1e-8
_MANY_COLUMNS, _MANY_ROWS = 16, 1000
_LOG_BOUNDS = {"ell": (math.log(0.02), math.log(500.0)), "s2": (math.log(0.05), math.log(20.0)),
               "t2": (math.log(1e-5), math.log(2.0))}  # fmt: skip


@dataclass(frozen=True)
class GaussianProcess:
    """Settings of the process.

    The prior of a length scale is log-normal with standard deviation sqrt 3 and grows with the root of the number of
    groups, so that functions of many groups are not taken for noise (Hvarfner, Hellsten and Nardi, 2024, "Vanilla
    Bayesian Optimization Performs Great in High Dimensions", https://arxiv.org/abs/2402.02229, equation 9; theirs
    counts dimensions, ours groups).

    Args:
        max_iterations: Steps of L-BFGS on the log posterior of theta.
        length_scale: The most probable length scale, if there is one group. The default is where the published density,
            LogNormal(sqrt 2, sqrt 3), is highest over ell: right for hyperparameters, each a group with values in
            [0, 1]. Groups of standardised columns have distances some times larger.
        fit_rows: Observations on which theta is fitted at most; conditioning uses all. Time grows with its cube.
        noise: The most probable noise variance, where that of the signal is 1.
        prior_weight: How many times the log prior of theta counts. More than 1 where theta is known from elsewhere, as
            for what a trend leaves over (`OnTrend`): with 20 labels the likelihood alone takes noise for function.
        prior: What other targets on the same columns say of theta, in place of the published prior.
    """

    name: ClassVar[str] = "gaussian_process"
    max_iterations: int = 40
    length_scale: float = math.exp(math.sqrt(2.0) - 3.0)
    fit_rows: int = 200
    noise: float = 0.02
    prior_weight: float = 1.0
    prior: KernelPrior | None = None

    def __post_init__(self) -> None:
        positive = self.length_scale > 0 and self.noise > 0 and self.prior_weight > 0
        if not positive or self.max_iterations < 1 or self.fit_rows < 4:
            msg = (
                "`length_scale > 0`, `noise > 0`, `prior_weight > 0`, `max_iterations >= 1`, `fit_rows >= 4` must hold,"
                f" but got {self}: see defaults"
            )
            raise InvalidDataError(msg)

    def fit(
        self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]
    ) -> FittedGaussianProcess:
        """See `Surrogate.fit`."""
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
        index = group_index(groups)
        rows = fit_rows(y, self.fit_rows)
        theta = _fit_theta(
            np.ascontiguousarray(X[rows]).tobytes(), np.ascontiguousarray(y[rows]).tobytes(), index.tobytes(),
            len(rows), self.max_iterations, *(a.tobytes() for a in self._believed(tuple(dict.fromkeys(groups)))),
        )  # fmt: skip
        return FittedGaussianProcess.condition_on(X, y, index, np.array(theta))

    def _believed(self, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and variance of theta before any observation, and where the search for it begins."""
        G = len(names)
        half = 0.5 * math.log(max(G, 1))
        centre = np.full(G, math.log(self.length_scale) + half)
        if self.prior is not None:
            mean, variance = self.prior.moments(names, centre)
            return mean, variance / self.prior_weight, mean
        mean = np.concatenate([centre, [0.0, math.log(self.noise)]])
        variance = np.concatenate([np.full(G, WIDE), [2.0, 4.0]])  # 3 as in the paper; 2 and 4 are ours, and weak
        start = np.concatenate([np.full(G, math.log(0.7) + half), [0.0, math.log(0.05)]])
        return mean, variance / self.prior_weight, start

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedGaussianProcess:
        """See `Surrogate.from_arrays`.

        Raises:
            CheckpointError: If the arrays do not belong together, or are more rows than a process can be stored with.
        """
        X, y, index, theta = (arrays[name] for name in ("X", "y", "index", "theta"))
        sound = all(a.dtype == np.float64 for a in (X, y, theta)) and [X.ndim, theta.ndim] == [2, 1]
        sound = sound and y.shape == X.shape[:1] and index.shape == X.shape[1:] and index.dtype.kind == "i"
        if not sound or not 0 < len(y) <= MOST_ROWS or not bool(((index >= 0) & (index < len(theta) - 2)).all()):
            msg = f"a stored process needs 1 to {MOST_ROWS} rows, a target each, and length scales of its columns"
            raise CheckpointError(
                f"{msg}, but has arrays of {X.shape}, {y.shape}, {index.shape}, {theta.shape}: save it again"
            )
        return FittedGaussianProcess.condition_on(X, y, index, theta)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        plain: dict[str, object] = {
            "max_iterations": self.max_iterations, "length_scale": self.length_scale, "fit_rows": self.fit_rows,
            "noise": self.noise, "prior_weight": self.prior_weight,
        }  # fmt: skip
        return plain if self.prior is None else {**plain, "prior": self.prior.to_config()}


@dataclass(frozen=True, eq=False)
class FittedGaussianProcess:
    """The process given n observations.

    Args:
        X: Observed columns.
        y: Observed targets.
        index: Group of each column, 0 to G - 1.
        theta: Log length scales, log signal variance, log noise variance.
        mean: Constant mean (generalised least squares).
        cholesky: Lower Cholesky factor of K.
        alpha: K^-1 (y - mean).
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    index: Int[np.ndarray, " d"]
    theta: Float[np.ndarray, " G_plus_2"]
    mean: float
    cholesky: Float[np.ndarray, "n n"]
    alpha: Float[np.ndarray, " n"]

    @classmethod
    def condition_on(cls, X: np.ndarray, y: np.ndarray, index: np.ndarray, theta: np.ndarray) -> FittedGaussianProcess:
        """Algorithm 2.1 of Rasmussen and Williams, lines 2 and 3, with a constant mean."""
        from scipy.linalg import cho_solve, cholesky

        s2, t2 = np.exp(theta[-2:])
        scaled = _scaled(X, index, theta)
        K = s2 * _matern(_squared_distances(scaled, scaled))
        K[np.diag_indices_from(K)] += t2 + _JITTER * s2
        L = cholesky(K, lower=True)
        ones = cho_solve((L, True), np.ones(len(y)))
        mean = float(ones @ y / ones.sum())
        return cls(X, y, index, theta, mean, L, cho_solve((L, True), y - mean))

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        latent = self.predict_latent(X)
        return GaussianPosterior(latent.mean, np.sqrt(latent.std**2 + np.exp(self.theta[-1])))

    def predict_latent(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """Belief about the function itself, without observation noise; lines 4 to 6 of Algorithm 2.1."""
        from scipy.linalg import solve_triangular

        s2 = np.exp(self.theta[-2])
        K = s2 * _matern(_squared_distances(_scaled(X, self.index, self.theta), self._scaled_rows))  # (m, n)
        v = solve_triangular(self.cholesky, K.T, lower=True, check_finite=False)
        variance = np.maximum(s2 - np.einsum("nm,nm->m", v, v), 1e-10)
        return GaussianPosterior(self.mean + K @ self.alpha, np.sqrt(variance))

    def predict_jointly(self, X: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m m"]]:
        """Mean and covariance of the function itself at m rows; equations 2.23 and 2.24."""
        from scipy.linalg import solve_triangular

        s2, rows = np.exp(self.theta[-2]), _scaled(X, self.index, self.theta)
        K = s2 * _matern(_squared_distances(rows, self._scaled_rows))  # (m, n)
        v = solve_triangular(self.cholesky, K.T, lower=True, check_finite=False)
        return self.mean + K @ self.alpha, s2 * _matern(_squared_distances(rows, rows)) - v.T @ v

    def mean_at(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """The mean of `predict_latent`, for a fraction of its time."""
        distances = _squared_distances(_scaled(X, self.index, self.theta), self._scaled_rows)
        return np.asarray(self.mean + np.exp(self.theta[-2]) * (_matern(distances) @ self.alpha))

    def mean_gradient(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d"]:
        """How the mean changes with each column at m rows, d mean / d x_j.

        With w_g = 1 / (ell_g^2 columns of g), r^2 = 5 sum_j w_g(j) (x_j - x_ij)^2 and the kernel of equation 4.17 it is
        -5/3 s2 w_g(j) sum_i alpha_i (1 + r_i) exp(-r_i) (x_j - x_ij).
        """
        if not len(self.index):
            return np.zeros_like(X)
        rows, observed = _scaled(X, self.index, self.theta), self._scaled_rows
        r = np.sqrt(5.0 * _squared_distances(rows, observed))  # (m, n)
        slope = -5.0 / 3.0 * np.exp(self.theta[-2]) * self.alpha * (1.0 + r) * np.exp(-r)
        along = slope.sum(axis=1)[:, None] * rows - slope @ observed
        return _scaled(along, self.index, self.theta)

    @property
    def smoothed(self) -> Float[np.ndarray, " n"]:
        """Mean of the function at the observed rows, without a solve: y less the share of noise, (t2 I) alpha."""
        s2, t2 = np.exp(self.theta[-2:])
        return np.asarray(self.y - (t2 + _JITTER * s2) * self.alpha)

    @property
    def noise_std(self) -> float:
        """Standard deviation of the observation noise, in units of the target."""
        return float(np.exp(self.theta[-1] / 2))

    @property
    def _scaled_rows(self) -> Float[np.ndarray, "n d"]:
        return _scaled(self.X, self.index, self.theta)

    def condition(self, X: Float[np.ndarray, "k d"], y: Float[np.ndarray, " k"]) -> FittedGaussianProcess:
        """The process given k more observations; theta stays."""
        return self.condition_on(np.concatenate([self.X, X]), np.concatenate([self.y, y]), self.index, self.theta)

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given all others (equation 5.12, theta and mean held)."""
        from scipy.linalg import cho_solve

        inverse = np.diag(cho_solve((self.cholesky, True), np.eye(len(self.y))))
        return GaussianPosterior(self.y - self.alpha / inverse, np.sqrt(1.0 / inverse))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {"X": self.X, "y": self.y, "index": self.index, "theta": self.theta}


def group_index(groups: Sequence[str]) -> Int[np.ndarray, " d"]:
    """Number the groups in the order in which they first occur."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[g] for g in groups], dtype=np.int64)


def fit_rows(y: Float[np.ndarray, " n"], most: int = 200) -> Int[np.ndarray, " k"]:
    """Rows on which theta is fitted: all, or the best and an even share of the rest, one to three."""
    if len(y) <= most:
        return np.arange(len(y))
    order = np.argsort(-y, kind="stable")
    top, rest = order[: most // 4], np.sort(order[most // 4 :])
    spread = rest[np.linspace(0, len(rest) - 1, most - len(top)).round().astype(int)]
    return np.sort(np.concatenate([top, spread]))


@lru_cache(maxsize=64)
def _fit_theta(
    X_bytes: bytes, y_bytes: bytes, index_bytes: bytes, n: int, max_iterations: int,
    mean_bytes: bytes, variance_bytes: bytes, start_bytes: bytes,
) -> tuple[float, ...]:  # fmt: skip
    """Maximise the log posterior of theta; a pure function, so equal data are fitted once."""
    from scipy.optimize import minimize

    index = np.frombuffer(index_bytes, dtype=np.int64)
    X = np.frombuffer(X_bytes).reshape(n, len(index))
    y = np.frombuffer(y_bytes)
    n_groups = int(index.max()) + 1 if len(index) else 0
    D = np.stack(
        [_squared_distances(X[:, index == g], X[:, index == g]) for g in range(n_groups)] or [np.zeros((n, n))]
    )
    sizes = np.bincount(index, minlength=n_groups) if len(index) else np.ones(1)
    D /= np.maximum(sizes, 1)[:, None, None] if n_groups else 1.0
    mean, variance, start = (np.frombuffer(b) for b in (mean_bytes, variance_bytes, start_bytes))
    if n < 4 or not len(index) or float(y.std()) == 0.0:
        return (*mean[:n_groups].tolist(), 0.0, math.log(1e-2))
    y = y - y.mean()

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return _negative_log_posterior(theta, D, y, mean, variance)

    bounds = [_LOG_BOUNDS["ell"]] * n_groups + [_LOG_BOUNDS["s2"], _LOG_BOUNDS["t2"]]
    start = np.clip(start, *np.array(bounds).T)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": max_iterations, "ftol": 1e-5})  # fmt: skip
    return tuple(found.x.tolist())


def _negative_log_posterior(
    theta: Float[np.ndarray, " G_plus_2"],
    D: Float[np.ndarray, "G n n"],
    y: Float[np.ndarray, " n"],
    prior_mean: Float[np.ndarray, " G_plus_2"],
    prior_variance: Float[np.ndarray, " G_plus_2"],
) -> tuple[float, Float[np.ndarray, " G_plus_2"]]:
    """Equations 5.8 and 5.9 plus the log prior of theta, and the gradient."""
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
    K[np.diag_indices_from(K)] += t2 + _JITTER * s2
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


def _scaled(X: np.ndarray, index: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Columns divided by their group's length scale and the root of the group's size."""
    if not len(index):
        return X
    sizes = np.bincount(index)
    return np.asarray(X / (np.exp(theta[index]) * np.sqrt(sizes[index])))


def _squared_distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Distances of all pairs; many at once through a matrix product, which is some times faster and exact to 1e-12."""
    from scipy.spatial.distance import cdist

    if not A.shape[1]:
        return np.zeros((len(A), len(B)))
    if A.shape[1] < _MANY_COLUMNS or len(A) < _MANY_ROWS:
        return np.asarray(cdist(A, B, "sqeuclidean"))
    squares = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1)
    return np.asarray(np.maximum(squares - 2.0 * (A @ B.T), 0.0))


def _matern(r2: np.ndarray) -> np.ndarray:
    """Matern correlation with smoothness 5/2 at squared scaled distances (equation 4.17)."""
    r = np.sqrt(5.0 * r2)
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
