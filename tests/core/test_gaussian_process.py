"""The Gaussian process against scikit-learn, numerical gradients, brute force, and what any posterior must obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from foretell.errors import PluginError
from foretell.surrogates import SURROGATES, GaussianProcess
from foretell.surrogates.gaussian_process import (
    FittedGaussianProcess,
    fit_rows,
    group_index,
)
from foretell.surrogates.theta_fit import negative_log_posterior

GROUPS = ("a", "b", "a", "c")
INDEX = group_index(GROUPS)
THETA = np.log(np.array([0.8, 2.0, 0.5, 1.7, 0.03]))


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.random((n, len(GROUPS)))
    return X, np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(n)


def scikit_learn(X: np.ndarray, y: np.ndarray, theta: np.ndarray, mean: float) -> GaussianProcessRegressor:
    """The same process by another library; a column's length scale is its group's, times the root of its size."""
    scales = np.exp(theta[INDEX]) * np.sqrt(np.bincount(INDEX)[INDEX])
    s2, t2 = np.exp(theta[-2:])
    kernel = ConstantKernel(s2) * Matern(scales, nu=2.5) + WhiteKernel(t2)
    return GaussianProcessRegressor(kernel, alpha=1e-8 * s2, optimizer=None).fit(X, y - mean)


def test_groups_are_numbered_in_order() -> None:
    assert INDEX.tolist() == [0, 1, 0, 2]
    assert len(group_index(())) == 0


def test_prediction_equals_scikit_learn() -> None:
    X, y = data(25)
    new, _ = data(11, seed=1)
    ours = FittedGaussianProcess.condition_on(X, y, INDEX, THETA)
    mean, std = scikit_learn(X, y, THETA, ours.mean).predict(new, return_std=True)
    posterior = ours.predict(new)
    np.testing.assert_allclose(posterior.mean, mean + ours.mean, atol=1e-8)
    np.testing.assert_allclose(posterior.std, std, rtol=1e-7)


def test_constant_mean_is_generalised_least_squares() -> None:
    X, y = data(12)
    ours = FittedGaussianProcess.condition_on(X, y, INDEX, THETA)
    inverse = np.linalg.inv(ours.cholesky @ ours.cholesky.T)
    assert ours.mean == pytest.approx(inverse.sum(axis=0) @ y / inverse.sum(), rel=1e-9)


def log_prior(theta: np.ndarray, groups: int) -> float:
    """Log density of the documented prior, up to a constant."""
    centre = math.sqrt(2) + 0.5 * math.log(groups)
    away = ((theta[:groups] - centre) ** 2 / 3).sum() + theta[-2] ** 2 / 2 + (theta[-1] - math.log(0.02)) ** 2 / 4
    return -0.5 * float(away)


def prior(centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of theta, as documented, about these log length scales."""
    return np.concatenate([centre, [0.0, math.log(0.02)]]), np.array([*np.full(len(centre), 3.0), 2.0, 4.0])


def distances(X: np.ndarray) -> np.ndarray:
    """D_g, divided by the number of columns in each group."""
    return np.stack([((X[:, None, INDEX == g] - X[None, :, INDEX == g]) ** 2).mean(axis=2) for g in range(3)])


