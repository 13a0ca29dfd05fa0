"""The tabular face, by scikit-learn's own checks and in its tools."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from foretell.errors import InvalidDataError
from foretell.regressor import ForetellRegressor
from foretell.surrogates import ExtraTrees, GaussianProcess


@parametrize_with_checks([ForetellRegressor()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_agrees(estimator, check) -> None:
    check(estimator)  # all of them: there are no expected failures


def test_it_beats_the_mean_and_covers() -> None:
    X, y = load_diabetes(return_X_y=True)
    train, test = slice(0, 150), slice(150, None)
    model = ForetellRegressor().fit(X[train], y[train])
    assert model.score(X[test], y[test]) > 0.35  # linear regression has .47 with all, .42 with these
    low, high = model.predict_interval(X[test])
    assert 0.85 < np.mean((low <= y[test]) & (y[test] <= high)) < 0.95
    mean, std = model.predict(X[test], return_std=True)
    assert np.array_equal(mean, model.predict(X[test]))
    assert (std > 0).all()


def test_in_pipelines_and_grids() -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:60], y[:60]
    pipeline = make_pipeline(StandardScaler(), ForetellRegressor(GaussianProcess()))
    assert len(cross_val_score(pipeline, X, y, cv=3)) == 3
    grid = GridSearchCV(ForetellRegressor(), {"surrogate": [GaussianProcess(), ExtraTrees(n_trees=10)]}, cv=2)
    assert grid.fit(X, y).best_params_["surrogate"] in [GaussianProcess(), ExtraTrees(n_trees=10)]


def test_absent_numbers_are_allowed() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((60, 3))
    y = X[:, 0] + (X[:, 1] > 0.5)
    X[rng.random((60, 3)) < 0.2] = np.nan
    assert np.corrcoef(ForetellRegressor().fit(X, y).predict(X), y)[0, 1] > 0.7


def test_wrong_coverage_is_refused() -> None:
    model = ForetellRegressor(GaussianProcess()).fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(InvalidDataError, match=r"`0 < coverage < 1` must hold, but got coverage=90: 0\.9 is usual"):
        model.predict_interval([[0.5]], coverage=90)
