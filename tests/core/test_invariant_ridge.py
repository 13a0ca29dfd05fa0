"""Ridge regression on steady columns: which it keeps, what it becomes without a gate, and storage."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.errors import InvalidDataError
from foretell.surrogates import SURROGATES, InvariantRidge


def data(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Two parts that differ in a wide third column; the first column helps in both, the second flips its sign."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3))
    X[:, 2] = 5.0 * np.sign(X[:, 2])
    return X, X[:, 0] + 0.9 * np.sign(X[:, 2]) * X[:, 1] + 0.1 * rng.standard_normal(n)


def test_a_column_whose_effect_changes_sign_gets_no_weight() -> None:
    X, y = data()
    fitted = InvariantRidge(penalty=0.01, components=1).fit(X, y, ("a",) * 3)
    assert fitted.weights[0] == pytest.approx(1.0, abs=0.1)
    assert fitted.weights[1] == 0.0


def test_with_any_steadiness_it_is_ridge_regression() -> None:
    X, y = data()
    fitted = InvariantRidge(penalty=0.5, steadiness=0.0, bound=100.0).fit(X, y, ("a",) * 3)
    Z = X - X.mean(axis=0)
    weights = np.linalg.solve(Z.T @ Z + 0.5 * len(y) * np.eye(3), Z.T @ (y - y.mean()))
    np.testing.assert_allclose(fitted.weights, weights)
    np.testing.assert_allclose(fitted.predict(X).mean, y.mean() + Z @ weights)


def test_what_lies_far_outside_counts_as_the_bound() -> None:
    X, y = data()
    fitted = InvariantRidge(bound=3.0).fit(X, y, ("a",) * 3)
    far, bound = fitted.predict(np.full((1, 3), 1e6)).mean, fitted.predict(np.full((1, 3), 3.0)).mean
    np.testing.assert_array_equal(far, bound)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_rows_and_constant_columns_are_taken(n: int) -> None:
    X, y = data(n)
    X[:, 0] = 1.0
    assert np.isfinite(InvariantRidge().fit(X, y, ("a",) * 3).predict(X).mean).all()


def test_what_was_stored_predicts_the_same() -> None:
    X, y = data()
    surrogate = InvariantRidge()
    fitted = surrogate.fit(X, y, ("a",) * 3)
    again = SURROGATES.make(surrogate.name, surrogate.to_config()).from_arrays(fitted.to_arrays())
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    np.testing.assert_array_equal(again.predict(X).std, fitted.predict(X).std)


@pytest.mark.parametrize("wrong", [{"penalty": 0.0}, {"tail": 0.6}, {"components": -1}, {"bound": 0.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(
        InvalidDataError, match=r"`penalty > 0`.*must hold, but got InvariantRidge\(.*: see the defaults"
    ):
        InvariantRidge(**wrong)  # type: ignore[arg-type]