def test_likelihood_equals_scikit_learn() -> None:
    X, y = data(25)
    y = y - y.mean()
    value, _ = negative_log_posterior(THETA, distances(X), y, *prior(np.full(3, math.sqrt(2) + 0.5 * math.log(3))))
    reference = scikit_learn(X, y, THETA, 0.0).log_marginal_likelihood_value_
    assert -value - log_prior(THETA, 3) == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_equals_finite_differences(seed: int) -> None:
    X, y = data(15, seed)
    D, centre = distances(X), np.full(3, 1.7)
    theta = THETA + np.random.default_rng(seed).normal(0, 0.5, len(THETA))
    _, gradient = negative_log_posterior(theta, D, y, *prior(centre))
    numeric = approx_fprime(theta, lambda t: negative_log_posterior(t, D, y, *prior(centre))[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-3)


def test_the_fit_is_a_stationary_point_or_on_a_bound() -> None:
    X, y = data(40)
    fitted = GaussianProcess(max_iterations=500).fit(X, y, GROUPS)
    centre = np.full(3, math.sqrt(2) - 3 + 0.5 * math.log(3))
    start = np.array([*np.full(3, math.log(0.7) + 0.5 * math.log(3)), 0.0, math.log(0.05)])
    best, gradient = negative_log_posterior(fitted.theta, distances(X), y - y.mean(), *prior(centre))
    before, _ = negative_log_posterior(start, distances(X), y - y.mean(), *prior(centre))
    assert best < before - 1
    assert np.abs(gradient).max() < 0.05


def test_a_weighty_prior_keeps_theta_near_its_most_probable_value() -> None:
    X, y = data(15)
    centre = np.array([*np.full(3, math.log(1.4) + 0.5 * math.log(3)), 0.0, math.log(0.15)])
    away = [
        np.abs(GaussianProcess(100, 1.4, noise=0.15, prior_weight=w).fit(X, y, GROUPS).theta - centre).max()
        for w in (1.0, 10.0, 1e6)
    ]
    assert away[0] > away[1] > away[2]
    assert away[2] < 1e-3
    value, gradient = negative_log_posterior(centre, distances(X), y, centre, np.full(5, 3.0 / 7.0))
    without, likelihood = negative_log_posterior(centre, distances(X), y, centre, np.full(5, 1e9))
    assert value == pytest.approx(without)  # where the prior is flat, its weight does not matter
    np.testing.assert_allclose(gradient, likelihood)


def test_it_learns_a_smooth_function() -> None:
    X, _ = data(80)
    new, _ = data(50, seed=9)
    truth = np.sin(3 * new[:, 0]) + new[:, 1] * new[:, 2]
    fitted = GaussianProcess().fit(X, np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2], GROUPS)
    posterior = fitted.predict(new)
    assert np.abs(posterior.mean - truth).max() < 0.05
    assert np.exp(fitted.theta[2]) > 3 * np.exp(fitted.theta[0])  # the fourth column does not matter


def test_leave_one_out_equals_n_solves() -> None:
    X, y = data(14)
    ours = FittedGaussianProcess.condition_on(X, y, INDEX, THETA)
    K = ours.cholesky @ ours.cholesky.T
    loo = ours.leave_one_out()
    for i in range(len(y)):
        rest = np.delete(np.arange(len(y)), i)
        weights = np.linalg.solve(K[np.ix_(rest, rest)], K[rest, i])
        assert loo.mean[i] == pytest.approx(ours.mean + weights @ (y[rest] - ours.mean), abs=1e-8)
        assert loo.std[i] ** 2 == pytest.approx(K[i, i] - weights @ K[rest, i], rel=1e-7)


def test_conditioning_equals_fitting_all_rows_at_that_theta() -> None:
    X, y = data(20)
    whole = FittedGaussianProcess.condition_on(X, y, INDEX, THETA)
    parts = FittedGaussianProcess.condition_on(X[:13], y[:13], INDEX, THETA).condition(X[13:], y[13:])
    new, _ = data(7, seed=2)
    np.testing.assert_allclose(parts.predict(new).mean, whole.predict(new).mean, atol=1e-12)
    np.testing.assert_allclose(parts.predict(new).std, whole.predict(new).std, atol=1e-12)


def test_columns_of_a_group_share_their_weight() -> None:
    """Splitting a column into two equal ones of its group changes nothing."""
    X, y = data(20)
    twice = X[:, [0, 0, 1]]
    once = X[:, [0, 1]]
    a = FittedGaussianProcess.condition_on(twice, y, np.array([0, 0, 1]), np.log([0.5, 0.9, 1.0, 0.1]))
    b = FittedGaussianProcess.condition_on(once, y, np.array([0, 1]), np.log([0.5, 0.9, 1.0, 0.1]))
    np.testing.assert_allclose(a.predict(twice[:5] + 0.1).mean, b.predict(once[:5] + 0.1).mean, atol=1e-10)


