"""A linear trend in some columns, and a surrogate for what it leaves over: how a pretrained score becomes a prior mean.

y = w h(x) + r(x): h are the columns of groups such as `pretrained *`, w >= 0 comes from ridge regression on the
observations alone; r is the surrogate on the residuals. A score is larger for what is better, so one that seems to have
a weight below 0 misleads, or only repeats another: it gets none. That makes several scores safe with few labels: on
TransNAS-Bench-101 micro with 20 labels and six scores, tau is .01 to .04 above that of weights of either sign.
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
        penalty: Of the trend's squared weights, in observations.

    Raises:
        InvalidDataError: If the penalty is not positive.
    """

    name: ClassVar[str] = "on_trend"
    surrogate: Surrogate
    groups: str = "pretrained *"
    penalty: float = 10.0

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            msg = f"`penalty > 0` must hold, but got {self.penalty=}: the default is 10"
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedOnTrend:
        """See `Surrogate.fit`."""
        columns = np.array([j for j, group in enumerate(groups) if fnmatchcase(group, self.groups)], dtype=np.int64)
        weights, left_out = _trend(X[:, columns], y, self.penalty)
        return FittedOnTrend(self.surrogate.fit(X, y - X[:, columns] @ weights, groups), columns, weights, left_out)

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
        left_out: The trend at each observation, fitted to the others; columns without a weight stay without.
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


def _trend(
    H: Float[np.ndarray, "n k"], y: Float[np.ndarray, " n"], penalty: float
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " n"]]:
    """The w >= 0 with the least |y - H w|^2 + penalty |w|^2, and the trend that leaves each observation out."""
    from scipy.optimize import nnls

    n, k = H.shape
    if not k:
        return np.zeros(0), np.zeros(n)
    weights, _ = nnls(np.concatenate([H, np.sqrt(penalty) * np.eye(k)]), np.concatenate([y, np.zeros(k)]))
    used = H[:, weights > 0]
    solved = np.linalg.solve(used.T @ used + penalty * np.eye(used.shape[1]), used.T)
    leverage = np.einsum("nk,kn->n", used, solved)
    return weights, (H @ weights - leverage * y) / (1.0 - leverage)
