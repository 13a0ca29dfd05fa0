"""Ridge regression on those columns whose effect has the same sign in all parts of the data: for use on other families.

Accuracy on held-out networks of the same family says little about other families: there a column may help only because
of what goes with it in this one. So the rows are cut into parts that differ as families do, the tails of the leading
principal components; a column whose marginal effect changes sign among them, or nearly, gets no weight (in the spirit
of invariant prediction: Peters, Buehlmann and Meinshausen, 2016, https://arxiv.org/abs/1501.01332; Arjovsky et al.,
2019, https://arxiv.org/abs/1907.02893). A strong penalty then lets columns vote by their own effect, rather than by
what they add to each other, which is where families differ most.

Notation: n rows, d columns, P parts, e: P x d correlations of the columns with the target within each part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Bool, Float

_LEAST = 8  # rows of a part from which a correlation is taken


@dataclass(frozen=True)
class InvariantRidge:
    """Settings; chosen on TransNAS-Bench-101 micro and the NAS-Bench-301 sample, having learnt on NAS-Bench-101.

    Args:
        penalty: Added to the diagonal of the columns' covariance, which is about 1.
        components: Principal components whose two tails are parts.
        tail: Share of the rows in a tail, in (0, 0.5].
        steadiness: A column stays if |mean of e| > steadiness x deviation of e over parts, all rows being one of them.
        bound: Standardised values are cut off here, so that what lies far outside does not decide.

    Raises:
        InvalidDataError: If a number is out of its range.

    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 2))
    >>> y = X[:, 0] + X[:, 1] * np.sign(X[:, 0])  # the second column's effect is not the same everywhere
    >>> InvariantRidge(penalty=0.1).fit(X, y, ("a", "b")).weights.round(1).tolist()
    [0.9, 0.0]
    """

    name: ClassVar[str] = "invariant_ridge"
    penalty: float = 3.0
    components: int = 6
    tail: float = 0.3
    steadiness: float = 1.5
    bound: float = 3.0

    def __post_init__(self) -> None:
        positive = self.penalty > 0 and self.bound > 0 and self.steadiness >= 0 and self.components >= 0
        if not (positive and 0 < self.tail <= 0.5):
            msg = (
                "`penalty > 0`, `bound > 0`, `steadiness >= 0`, `components >= 0`, `0 < tail <= 0.5` must hold, but "
                f"got {self}: see the defaults"
            )
            raise InvalidDataError(msg)

    def fit(
        self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]
    ) -> FittedInvariantRidge:
        """See `Surrogate.fit`."""
        del groups
        X = np.clip(np.asarray(X, dtype=np.float64), -self.bound, self.bound)
        mean, centre = float(np.mean(y)), X.mean(axis=0)
        kept = self.steady(X, y)
        Z = X[:, kept] - centre[kept]
        weights = np.zeros(X.shape[1])
        weights[kept] = np.linalg.solve(Z.T @ Z + self.penalty * len(y) * np.eye(Z.shape[1]), Z.T @ (y - mean))
        left = y - mean - (X - centre) @ weights
        return FittedInvariantRidge(
            weights, mean - float(centre @ weights), float(np.sqrt(np.mean(left**2)) + 1e-6), self.bound
        )

    def steady(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " d"]:
        """Which columns stay; all of them where none is steady."""
        e = np.stack([_correlations(X[part], y[part]) for part in self._parts(X) if part.sum() >= _LEAST] or [y[:0]])
        if e.shape[1] != X.shape[1]:
            return np.ones(X.shape[1], dtype=bool)
        kept = np.abs(e.mean(axis=0)) > self.steadiness * e.std(axis=0)
        return np.asarray(kept if kept.any() else ~kept)

    def _parts(self, X: Float[np.ndarray, "n d"]) -> list[Bool[np.ndarray, " n"]]:
        _, _, axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
        parts = [np.ones(len(X), dtype=bool)]
        for scores in (X @ axes[: self.components].T).T:
            low, high = np.quantile(scores, [self.tail, 1.0 - self.tail])
            parts += [scores <= low, scores >= high]
        return parts

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedInvariantRidge:
        """See `Surrogate.from_arrays`."""
        intercept, std, bound = arrays["numbers"].tolist()
        return FittedInvariantRidge(arrays["weights"], intercept, std, bound)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return {
            "penalty": self.penalty, "components": self.components, "tail": self.tail, "steadiness": self.steadiness,
            "bound": self.bound,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class FittedInvariantRidge:
    """A weight a column.

    Args:
        weights: The weights; 0 for columns that were dropped.
        intercept: Prediction where all columns are 0.
        std: Root of the mean squared residual.
        bound: Where columns are cut off.
    """

    weights: Float[np.ndarray, " d"]
    intercept: float
    std: float
    bound: float

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`; one deviation for all."""
        mean = self.intercept + np.clip(X, -self.bound, self.bound) @ self.weights
        return GaussianPosterior(mean, np.full(len(mean), self.std))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {"weights": self.weights, "numbers": np.array([self.intercept, self.std, self.bound])}


def _correlations(X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " d"]:
    """Of each column with the target; 0 where either is constant."""
    X, y = X - X.mean(axis=0), y - y.mean()
    size = np.sqrt((X**2).sum(axis=0) * (y @ y))
    return np.asarray(np.where(size > 1e-9, X.T @ y / np.maximum(size, 1e-9), 0.0))