@given(st.integers(2, 25), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_variance_is_positive_below_the_prior_and_smaller_at_data(n: int, seed: int) -> None:
    X, y = data(n, seed)
    fitted = GaussianProcess().fit(X, y, GROUPS)
    at_data, far = fitted.predict(X).std, fitted.predict(X + 1e4).std
    s2, t2 = np.exp(fitted.theta[-2:])
    assert at_data.min() > 0
    assert far == pytest.approx(np.sqrt(s2 + t2), rel=1e-6)
    assert at_data.max() < far.min()


@given(st.integers(2, 12), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_rows_may_come_in_any_order(n: int, seed: int) -> None:
    X, y = data(n, seed)
    order = np.random.default_rng(seed).permutation(n)
    new, _ = data(4, seed + 1)
    a = FittedGaussianProcess.condition_on(X, y, INDEX, THETA).predict(new)
    b = FittedGaussianProcess.condition_on(X[order], y[order], INDEX, THETA).predict(new)
    np.testing.assert_allclose(a.mean, b.mean, atol=1e-9)
    np.testing.assert_allclose(a.std, b.std, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_use_the_prior(n: int) -> None:
    X, y = data(n)
    fitted = GaussianProcess().fit(X, y, GROUPS)
    assert fitted.theta[:3] == pytest.approx(math.sqrt(2) - 3 + 0.5 * math.log(3))
    assert np.isfinite(fitted.predict(X).mean).all()


def test_no_columns_and_constant_targets() -> None:
    bare = GaussianProcess().fit(np.empty((5, 0)), np.arange(5.0), ())
    assert bare.predict(np.empty((2, 0))).mean == pytest.approx([2.0, 2.0])
    X, _ = data(6)
    flat = GaussianProcess().fit(X, np.full(6, 3.0), GROUPS)
    assert flat.predict(X).mean == pytest.approx(3.0)


def test_repeated_rows_do_not_break_the_cholesky_factor() -> None:
    X = np.repeat(data(3)[0], 20, axis=0)
    posterior = GaussianProcess().fit(X, np.tile([0.0, 1.0], 30), GROUPS).predict(X)
    np.testing.assert_allclose(posterior.mean, 0.5, atol=0.05)


def test_predicting_nothing() -> None:
    X, y = data(5)
    assert GaussianProcess().fit(X, y, GROUPS).predict(np.empty((0, 4))).mean.shape == (0,)


def test_single_precision_and_integers_are_converted() -> None:
    X, y = data(12)
    X32, y32 = X.astype(np.float32), y.astype(np.float32)
    a = GaussianProcess().fit(X32, y32, GROUPS).predict(X)
    b = GaussianProcess().fit(X32.astype(np.float64), y32.astype(np.float64), GROUPS).predict(X)
    np.testing.assert_array_equal(a.mean, b.mean)


def test_rows_for_fitting_keep_the_best_and_spread_over_the_rest() -> None:
    assert fit_rows(np.arange(200.0)).tolist() == list(range(200))
    y = np.random.default_rng(0).permutation(900).astype(float)
    rows = fit_rows(y)
    assert len(rows) == len(set(rows.tolist())) == 200
    assert set(np.argsort(-y)[:50].tolist()) <= set(rows.tolist())
    assert np.diff(rows).max() < 20


def test_more_rows_than_are_fitted_are_all_conditioned_on() -> None:
    X, y = data(240)
    fitted = GaussianProcess(max_iterations=3).fit(X, y, GROUPS)
    assert len(fitted.y) == 240


def test_the_same_data_give_the_same_fit_bit_for_bit() -> None:
    X, y = data(30)
    a, b = (GaussianProcess().fit(X.copy(), y.copy(), GROUPS) for _ in range(2))
    assert a.theta.tobytes() == b.theta.tobytes()


def test_noise_is_in_the_units_of_the_target() -> None:
    X, y = data(10)
    assert FittedGaussianProcess.condition_on(X, y, INDEX, THETA).noise_std == pytest.approx(math.sqrt(0.03))


def test_arrays_and_settings_round_trip() -> None:
    X, y = data(10)
    settings_ = GaussianProcess(max_iterations=5)
    fitted = settings_.fit(X, y, GROUPS)
    again = SURROGATES.make("gaussian_process", settings_.to_config()).from_arrays(fitted.to_arrays())
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    with pytest.raises(PluginError, match="a known surrogate is needed"):
        SURROGATES.make("alien", {})


def test_smoothed_equals_the_prediction_at_the_observed_rows() -> None:
    X, y = data(30)
    fitted = GaussianProcess().fit(X, y, GROUPS)
    np.testing.assert_allclose(fitted.smoothed, fitted.predict(X).mean, atol=1e-6)
