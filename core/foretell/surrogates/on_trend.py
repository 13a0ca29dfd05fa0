"""A linear trend in some columns, and a surrogate for what it leaves over: how a pretrained score becomes a prior mean.

y = w h(x) + r(x): h are the columns of groups such as `pretrained *`, w comes from ridge regression on the observations
alone, so that a score that misleads gets a weight near 0, or below; r is the surrogate on the residuals.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

    from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

_INNER = "inner."


@dataclass(frozen=True)
class OnTrend:
    """A surrogate and the columns of its trend.

    Args:
        surrogate: For the residuals; it sees all columns. What can leave one out, such as a Gaussian process.
        groups: Pattern of the groups of the trend's columns; where there is none, the trend is 0.
        penalty: Of the trend's weights, in observations.

    Raises:
        InvalidDataError: If the penalty is not positive.
    """

    name: ClassVar[str] = "on_trend"
    surrogate: Surrogate
    groups: str = "pretrained *"
    penalty: float = 2.0

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            msg = f"`penalty > 0` must hold, but got {self.penalty=}: the default is 2"
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedOnTrend:
        """See `Surrogate.fit`."""
        columns = np.array([j for j, group in enumerate(groups) if fnmatchcase(group, self.groups)], dtype=np.int64)
        H = X[:, columns]
        solved = np.linalg.solve(H.T @ H + self.penalty * np.eye(len(columns)), H.T)
        weights = solved @ y
        left_out = (H @ weights - (leverage := np.einsum("nk,kn->n", H, solved)) * y) / (1.0 - leverage)
        return FittedOnTrend(self.surrogate.fit(X, y - H @ weights, groups), columns, weights, left_out)

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedOnTrend:
        """See `Surrogate.from_arrays`."""
        inner = {name.removeprefix(_INNER): array for name, array in arrays.items() if name.startswith(_INNER)}
        fitted = self.surrogate.from_arrays(inner)
        return FittedOnTrend(fitted, arrays["columns"], arrays["weights"], arrays["left_out"])

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        inner = {"name": self.surrogate.name, "config": self.surrogate.to_config()}
        return {"surrogate": inner, "groups": self.groups, "penalty": self.penalty}


@dataclass(frozen=True, eq=False)
class FittedOnTrend:
    """A fitted surrogate of residuals, and the trend.

    Args:
        surrogate: The surrogate.
        columns: Positions of the trend's columns.
        weights: Their weights.
        left_out: The trend at each observation, fitted to the others.
    """

    surrogate: FittedSurrogate
    columns: Int[np.ndarray, " k"]
    weights: Float[np.ndarray, " k"]
    left_out: Float[np.ndarray, " n"]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        rest = self.surrogate.predict(X)
        return GaussianPosterior(rest.mean + X[:, self.columns] @ self.weights, rest.std)

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given the others: the trend's and the residual's, each left out by itself.

        Raises:
            InvalidDataError: If the surrogate cannot leave one out.
        """
        if not hasattr(self.surrogate, "leave_one_out"):
            inner = type(self.surrogate).__name__
            msg = f"a surrogate must be able to leave one out, but {inner} cannot: put it into CrossFitted"
            raise InvalidDataError(msg)
        rest = self.surrogate.leave_one_out()
        return GaussianPosterior(rest.mean + self.left_out, rest.std)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        inner = {f"{_INNER}{name}": a for name, a in self.surrogate.to_arrays().items()}
        return {**inner, "columns": self.columns, "weights": self.weights, "left_out": self.left_out}
