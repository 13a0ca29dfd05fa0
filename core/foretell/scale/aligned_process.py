"""A bowl whose bottom moves with scale as a power law: the process behind `ScalingSurrogate`.

The loss as a function of learning rate, batch size and the like has the same shape at all scales, but for its depth and
its place. So runs of all scales are laid over each other, shifted by a power law whose exponents are unknown, and one
Gaussian process sees them all.

Notation: n runs; s: logarithms of S scales, t: logarithms of H settings, both centred; y: log loss, centred;
B: S x H exponents of the law; u = t - s B: aligned settings;
    y = level(s) + exp(s k) [bowl(u) + o(s) u + r(u, s)] + noise
    level(s) = a_0 + sum_j a_j (exp(-d_j s_j) - 1) + sum_jk a_jk s_j s_k + e(s): powers that level off, as in Hoffmann
        et al., 2022, "Training Compute-Optimal Large Language Models", https://arxiv.org/abs/2203.15556, equation 10
    bowl(u): polynomial of degree 2 in v_h = (exp(q_h u_h) - 1) / q_h, steeper on one side than on the other but with
        one bottom; a cubic polynomial has others, to which a search for the best would go
    o(s): at each scale a slope of its own, deviation o, since no optimum lies exactly on the law
    r ~ GP with a Gaussian kernel, length scales l_u, l_s, deviation s_r
    noise: deviation t_n (1 + x / X), x how far the run lies above the level, X one per cent
Coefficients of level, bowl, o, r and e are normal and integrated out; phi = (B, k, log s_r, log t_n, log l_u, log l_s,
log o, log d, q) is the most probable one under the priors below, with the normal approximation of its posterior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Float

_STEEPNESS = (0.0, 0.3)  # k: mean and deviation of the prior
_LOGS = {"s_r": (np.log(0.004), 0.7), "t_n": (np.log(0.001), 0.7), "l_u": (np.log(1.5), 0.5), "l_s": (0.0, 0.7),
         "o": (np.log(0.004), 0.5)}  # fmt: skip
_DECAY = (np.log(0.3), 0.3)
_FALL, _FALL_STD = 0.06, 0.04  # log loss lost per factor e of a scale
_TOGETHER, _APART = 0.01, 0.003  # deviations of products of scales, and of the level at a scale of its own, e(s)
_SLOPE, _CURVE, _CURVE_STD, _CROSS = 0.05, 0.03, 0.02, 0.015  # the bowl's coefficients: deviations, mean curvature
_SKEW = (0.0, 0.3)
_UNIT = 0.01  # X
_DIVERGED = 0.25  # log loss above what is expected of the best at a scale, beyond which a run says nothing of the bowl
_GRID, _REACH = 13, 1.5
_JITTER = 1e-12
_STEEPEST = 3.0  # |q u| at most


@dataclass(frozen=True, eq=False)
class AlignedProcess:
    """The process given runs and phi.

    Args:
        s: Centred logarithms of scales.
        t: Centred logarithms of settings.
        y: Centred log losses.
        noise: Factor of each run's noise.
        exponents: Mean and deviation of the prior of B, each S x H.
        phi: See above.
        cholesky: Lower factor of the covariance of y.
        alpha: That covariance's inverse times y less its mean.
    """

    s: Float[np.ndarray, "n S"]
    t: Float[np.ndarray, "n H"]
    y: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, " n"]
    exponents: tuple[Float[np.ndarray, "S H"], Float[np.ndarray, "S H"]]
    phi: Float[np.ndarray, " p"]
    cholesky: Float[np.ndarray, "n n"]
    alpha: Float[np.ndarray, " n"]

    @classmethod
    def fit(
        cls,
        s: Float[np.ndarray, "n S"],
        t: Float[np.ndarray, "n H"],
        y: Float[np.ndarray, " n"],
        exponents: tuple[Float[np.ndarray, "S H"], Float[np.ndarray, "S H"]],
    ) -> AlignedProcess:
        """The most probable phi; runs that diverged are left out, and those far above the level count less."""
        above = y + _FALL * s.sum(axis=1)
        above = above - above.min()
        kept = above < _DIVERGED
        s, t, y, above = s[kept], t[kept], y[kept], above[kept]
        process = cls(s, t, y, 1.0 + above / _UNIT, exponents, np.zeros(0), np.zeros((0, 0)), y)
        process = process.at(process._most_probable(process._prior()[0]))
        lowest = {key: process._lowest(np.array(key)) for key in {tuple(row) for row in s.tolist()}}
        above = np.maximum(y - np.array([lowest[tuple(row)] for row in s.tolist()]), 0.0)
        process = replace(process, noise=1.0 + above / _UNIT)
        return process.at(process._most_probable(process.phi))

    def at(self, phi: Float[np.ndarray, " p"]) -> AlignedProcess:
        """The same runs under another phi."""
        from scipy.linalg import cho_solve, cholesky

        K, mean = self._prior_of_runs(phi)
        L = cholesky(K, lower=True)
        return replace(self, phi=phi, cholesky=L, alpha=cho_solve((L, True), self.y - mean))

    @property
    def powers(self) -> Float[np.ndarray, "S H"]:
        """Exponents of the law, B."""
        return self.phi[: self._n_exponents].reshape(self.exponents[0].shape)

    @property
    def noise_std(self) -> float:
        """Deviation of the log loss of a run near the bottom from one training to the next."""
        return float(np.exp(self.phi[self._n_exponents + self.s.shape[1] + 1]))

    def mean(self, s: Float[np.ndarray, "m S"], t: Float[np.ndarray, "m H"]) -> Float[np.ndarray, " m"]:
        """Mean of the log loss."""
        K, mean = _covariance(self.phi, s, t, self.s, self.t)
        return np.asarray(mean + K @ self.alpha)

    def predict(
        self, s: Float[np.ndarray, "m S"], t: Float[np.ndarray, "m H"]
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m m"]]:
        """Mean and covariance of the noiseless log loss."""
        from scipy.linalg import solve_triangular

        K, mean = _covariance(self.phi, s, t, self.s, self.t)
        own, _ = _covariance(self.phi, s, t, s, t)
        v = solve_triangular(self.cholesky, K.T, lower=True)
        return mean + K @ self.alpha, own - v.T @ v

    def draws(self, n: int, rng: np.random.Generator) -> list[AlignedProcess]:
        """The process under n draws of phi from the normal approximation of its posterior."""
        precision = _hessian(self._negative_log_posterior, self.phi)
        size, axes = np.linalg.eigh(precision)
        root = axes / np.sqrt(np.maximum(size, 0.5))
        found: list[AlignedProcess] = []
        for z in rng.standard_normal((n, len(self.phi))):
            try:
                found.append(self.at(self.phi + root @ z))
            except np.linalg.LinAlgError:  # far out, where the covariance is singular: the middle stands for it
                found.append(self)
        return found

    @property
    def _n_exponents(self) -> int:
        return int(self.exponents[0].size)

    def _prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of phi."""
        S = self.s.shape[1]
        rest = [(_STEEPNESS[0], _STEEPNESS[1])] * S + list(_LOGS.values()) + [_DECAY] * S + [_SKEW] * self.t.shape[1]
        mean, std = np.array(rest).T
        B, B_std = self.exponents
        return np.concatenate([B.ravel(), mean]), np.concatenate([B_std.ravel(), std])

    def _prior_of_runs(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        K, mean = _covariance(phi, self.s, self.t, self.s, self.t)
        noise = np.exp(phi[self._n_exponents + self.s.shape[1] + 1])
        K[np.diag_indices_from(K)] += (noise * self.noise) ** 2 + _JITTER
        return K, mean

    def _negative_log_posterior(self, phi: Float[np.ndarray, " p"]) -> float:
        from scipy.linalg import LinAlgError, cholesky, solve_triangular

        K, mean = self._prior_of_runs(phi)
        try:
            L = cholesky(K, lower=True)
        except (LinAlgError, ValueError):
            return 1e6
        r = solve_triangular(L, self.y - mean, lower=True)
        centre, std = self._prior()
        z = (phi - centre) / std
        return float(0.5 * (r @ r + z @ z) + np.log(np.diag(L)).sum())

    def _most_probable(self, start: np.ndarray) -> np.ndarray:
        from scipy.optimize import minimize

        found = minimize(self._negative_log_posterior, start, method="L-BFGS-B", options={"maxiter": 80, "ftol": 1e-7})
        return np.asarray(found.x)

    def _lowest(self, s: Float[np.ndarray, " S"]) -> float:
        """Least mean log loss at a scale, among aligned settings about the middle."""
        H = self.t.shape[1]
        axes = np.meshgrid(*[np.linspace(-_REACH, _REACH, _GRID)] * H)
        u = np.stack([a.ravel() for a in axes], axis=1)
        rows = np.repeat(s[None], len(u), axis=0)
        return float(self.mean(rows, u + rows @ self.powers).min())


def _covariance(
    phi: np.ndarray, s: np.ndarray, t: np.ndarray, s_: np.ndarray, t_: np.ndarray
) -> tuple[Float[np.ndarray, "m n"], Float[np.ndarray, " m"]]:
    """Prior covariance of two sets of runs, and prior mean of the first."""
    S, H = s.shape[1], t.shape[1]
    B, rest = phi[: S * H].reshape(S, H), phi[S * H :]
    k, (s_r, _, l_u, l_s, o), decay = rest[:S], np.exp(rest[S : S + 5]), np.exp(rest[S + 5 : 2 * S + 5])
    q = rest[2 * S + 5 :]
    u, u_, g, g_ = t - s @ B, t_ - s_ @ B, np.exp(s @ k), np.exp(s_ @ k)
    L, level, level_std = _level(s, decay)
    P, bowl, bowl_std = _bowl(u, q)
    z, z_ = np.concatenate([u / l_u, s / l_s], axis=1), np.concatenate([u_ / l_u, s_ / l_s], axis=1)
    same = np.abs(s[:, None] - s_[None]).max(axis=2) < 1e-9
    inner = (P * bowl_std**2) @ _bowl(u_, q)[0].T + s_r**2 * _gaussian(z, z_) + same * o**2 * (u @ u_.T)
    K = same * _APART**2 + (L * level_std**2) @ _level(s_, decay)[0].T + g[:, None] * g_ * inner
    return K, L @ level + g * (P @ bowl)


def _level(s: np.ndarray, decay: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of the level, with mean and deviation of their coefficients."""
    pairs = [s[:, i] * s[:, j] for i, j in combinations(range(s.shape[1]), 2)]
    L = np.stack([np.ones(len(s)), *(np.exp(-decay * s) - 1.0).T, *pairs], axis=1)
    mean = np.concatenate([[0.0], _FALL / decay, np.zeros(len(pairs))])
    return L, mean, np.concatenate([[1.0], _FALL_STD / decay, np.full(len(pairs), _TOGETHER)])


def _bowl(u: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of the bowl, with mean and deviation of their coefficients."""
    H = u.shape[1]
    small = np.abs(q) < 1e-4  # where expm1 loses its digits
    v = np.where(small, u, np.expm1(np.clip(q * u, -_STEEPEST, _STEEPEST)) / np.where(small, 1.0, q))
    pairs = list(combinations(range(H), 2))
    columns = [*v.T, *(v**2 / 2).T, *(v[:, i] * v[:, j] for i, j in pairs)]
    mean = np.repeat([0.0, _CURVE, 0.0], [H, H, len(pairs)])
    return np.stack(columns, axis=1), mean, np.repeat([_SLOPE, _CURVE_STD, _CROSS], [H, H, len(pairs)])


def _gaussian(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * a @ b.T
    return np.asarray(np.exp(-0.5 * np.maximum(squared, 0.0)))


def _hessian(f: object, at: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences."""
    assert callable(f)
    n, h = len(at), 1e-3 * np.maximum(1.0, np.abs(at))
    step = np.diag(h)
    middle, up, down = f(at), [f(at + e) for e in step], [f(at - e) for e in step]
    H = np.empty((n, n))
    for i in range(n):
        H[i, i] = (up[i] + down[i] - 2.0 * middle) / h[i] ** 2
        for j in range(i):
            H[i, j] = H[j, i] = (f(at + step[i] + step[j]) - up[i] - up[j] + middle) / (h[i] * h[j])
    return H
