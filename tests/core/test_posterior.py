"""Posteriors against scipy and simulation; the target warp monotone, inverse to itself, robust."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, WarpedPosterior, normal_quantile
from foretell.target_warp import TargetWarp

GAUSS = GaussianPosterior(np.array([0.0, 1.0, -2.0]), np.array([1.0, 0.5, 3.0]))
NUMBERS = st.integers(-1000, 1000).map(lambda i: i / 8)
TARGETS = st.lists(NUMBERS, min_size=1, max_size=40)


# normal distributions


@pytest.mark.parametrize("q", [0.01, 0.25, 0.5, 0.975])
def test_quantiles_equal_scipy(q: float) -> None:
    np.testing.assert_allclose(GAUSS.quantile(q), stats.norm.ppf(q, GAUSS.mean, GAUSS.std), atol=1e-12)


def test_samples_follow_the_distribution_and_the_seed() -> None:
    draws = GAUSS.sample(4000, seed=0)
    assert draws.shape == (4000, 3)
    for column, mean, std in zip(draws.T, GAUSS.mean, GAUSS.std, strict=True):
        assert stats.kstest(column, "norm", args=(mean, std)).pvalue > 0.001
    np.testing.assert_array_equal(draws, GAUSS.sample(4000, seed=0))
    assert not np.array_equal(draws, GAUSS.sample(4000, seed=1))
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.05


@pytest.mark.parametrize("q", [0.0, 1.0, -0.5, math.nan])
def test_quantiles_lie_inside(q: float) -> None:
    with pytest.raises(InvalidDataError, match="`0 < q < 1` must hold, but got q="):
        normal_quantile(q)


@pytest.mark.parametrize("std", [[1.0, 0.0], [1.0, -1.0], [1.0, np.inf], [1.0, np.nan], [1.0]])
def test_a_std_is_positive(std: list[float]) -> None:
    with pytest.raises(InvalidDataError, match="one positive std a mean, but got shapes"):
        GaussianPosterior(np.zeros(2), np.array(std))


# target warp


def test_scores_by_hand() -> None:
    warp = TargetWarp.fit(np.array([3.0, 1.0, 1.0, 2.0]))
    assert warp.values.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(warp.scores, stats.norm.ppf([0.25, 0.625, 0.875]))


def test_scores_are_normal_whatever_the_target() -> None:
    y = np.exp(5 * np.random.default_rng(0).standard_normal(500))
    z = TargetWarp.fit(y).forward(y)
    assert abs(z.mean()) < 1e-9
    assert z.std() == pytest.approx(1.0, abs=0.01)
    assert np.array_equal(np.argsort(z), np.argsort(y))


@given(TARGETS, st.lists(NUMBERS, min_size=2, max_size=20))
@settings(max_examples=150, deadline=None)
def test_the_warp_is_strictly_monotone(targets: list[float], at: list[float]) -> None:
    warp = TargetWarp.fit(np.array(targets))
    x = np.unique(np.array(at))
    assert (np.diff(warp.forward(x)) > 0).all()
    assert (np.diff(warp.inverse(x)) > 0).all()


@given(st.lists(NUMBERS, min_size=2, max_size=40, unique=True), st.lists(NUMBERS, min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_inverse_undoes_forward_also_beyond_the_data(targets: list[float], at: list[float]) -> None:
    warp = TargetWarp.fit(np.array(targets))
    np.testing.assert_allclose(warp.inverse(warp.forward(np.array(at))), at, rtol=1e-9, atol=1e-9)


@given(TARGETS)
@settings(max_examples=60, deadline=None)
def test_a_monotone_change_of_the_target_changes_no_score(targets: list[float]) -> None:
    y = np.array(targets)
    cubed = y**3
    np.testing.assert_allclose(TargetWarp.fit(y).forward(y), TargetWarp.fit(cubed).forward(cubed), atol=1e-12)


def test_infinite_targets_count_in_ranks_and_lie_beyond_the_ends() -> None:
    y = np.array([-np.inf, 1.0, 2.0, 3.0, np.inf])
    warp = TargetWarp.fit(y)
    z = warp.forward(y)
    assert np.isfinite(z).all()
    assert (np.diff(z) > 0).all()
    np.testing.assert_allclose(z[1:4], stats.norm.ppf([0.3, 0.5, 0.7]))
    assert z[4] == pytest.approx(z[3] + 0.5)
    assert np.isfinite(warp.inverse(z)).all()


@pytest.mark.parametrize("y", [[np.inf, np.inf], [-np.inf], [-np.inf, np.inf]])
def test_nothing_finite_still_ranks(y: list[float]) -> None:
    warp = TargetWarp.fit(np.array(y))
    z = warp.forward(np.array([-np.inf, np.inf]))
    assert z[0] < z[1]
    assert warp.inverse(z).tolist() == [0.0, 0.0]


def test_one_distinct_value_keeps_a_slope() -> None:
    warp = TargetWarp.fit(np.array([7.0, 7.0]))
    assert warp.inverse(np.array([0.0])).tolist() == [7.0]
    assert warp.inverse(np.array([1.0]))[0] > 7.0


@pytest.mark.parametrize(
    ("y", "shape"), [([], r"\(0,\)"), ([1.0, np.nan], r"\(2,\) with 1 nan"), ([[1.0]], r"\(1, 1\)")]
)
def test_targets_are_a_vector_of_numbers(y: list, shape: str) -> None:
    with pytest.raises(InvalidDataError, match=f"must be a vector of numbers, but got shape {shape}"):
        TargetWarp.fit(np.array(y))


# warped distributions


def test_a_warped_posterior_equals_its_own_simulation() -> None:
    warp = TargetWarp.fit(np.exp(np.random.default_rng(0).standard_normal(200)))
    posterior = WarpedPosterior(GaussianPosterior(np.array([0.0, 1.0]), np.array([0.3, 0.6])), warp)
    draws = posterior.sample(200_000, seed=1)
    np.testing.assert_allclose(posterior.mean, draws.mean(axis=0), rtol=0.02)
    np.testing.assert_allclose(posterior.std, draws.std(axis=0), rtol=0.05)
    for q in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(posterior.quantile(q), np.quantile(draws, q, axis=0), rtol=0.02)


def test_a_linear_warp_changes_units_only() -> None:
    warp = TargetWarp(np.array([10.0, 30.0]), np.array([-1.0, 1.0]))
    posterior = WarpedPosterior(GAUSS, warp)
    np.testing.assert_allclose(posterior.mean, 20 + 10 * GAUSS.mean, atol=1e-9)
    np.testing.assert_allclose(posterior.std, 10 * GAUSS.std, rtol=0.02)  # 64 quantiles lack the far tails
    np.testing.assert_allclose(posterior.quantile(0.3), 20 + 10 * GAUSS.quantile(0.3))


@pytest.mark.parametrize("fit", [TargetWarp.fit_top_linear, TargetWarp.fit_log_regret], ids=["linear", "log"])
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=40))
def test_the_search_warps_keep_the_order_and_find_the_way_back(
    fit: Callable[[np.ndarray], TargetWarp], values: list[float]
) -> None:
    y = np.array(values)
    warp = fit(y)
    z = warp.forward(y)
    assert np.isfinite(z).all()
    order = np.argsort(y, kind="stable")
    assert (np.diff(z[order]) >= -1e-12).all()
    span = float(y.max() / 2 - y.min() / 2) * 2 if len(set(values)) > 1 else 1.0
    assert np.allclose(warp.inverse(z) / max(span, 1e-300), y / max(span, 1e-300), atol=1e-6)


def test_the_search_warp_is_linear_on_top_and_squeezes_the_bottom() -> None:
    y = np.array([-1e9, -5.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    z = TargetWarp.fit_top_linear(y).forward(y)
    assert np.allclose(np.diff(z[3:]), z[4] - z[3])
    assert z[0] > -10 * (z[-1] - z[3])
    assert TargetWarp.fit_top_linear(np.array([2.0, 2.0, -np.inf])).forward(np.array([2.0]))[0] == pytest.approx(
        TargetWarp.fit(np.array([2.0, 2.0, -np.inf])).forward(np.array([2.0]))[0]
    )


def test_the_log_regret_warp_by_hand() -> None:
    y = np.array([0.0, 4.0, 6.0, 7.0, 8.0])  # misses 8, 4, 2, 1, 0; half of what the median misses is 1
    z = -np.log(np.array([9.0, 5.0, 3.0, 2.0, 1.0]))
    np.testing.assert_allclose(TargetWarp.fit_log_regret(y).forward(y), (z - z.mean()) / z.std())
    far = TargetWarp.fit_log_regret(np.append(y, -1e9)).forward(np.append(y, -1e9))
    assert far.min() > -2.5  # one diverged run does not flatten the others


def test_the_log_regret_warp_of_few_or_equal_targets() -> None:
    for y in ([2.0], [3.0, 3.0], [np.inf, 1.0], [5.0, 5.0, 5.0, 1.0], [-np.inf, 0.0, 1.0]):
        z = TargetWarp.fit_log_regret(np.array(y)).forward(np.array(y))
        assert np.isfinite(z).all()
        assert np.argmax(y) in np.flatnonzero(z == z.max())
    with pytest.raises(InvalidDataError, match=r"targets must be a vector of numbers, but got shape \(1,\) with 1 nan"):
        TargetWarp.fit_log_regret(np.array([np.nan]))
