"""The spread without noise, against closed forms and against the whole posterior."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import FloatDistribution, Hyperparameters, Predictor, SearchSpace
from foretell.errors import NotFittedError
from foretell.function_belief import function_belief, function_std
from foretell.surrogates import (
    Calibrated,
    CrossFitted,
    ExtraTrees,
    GaussianProcess,
    OnGroups,
    OnTrend,
    RandomForest,
    Stack,
    Surrogate,
)

G = ("a", "a", "b")
GP = GaussianProcess()


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X, np.sin(X[:, 0]) + 0.3 * X[:, 1] + 0.3 * rng.standard_normal(n)


def test_a_process_drops_its_noise() -> None:
    fitted, X = GP.fit(*data(40), G), data(5, 1)[0]
    np.testing.assert_allclose(
        fitted.predict(X).std ** 2, function_std(fitted, X) ** 2 + fitted.noise_std**2, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("outer", "times"),
    [(OnGroups(GP, ("*",)), 1.0), (Stack((GP,)), 1.0), (Stack((GP, GP)), 1.0), (Calibrated(GP), None)],
    ids=lambda s: getattr(s, "name", ""),
)
def test_what_holds_a_process_answers_as_it_does(outer: Surrogate, times: float | None) -> None:
    X = data(5, 1)[0]
    alone, held = GP.fit(*data(40), G), outer.fit(*data(40), G)
    factor = held.factor if times is None else times
    np.testing.assert_allclose(function_std(held, X), factor * function_std(alone, X), rtol=1e-9)


def test_members_that_disagree_spread_further() -> None:
    X = data(5, 1)[0]
    first, second = OnGroups(GP, ("a",)), OnGroups(GP, ("b",))
    both = Stack((first, second)).fit(*data(40), G)
    each = np.stack([function_std(m, X) for m in both.members])
    means = np.stack([m.predict(X).mean for m in both.members])
    w = both.weights
    expected = w @ each**2 + w[0] * w[1] * (means[0] - means[1]) ** 2  # the variance between two
    np.testing.assert_allclose(function_std(both, X) ** 2, expected, rtol=1e-9)


def test_folds_spread_as_their_models_do() -> None:
    fitted, X = CrossFitted(ExtraTrees(n_trees=5), folds=4).fit(*data(40), G), data(5, 1)[0]
    np.testing.assert_allclose(function_std(fitted, X), np.std([m.predict(X).mean for m in fitted.members], axis=0))
    assert (function_std(fitted, X) < fitted.predict(X).std).all()


def test_a_trend_adds_no_spread_and_an_unknown_kind_keeps_all_of_it() -> None:
    X = data(5, 1)[0]
    trend = OnTrend(GP, "b").fit(*data(40), G)
    np.testing.assert_array_equal(function_std(trend, X), function_std(trend.surrogate, X))
    forest = RandomForest(5).fit(*data(40), G)
    np.testing.assert_array_equal(function_std(forest, X), forest.predict(X).std)


def test_the_mean_is_that_of_the_latent_prediction() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    xs = [{"x": k / 20} for k in range(20)]
    predictor = Predictor((Hyperparameters(space),))
    with pytest.raises(NotFittedError):
        function_belief(predictor, predictor.encode(xs))
    predictor.fit(xs, np.sin(np.arange(20.0)))
    found, whole = function_belief(predictor, predictor.encode(xs)), predictor.predict(xs)
    np.testing.assert_array_equal(found.quantile(0.5), whole.quantile(0.5))
    assert (found.std < whole.std).all()
