"""Calibrated intervals: the factor by hand, and what is inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import Hyperparameters, Predictor, SearchSpace
from foretell.distributions import FloatDistribution
from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, normal_quantile
from foretell.surrogates import Calibrated, CrossFitted, ExtraTrees, GaussianProcess
from foretell.surrogates.calibrated import conformal_factor

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (120, 3))
Y = np.sin(3 * X[:, 0]) + X[:, 1] + 0.2 * RNG.standard_normal(120)
GROUPS = ("a", "b", "c")


def test_the_factor_by_hand() -> None:
    errors = np.arange(1.0, 100.0)  # 99 of them: the 90th is the smallest with 0.9 * 100 at or below it
    needed = 90.0 / 1.6448536269514722
    assert conformal_factor(errors / 50) == pytest.approx((99 * needed / 50 + 10) / 109 * (1 + 150 / 99**2))
    assert conformal_factor(errors) == pytest.approx(4.0 * (1 + 150 / 99**2))
    assert conformal_factor(np.zeros(1000)) == pytest.approx(0.25 * 1.00015)
    assert conformal_factor(np.full(10, normal_quantile(0.95))) == pytest.approx(1.5)
    assert conformal_factor(errors / 50, prior=0.0) == pytest.approx(needed / 50 * (1 + 150 / 99**2))
    assert conformal_factor(errors / 50, prior=1e9) == pytest.approx(1 + 150 / 99**2)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.floats(1.1, 3.0))
def test_larger_errors_never_shrink_the_factor(errors: list[float], by: float) -> None:
    assert conformal_factor(np.array(errors) * by) >= conformal_factor(np.array(errors))


@dataclass(frozen=True)
class Boastful:
    """A surrogate whose standard deviations are wrong by a factor."""

    name = "boastful"
    inner: GaussianProcess
    by: float

    def fit(self, X: np.ndarray, y: np.ndarray, groups: tuple[str, ...]) -> BoastfulFit:
        return BoastfulFit(self.inner.fit(X, y, groups), self.by)


@dataclass(frozen=True)
class BoastfulFit:
    fitted: object
    by: float

    def predict(self, X: np.ndarray) -> GaussianPosterior:
        found = self.fitted.predict(X)
        return GaussianPosterior(found.mean, found.std * self.by)

    def leave_one_out(self) -> GaussianPosterior:
        found = self.fitted.leave_one_out()
        return GaussianPosterior(found.mean, found.std * self.by)


@pytest.mark.parametrize("by", [0.4, 1.0, 2.5])
def test_intervals_hold_however_wrong_the_surrogate_is_about_itself(by: float) -> None:
    inside = []
    for seed in range(8):
        rows = np.random.default_rng(seed).permutation(120)
        train, test = rows[:60], rows[60:]
        belief = Calibrated(Boastful(GaussianProcess(), by)).fit(X[train], Y[train], GROUPS).predict(X[test])
        low, high = belief.quantile(0.05), belief.quantile(0.95)
        inside.append(np.mean((Y[test] >= low) & (Y[test] <= high)))
    assert 0.85 < np.mean(inside) < 0.97


def test_means_stay_and_all_deviations_share_the_factor() -> None:
    plain = CrossFitted(ExtraTrees(n_trees=5)).fit(X, Y, GROUPS)
    found = Calibrated(CrossFitted(ExtraTrees(n_trees=5))).fit(X, Y, GROUPS)
    np.testing.assert_array_equal(found.predict(X[:9]).mean, plain.predict(X[:9]).mean)
    np.testing.assert_allclose(found.predict(X[:9]).std, found.factor * plain.predict(X[:9]).std)
    np.testing.assert_allclose(found.leave_one_out().std, found.factor * plain.leave_one_out().std)


def test_what_cannot_leave_one_out_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="must be able to leave one out, but extra_trees cannot: CrossFitted"):
        Calibrated(ExtraTrees(n_trees=3)).fit(X, Y, GROUPS)
    with pytest.raises(InvalidDataError, match="`prior >= 0` must hold, but got self.prior=-1"):
        Calibrated(ExtraTrees(n_trees=3), -1)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_observations(n: int) -> None:
    belief = Calibrated(GaussianProcess()).fit(X[:n], Y[:n], GROUPS).predict(X[:5])
    assert np.isfinite(belief.mean).all()


def test_a_predictor_survives_saving(tmp_path) -> None:
    space = SearchSpace({"x": FloatDistribution(-1, 1)})
    configs = [{"x": float(v)} for v in X[:30, 0]]
    predictor = Predictor((Hyperparameters(space),), Calibrated(GaussianProcess())).fit(configs, Y[:30])
    predictor.save(tmp_path / "saved")
    again = Predictor.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.predict(configs).std, predictor.predict(configs).std)
