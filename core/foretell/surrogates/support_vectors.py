"""nu support vector regression with a Gaussian kernel: the published surrogate for learning-curve columns.

Baker, Gupta, Raskar and Naik, 2017, "Accelerating Neural Architecture Search using Performance Prediction",
https://arxiv.org/abs/1705.10823, fitted by scikit-learn and answered by NumPy from the stored support vectors.

Notation: v_i support vectors, a_i coefficients, b intercept, g kernel width; f(x) = sum_i a_i exp(-g |x - v_i|^2) + b.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.errors import CheckpointError
from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

_VARIANCE_FLOOR = 1e-6


@dataclass(frozen=True)
class SupportVectors:
    """Settings of the search for C, g and nu, which draws log-uniformly and uniformly as the paper's code does.

    They draw 1000 times; 60 come within the best 5 % with probability .95, at a sixteenth of the cost. The standard
    deviation, which they take from the training error, is here that of the residuals of the cross-validation: the
    same for all rows, and honest where the fit is tight.

    Args:
        n_draws: Draws of the three settings.
        n_folds: Folds of the cross-validation.
        seed: Seed of draws and folds.
    """

    name: ClassVar[str] = "support_vectors"
    n_draws: int = 60
    n_folds: int = 3
    seed: int = 0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedVectors:
        """See `Surrogate.fit`; groups are not used."""
        del groups
        n = len(X)
        if n < 2 * self.n_folds or X.shape[1] == 0 or float(np.ptp(y)) == 0.0:
            variance = float(np.var(y)) if n > 1 else 1.0  # one row: the prior variance of the target
            noise = np.array([max(variance, _VARIANCE_FLOOR)])
            return FittedVectors(np.zeros((0, X.shape[1])), np.zeros(0), np.array([y.mean()]), np.ones(1), noise)
        rng = np.random.default_rng(self.seed)
        folds = np.array_split(rng.permutation(n), self.n_folds)
        draws = [
            {"C": 10 ** rng.uniform(-5, 1), "gamma": 10 ** rng.uniform(-5, 1), "nu": 1.0 - rng.random()}
            for _ in range(self.n_draws)
        ]
        errors = [_held_out_error(draw, X, y, folds) for draw in draws]
        best = draws[int(np.argmin(errors))]
        machine = _fitted(best, X, y)
        return FittedVectors(
            machine.support_vectors_, machine.dual_coef_[0], machine.intercept_, np.array([best["gamma"]]),
            np.array([max(min(errors), _VARIANCE_FLOOR)]),
        )  # fmt: skip

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedVectors:
        """See `Surrogate.from_arrays`."""
        return FittedVectors(**{name: arrays[name] for name in FittedVectors.__dataclass_fields__})

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class FittedVectors:
    """The machine.

    Args:
        vectors: Support vectors, S x d.
        coefficients: One a vector, S.
        intercept: b, 1.
        gamma: g, 1.
        noise: Mean squared error of the cross-validation, 1.

    Raises:
        CheckpointError: If there is not one coefficient a vector.
    """

    vectors: Float[np.ndarray, "S d"]
    coefficients: Float[np.ndarray, " S"]
    intercept: Float[np.ndarray, " 1"]
    gamma: Float[np.ndarray, " 1"]
    noise: Float[np.ndarray, " 1"]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.coefficients.shape != (len(self.vectors),):
            msg = (
                f"one coefficient a support vector is needed, but got shapes {self.vectors.shape} and "
                f"{self.coefficients.shape}: save it again"
            )
            raise CheckpointError(msg)

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        mean = np.full(len(X), self.intercept[0])
        if len(self.vectors):
            from scipy.spatial.distance import cdist

            mean = mean + np.exp(-self.gamma[0] * cdist(X, self.vectors, "sqeuclidean")) @ self.coefficients
        return GaussianPosterior(mean, np.full(len(X), np.sqrt(self.noise[0])))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def _fitted(draw: Mapping[str, float], X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> Any:
    from sklearn.svm import NuSVR

    return NuSVR(kernel="rbf", **draw).fit(X, y)


def _held_out_error(
    draw: Mapping[str, float],
    X: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, " n"],
    folds: Sequence[Int[np.ndarray, " k"]],
) -> float:
    """Mean squared error over rows that were left out."""
    squares = 0.0
    for fold in folds:
        rest = np.ones(len(X), dtype=bool)
        rest[fold] = False
        squares += float(np.sum((y[fold] - _fitted(draw, X[rest], y[rest]).predict(X[fold])) ** 2))
    return squares / len(X)
