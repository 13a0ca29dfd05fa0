"""Random forest, gradient boosting and support vectors against the libraries that fit them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.svm import NuSVR

from foretell.errors import CheckpointError, MissingDependencyError
from foretell.metrics import kendall_tau
from foretell.surrogates import SURROGATES, ExtraTrees, GradientBoosting, RandomForest, SupportVectors

lightgbm = pytest.importorskip("lightgbm")
ALL = [RandomForest(30), GradientBoosting(40), SupportVectors(15)]
EACH = pytest.mark.parametrize("surrogate", ALL, ids=lambda s: s.name)


def data(n: int, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.tanh(X[:, 0]) + 0.5 * np.sin(2 * X[:, 1]) + 0.1 * rng.standard_normal(n)


@EACH
def test_held_out_rows_are_ranked_and_covered(surrogate: object) -> None:
    X, y = data(150)
    new, truth = data(300, seed=1)
    posterior = surrogate.fit(X, y, ("g",) * 6).predict(new)  # type: ignore[attr-defined]
    assert kendall_tau(truth, posterior.mean) > 0.55
    inside = np.abs(truth - posterior.mean) < 1.645 * posterior.std
    assert 0.8 < inside.mean() <= 0.985


@EACH
@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 3), (7, 3), (12, 0), (1, 0)])
def test_degenerate_inputs(surrogate: object, n: int, d: int) -> None:
    X = np.random.default_rng(0).standard_normal((n, d))
    for y in (np.linspace(-1, 1, n), np.full(n, 0.3)):
        posterior = surrogate.fit(X, y, ("g",) * d).predict(np.zeros((4, d)))  # type: ignore[attr-defined]
        assert posterior.mean.shape == (4,)
        assert np.isfinite(posterior.mean).all()
    assert posterior.mean == pytest.approx(np.full(4, 0.3), abs=1e-6)


@EACH
def test_arrays_and_settings_round_trip(surrogate: object) -> None:
    X, y = data(40)
    fitted = surrogate.fit(X, y, ("g",) * 6)  # type: ignore[attr-defined]
    rebuilt = SURROGATES.make(surrogate.name, surrogate.to_config())  # type: ignore[attr-defined]
    assert rebuilt == surrogate
    again = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    new, _ = data(20, seed=1)
    np.testing.assert_array_equal(again.predict(new).mean, fitted.predict(new).mean)
    np.testing.assert_array_equal(again.predict(new).std, fitted.predict(new).std)
    assert fitted.predict(new[:0]).mean.shape == (0,)


@EACH
def test_rows_are_answered_one_by_one_as_together(surrogate: object) -> None:
    X, y = data(40)
    fitted = surrogate.fit(X, y, ("g",) * 6)  # type: ignore[attr-defined]
    singly = np.concatenate([fitted.predict(x[None]).mean for x in X])
    np.testing.assert_allclose(fitted.predict(X).mean, singly, rtol=1e-12)


def test_the_forest_answers_as_scikit_learn_does() -> None:
    X, y = data(60)
    new, _ = data(30, seed=1)
    theirs = RandomForestRegressor(20, max_features=0.5, random_state=3).fit(X.astype(np.float32), y)
    ours = RandomForest(20, seed=3, max_features=0.5).fit(X, y, ("g",) * 6)
    np.testing.assert_allclose(ours.predict(new).mean, theirs.predict(new.astype(np.float32)), atol=1e-12)


def test_the_forest_is_as_uncertain_as_out_of_bag_errors() -> None:
    X, y = data(80)
    theirs = RandomForestRegressor(60, random_state=0, oob_score=True).fit(X.astype(np.float32), y)
    ours = RandomForest(60).fit(X, y, ("g",) * 6)
    error = float(np.mean((y - theirs.oob_prediction_) ** 2))
    assert 0.0 < ours.noise[0] < error


def test_fewer_columns_a_split_is_another_forest() -> None:
    X, y = data(40)
    a, b = (ExtraTrees(10, max_features=m).fit(X, y, ("g",) * 6) for m in (1.0, 0.3))
    assert not np.array_equal(a.threshold[:5], b.threshold[:5])


def test_boosting_answers_as_lightgbm_does() -> None:
    X, y = data(100)
    new, _ = data(30, seed=1)
    parameters = {
        "objective": "l2", "num_leaves": 31, "learning_rate": 0.05, "feature_fraction": 0.9, "bagging_fraction": 0.8,
        "bagging_freq": 5, "min_data_in_leaf": 5, "min_data_in_bin": 3, "seed": 0, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    theirs = lightgbm.train(parameters, lightgbm.Dataset(X, label=y, params=parameters), 100)
    ours = GradientBoosting().fit(X, y, ("g",) * 6)
    np.testing.assert_allclose(ours.predict(new).mean, theirs.predict(new), rtol=1e-12)


def test_boosting_without_lightgbm_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingDependencyError, match="not installed: pip install lightgbm"):
        GradientBoosting().fit(*data(10), ("g",) * 6)


def test_support_vectors_answer_as_scikit_learn_does() -> None:
    X, y = data(60)
    new, _ = data(30, seed=1)
    ours = SupportVectors(10).fit(X, y, ("g",) * 6)
    rng = np.random.default_rng(0)
    rng.permutation(60)
    draws = [
        {"C": 10 ** rng.uniform(-5, 1), "gamma": 10 ** rng.uniform(-5, 1), "nu": 1.0 - rng.random()} for _ in range(10)
    ]
    theirs = next(d for d in draws if d["gamma"] == ours.gamma[0])
    np.testing.assert_allclose(ours.predict(new).mean, NuSVR(**theirs).fit(X, y).predict(new), atol=1e-9)


def test_damaged_arrays_are_refused() -> None:
    X, y = data(40)
    boosting = GradientBoosting(3)
    arrays = boosting.fit(X, y, ("g",) * 6).to_arrays()
    with pytest.raises(CheckpointError, match="must end in increasing order at .* save them again"):
        boosting.from_arrays({**arrays, "ends": arrays["ends"] - 1})
    vectors = SupportVectors(3)
    arrays = vectors.fit(X, y, ("g",) * 6).to_arrays()
    with pytest.raises(CheckpointError, match="one coefficient a support vector .* save it again"):
        vectors.from_arrays({**arrays, "coefficients": arrays["coefficients"][:-1]})
