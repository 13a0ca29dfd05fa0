"""The tabular face: a scikit-learn regressor with calibrated intervals, for pipelines, cross-validation and grids.

Not imported by `foretell` itself, so that scikit-learn is loaded only by those who use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from foretell.encoders import Encoding
from foretell.errors import InvalidDataError
from foretell.predictor import Predictor
from foretell.tabular import tabular_surrogate

if TYPE_CHECKING:
    from jaxtyping import Float
    from sklearn.utils import Tags

    from foretell.posterior import Posterior
    from foretell.surrogates import Surrogate


class ForetellRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A Gaussian process and trees over plain columns, weighted by leave-one-out rank agreement.

    For tables of tens to a few thousand rows, such as the columns that `Predictor.encode` makes of networks. Each
    column is a group of its own; `nan` marks what is absent.

    Args:
        surrogate: What maps columns to a posterior; the stack by default.

    Attributes:
        predictor_: The fitted `foretell.Predictor`.
        n_features_in_: Number of columns.

    >>> X = np.linspace(0, 1, 30)[:, None]
    >>> model = ForetellRegressor().fit(X, np.sin(5 * X[:, 0]))
    >>> bool(abs(model.predict([[0.3]])[0] - np.sin(1.5)) < 0.05)
    True
    >>> low, high = model.predict_interval([[0.3]], coverage=0.9)
    >>> bool(low[0] < np.sin(1.5) < high[0])
    True
    """

    def __init__(self, surrogate: Surrogate | None = None) -> None:
        self.surrogate = surrogate

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from n rows of d numbers and n targets.

        Raises:
            ValueError: If shapes do not fit or a number is infinite, as scikit-learn asks for.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_all_finite="allow-nan")
        self.predictor_ = Predictor((), self.surrogate or tabular_surrogate())
        self.predictor_.fit_encoding(_columns(X), np.asarray(y, dtype=np.float64))
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Expected targets, m; with `return_std` also their standard deviations, m."""
        belief = self._believe(X)
        return (belief.mean, belief.std) if return_std else belief.mean

    def predict_interval(
        self, X: Any, coverage: float = 0.9
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Lower and upper ends of central intervals that hold a target with probability `coverage`.

        Raises:
            InvalidDataError: If the coverage lies outside (0, 1).
        """
        if not 0.0 < coverage < 1.0:
            msg = f"`0 < coverage < 1` must hold, but got {coverage=}: 0.9 is usual"
            raise InvalidDataError(msg)
        belief = self._believe(X)
        return belief.quantile(0.5 - coverage / 2), belief.quantile(0.5 + coverage / 2)

    def _believe(self, X: Any) -> Posterior:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite="allow-nan")
        return self.predictor_.predict_encoding(_columns(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _columns(X: Float[np.ndarray, "n d"]) -> Encoding:
    names = tuple(f"x{j}" for j in range(X.shape[1]))
    return Encoding(X, names, names, np.zeros(len(names), dtype=bool))
