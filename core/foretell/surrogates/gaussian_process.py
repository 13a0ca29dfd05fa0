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
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.surrogates.kernel_prior import WIDE, KernelPrior
from foretell.surrogates.matern import matern, scaled_columns, squared_distances
from foretell.surrogates.theta_fit import JITTER, fit_theta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

MOST_ROWS = 2**14
"""Of a stored process: its kernel matrix has two gigabytes."""


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
        theta = fit_theta(
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
        scaled = scaled_columns(X, index, theta)
        K = s2 * matern(squared_distances(scaled, scaled))
        K[np.diag_indices_from(K)] += t2 + JITTER * s2
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
        K = s2 * matern(squared_distances(scaled_columns(X, self.index, self.theta), self._scaled_rows))  # (m, n)
        v = solve_triangular(self.cholesky, K.T, lower=True, check_finite=False)
        variance = np.maximum(s2 - np.einsum("nm,nm->m", v, v), 1e-10)
        return GaussianPosterior(self.mean + K @ self.alpha, np.sqrt(variance))

    def predict_jointly(self, X: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m m"]]:
        """Mean and covariance of the function itself at m rows; equations 2.23 and 2.24."""
        from scipy.linalg import solve_triangular

        s2, rows = np.exp(self.theta[-2]), scaled_columns(X, self.index, self.theta)
        K = s2 * matern(squared_distances(rows, self._scaled_rows))  # (m, n)
        v = solve_triangular(self.cholesky, K.T, lower=True, check_finite=False)
        return self.mean + K @ self.alpha, s2 * matern(squared_distances(rows, rows)) - v.T @ v

    def mean_at(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """The mean of `predict_latent`, for a fraction of its time."""
        distances = squared_distances(scaled_columns(X, self.index, self.theta), self._scaled_rows)
        return np.asarray(self.mean + np.exp(self.theta[-2]) * (matern(distances) @ self.alpha))

    def mean_gradient(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d"]:
        """How the mean changes with each column at m rows, d mean / d x_j.

        With w_g = 1 / (ell_g^2 columns of g), r^2 = 5 sum_j w_g(j) (x_j - x_ij)^2 and the kernel of equation 4.17 it is
        -5/3 s2 w_g(j) sum_i alpha_i (1 + r_i) exp(-r_i) (x_j - x_ij).
        """
        if not len(self.index):
            return np.zeros_like(X)
        rows, observed = scaled_columns(X, self.index, self.theta), self._scaled_rows
        r = np.sqrt(5.0 * squared_distances(rows, observed))  # (m, n)
        slope = -5.0 / 3.0 * np.exp(self.theta[-2]) * self.alpha * (1.0 + r) * np.exp(-r)
        along = slope.sum(axis=1)[:, None] * rows - slope @ observed
        return scaled_columns(along, self.index, self.theta)

    @property
    def smoothed(self) -> Float[np.ndarray, " n"]:
        """Mean of the function at the observed rows, without a solve: y less the share of noise, (t2 I) alpha."""
        s2, t2 = np.exp(self.theta[-2:])
        return np.asarray(self.y - (t2 + JITTER * s2) * self.alpha)

    @property
    def noise_std(self) -> float:
        """Standard deviation of the observation noise, in units of the target."""
        return float(np.exp(self.theta[-1] / 2))

    @property
    def _scaled_rows(self) -> Float[np.ndarray, "n d"]:
        return scaled_columns(self.X, self.index, self.theta)

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
