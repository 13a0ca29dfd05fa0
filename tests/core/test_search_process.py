"""The process of a search: the library's own process where it must agree, closed forms elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.surrogates import GaussianProcess
from foretell.surrogates.gaussian_process import FittedGaussianProcess
from foretell.surrogates.search_process import (
    Layout,
    SearchProcess,
    _negative_log_posterior,
    fit_theta,
    spread_rows,
)

RNG = np.random.default_rng(0)
X = RNG.random((24, 5))
Y = np.sin(4 * X[:, 0]) + X[:, 1] - X[:, 3] + 0.05 * RNG.standard_normal(24)
NEW = RNG.random((9, 5))
GROUPS = np.array([0, 1, 1, 2, 3])
LAYOUT = Layout(GROUPS, np.array([0, 0, 0, 1, -1]), 4, 2)
THETA = np.log([0.5, 0.9, 1.4, 0.7, 0.8, 0.01, 0.3, 0.6])


def dense(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The kernel from its definition."""
    r2 = sum(
        ((a[:, None, GROUPS == g] - b[None, :, GROUPS == g]) ** 2).mean(axis=2) / np.exp(2 * THETA[g]) for g in range(4)
    )
    r = np.sqrt(5 * r2)
    straight = 0.3 * a[:, :3] @ b[:, :3].T + 0.6 * a[:, 3:4] @ b[:, 3:4].T
    return 0.8 * (1 + r + r**2 / 3) * np.exp(-r) + straight


def test_without_straight_effects_it_is_the_other_process() -> None:
    flat = Layout(GROUPS, np.full(5, -1), 4, 2)
    mine = SearchProcess.condition_on(X, Y, flat, THETA)
    other = FittedGaussianProcess.condition_on(X, Y, GROUPS, THETA[:6])
    a, b = mine.predict(NEW), other.predict_latent(NEW)
    np.testing.assert_allclose(a.mean, b.mean, atol=1e-6)
    np.testing.assert_allclose(a.std, b.std, atol=1e-6)
    np.testing.assert_allclose(mine.smoothed, other.smoothed, atol=1e-6)


def test_the_posterior_by_the_book() -> None:
    K = dense(X, X) + 0.01 * np.eye(24)
    inverse = np.linalg.inv(K)
    mean = inverse.sum(axis=0) @ Y / inverse.sum()
    k = dense(NEW, X)
    found = SearchProcess.condition_on(X, Y, LAYOUT, THETA).predict(NEW)
    np.testing.assert_allclose(found.mean, mean + k @ inverse @ (Y - mean), atol=1e-5)
    np.testing.assert_allclose(
        found.std**2, np.diag(dense(NEW, NEW)) - np.einsum("ij,jk,ik->i", k, inverse, k), atol=1e-5
    )


def test_believing_changes_no_mean_and_shrinks_the_variance_as_an_observation_would() -> None:
    process = SearchProcess.condition_on(X, Y, LAYOUT, THETA)
    told = process.believing(NEW[:3])
    full = SearchProcess.condition_on(
        np.concatenate([X, NEW[:3]]), np.concatenate([Y, process.predict(NEW[:3]).mean]), LAYOUT, THETA
    )
    np.testing.assert_allclose(told.predict(NEW).mean, process.predict(NEW).mean, atol=1e-8)
    np.testing.assert_allclose(told.predict(NEW).std, full.predict(NEW).std, atol=1e-5)
    assert (told.predict(NEW).std < process.predict(NEW).std).all()
    assert process.believing(NEW[:0]) is process


def test_leave_one_out_by_leaving_one_out() -> None:
    process = SearchProcess.condition_on(X, Y, LAYOUT, THETA)
    K = dense(X, X) + 0.01 * np.eye(24)
    rest = np.arange(24) != 7
    weights = np.linalg.solve(K[np.ix_(rest, rest)], K[rest, 7])
    left = process.leave_one_out()
    assert left.mean[7] == pytest.approx(process.mean + weights @ (Y[rest] - process.mean), abs=1e-5)
    assert left.std[7] ** 2 == pytest.approx(K[7, 7] - weights @ K[rest, 7], abs=1e-5)


def test_the_gradient_is_that_of_the_value() -> None:
    D = np.stack([((X[:, None, GROUPS == g] - X[None, :, GROUPS == g]) ** 2).mean(axis=2).ravel() for g in range(4)])
    Z = np.stack([(X[:, b] @ X[:, b].T).ravel() for b in ([0, 1, 2], [3])])
    prior = np.zeros(8), np.full(8, 3.0)
    _, gradient = _negative_log_posterior(THETA, D, Z, Y - Y.mean(), *prior)
    for i in range(8):
        step = np.eye(8)[i] * 1e-5
        up, down = (_negative_log_posterior(THETA + s, D, Z, Y - Y.mean(), *prior)[0] for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-4)


def test_a_sum_of_effects_is_told_from_few_observations() -> None:
    """20 parameters of 4 choices, 60 observations: far from all of them, a straight effect still counts."""
    rng = np.random.default_rng(3)
    effects = rng.standard_normal((20, 4))
    codes = rng.integers(0, 4, (160, 20))
    hot = (codes[:, :, None] == np.arange(4)).reshape(160, 80) * np.sqrt(0.5)
    y = effects[np.arange(20), codes].sum(axis=1)
    y = (y - y[:60].mean()) / y[:60].std()
    groups = np.repeat(np.arange(20), 4)
    X = hot - hot[:60].mean(axis=0)

    def agreement(blocks: np.ndarray) -> float:
        layout = Layout(groups, blocks, 20, 1)
        theta = fit_theta(X[:60], y[:60], layout)
        belief = SearchProcess.condition_on(X[:60], y[:60], layout, theta).predict(X[60:])
        return float(np.corrcoef(belief.mean, y[60:])[0, 1])

    assert agreement(np.zeros(80, dtype=int)) > max(agreement(np.full(80, -1)), 0.6)


def test_theta_is_near_that_of_the_other_process() -> None:
    flat = Layout(GROUPS, np.full(5, -1), 4, 0)
    mine = fit_theta(X, Y, flat)
    other = GaussianProcess(max_iterations=200).fit(X, Y, [f"g{g}" for g in GROUPS]).theta
    a, b = (SearchProcess.condition_on(X, Y, flat, t).predict(NEW).mean for t in (mine, other))
    np.testing.assert_allclose(a, b, atol=0.1)


def test_degenerate_targets_and_columns_are_survived() -> None:
    assert np.isfinite(fit_theta(np.zeros((6, 5)), np.arange(6.0), LAYOUT)).all()
    assert np.isfinite(fit_theta(X, np.zeros(24), LAYOUT)).all()
    twice = SearchProcess.condition_on(np.repeat(X, 2, axis=0), np.repeat(Y, 2), LAYOUT, np.full(8, -9.0))
    assert np.isfinite(twice.predict(NEW).mean).all()


def test_rows_that_stand_for_all_hold_the_best_and_the_latest() -> None:
    y = np.random.default_rng(1).standard_normal(500)
    kept = spread_rows(y, 90, recent=20)
    assert len(kept) == len(set(kept.tolist())) <= 90
    assert set(np.argsort(-y)[:30].tolist()) <= set(kept.tolist())
    assert set(range(480, 500)) <= set(kept.tolist())
    assert spread_rows(y[:50], 90).tolist() == list(range(50))
