"""What a fitted predictor believes of the target itself, without the noise of one training run.

A posterior says where the result of a training will lie. Who samples functions (Thompson, 1933), or wants the spread of
an ensemble, as BANANAS does, asks how far the predictor may be wrong about the network: noise that would be there for
any prediction only makes such a search random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.posterior import GaussianPosterior, WarpedPosterior
from foretell.surrogates.calibrated import FittedCalibrated
from foretell.surrogates.cross_fitted import FittedFolds
from foretell.surrogates.on_groups import FittedOnGroups
from foretell.surrogates.on_trend import FittedOnTrend
from foretell.surrogates.stack import FittedStack

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.encoders import Encoding
    from foretell.predictor import Predictor
    from foretell.surrogates import FittedSurrogate

_LEAST = 1e-6


def function_belief(predictor: Predictor, encoding: Encoding) -> WarpedPosterior:
    """Belief about the function at rows of columns made by `encode`: the mean of `predict`, a smaller spread.

    Args:
        predictor: A fitted one.
        encoding: Its columns of some candidates.

    Raises:
        NotFittedError: If it is not fitted.

    >>> from foretell import FloatDistribution, Hyperparameters, Predictor, SearchSpace
    >>> space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    >>> xs = [{"x": k / 20} for k in range(20)]
    >>> predictor = Predictor((Hyperparameters(space),)).fit(xs, [k + 3.0 * (k % 2) for k in range(20)])
    >>> bool(function_belief(predictor, predictor.encode(xs)).std.mean() < predictor.predict(xs).std.mean())
    True
    """
    fitted = predictor.fitted
    X = fitted.scaler.transform(encoding)
    mean = fitted.surrogate.predict(X).mean
    return WarpedPosterior(GaussianPosterior(mean, np.maximum(function_std(fitted.surrogate, X), _LEAST)), fitted.warp)


def function_std(fitted: FittedSurrogate, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """Standard deviation of the function: of a Gaussian process its own, of folds that between their models.

    A stack mixes its members', and what is calibrated keeps its factor. A surrogate of another kind, which does not
    tell noise apart, answers with the whole spread.
    """
    if hasattr(fitted, "predict_latent"):
        latent: GaussianPosterior = fitted.predict_latent(X)
        return latent.std
    if isinstance(fitted, FittedCalibrated):
        return fitted.factor * function_std(fitted.surrogate, X)
    if isinstance(fitted, FittedOnGroups):
        return function_std(fitted.surrogate, X[:, fitted.columns])
    if isinstance(fitted, FittedOnTrend):
        return function_std(fitted.surrogate, X)
    if isinstance(fitted, FittedFolds):
        return np.asarray(np.std([member.predict(X).mean for member in fitted.members], axis=0))
    if isinstance(fitted, FittedStack):
        means = np.stack([member.predict(X).mean for member in fitted.members])
        variances = np.stack([function_std(member, X) ** 2 for member in fitted.members])
        between = fitted.weights @ (means - fitted.weights @ means) ** 2
        return np.asarray(np.sqrt(fitted.weights @ variances + between))
    return fitted.predict(X).std
