"""A trend in pretrained columns and a process for the rest: what each gets, and what leaving one out means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.errors import InvalidDataError
from foretell.surrogates import SURROGATES, ExtraTrees, GaussianProcess, OnGroups, OnTrend

GROUPS = ("pretrained a", "x", "x")


def data(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3))
    return X, 2.0 * X[:, 0] + np.sin(X[:, 1])


def test_the_trend_is_ridge_regression_and_the_process_gets_the_rest() -> None:
    X, y = data()
    inner = OnGroups(GaussianProcess(length_scale=1.4), ("x",))
    fitted = OnTrend(inner, penalty=2.0).fit(X, y, GROUPS)
    weight = X[:, 0] @ y / (X[:, 0] @ X[:, 0] + 2.0)
    assert fitted.weights.tolist() == pytest.approx([weight])
    rest = inner.fit(X, y - weight * X[:, 0], GROUPS)
    np.testing.assert_allclose(fitted.predict(X).mean, rest.predict(X).mean + weight * X[:, 0])


def test_a_score_that_misleads_gets_no_weight() -> None:
    X, y = data()
    fitted = OnTrend(GaussianProcess(), groups="*", penalty=2.0).fit(X * [-1.0, 1.0, 1.0], y, GROUPS)
    assert fitted.weights[0] == 0.0
    assert fitted.weights.min() >= 0.0
    none = OnTrend(GaussianProcess()).fit(X * [-1.0, 1.0, 1.0], y, GROUPS)
    assert none.weights.tolist() == [0.0]
    np.testing.assert_array_equal(none.left_out, np.zeros(len(y)))


@given(st.integers(0, 10**6), st.integers(1, 5), st.floats(0.1, 100.0))
@settings(max_examples=30, deadline=None)
def test_no_other_weights_of_0_and_more_are_better(seed: int, k: int, penalty: float) -> None:
    """The conditions of Karush, Kuhn and Tucker: the slope is 0 where a weight is used, and upwards where not."""
    rng = np.random.default_rng(seed)
    H, y = rng.standard_normal((12, k)), rng.standard_normal(12)
    weights = OnTrend(OnGroups(GaussianProcess(), ("x",)), "h", penalty).fit(H, y, ["h"] * k).weights
    slope = -H.T @ (y - H @ weights) + penalty * weights
    assert weights.min() >= 0.0
    assert np.abs(slope[weights > 0]).max(initial=0.0) < 1e-8
    assert slope[weights == 0].min(initial=0.0) > -1e-8


def test_leaving_one_out_is_fitting_the_trend_without_it() -> None:
    X, y = data()
    fitted = OnTrend(GaussianProcess(), penalty=2.0).fit(X, y, GROUPS)
    for i in range(3):
        others = np.arange(len(y)) != i
        weight = X[others, 0] @ y[others] / (X[others, 0] @ X[others, 0] + 2.0)
        assert fitted.left_out[i] == pytest.approx(weight * X[i, 0])
    rest = fitted.surrogate.leave_one_out()  # type: ignore[attr-defined]
    np.testing.assert_allclose(fitted.leave_one_out().mean, rest.mean + fitted.left_out)


def test_without_pretrained_columns_it_is_the_process() -> None:
    X, y = data()
    gp = GaussianProcess()
    found = OnTrend(gp).fit(X, y, ("x", "x", "x")).predict(X)
    np.testing.assert_array_equal(found.mean, gp.fit(X, y, ("x", "x", "x")).predict(X).mean)


def test_what_was_stored_predicts_the_same() -> None:
    X, y = data()
    surrogate = OnTrend(OnGroups(GaussianProcess(), ("x",)))
    fitted = surrogate.fit(X, y, GROUPS)
    made = SURROGATES.make(surrogate.name, surrogate.to_config())
    assert made == surrogate
    again = made.from_arrays(fitted.to_arrays())
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)


def test_what_it_cannot_do_is_refused() -> None:
    X, y = data()
    with pytest.raises(InvalidDataError, match=r"`penalty > 0` must hold, but got self.penalty=0.0: the default is 10"):
        OnTrend(GaussianProcess(), penalty=0.0)
    with pytest.raises(
        InvalidDataError, match=r"must be able to leave one out, but .* cannot: put it into CrossFitted"
    ):
        OnTrend(ExtraTrees(n_trees=2)).fit(X, y, GROUPS).leave_one_out()
