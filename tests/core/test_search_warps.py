"""Scales of a search's targets: monotone, standardised, with the slope that they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.search_warps import SCALES, on_scale, warped
from foretell.target_warp import TargetWarp

VALUES = st.lists(st.integers(-50, 50), min_size=3, max_size=25).filter(lambda v: len(set(v)) > 1)


@pytest.mark.parametrize("share", SCALES)
@given(values=VALUES)
@settings(max_examples=40, deadline=None)
def test_order_stays_and_the_scale_is_standard(share: float, values: list[int]) -> None:
    y = np.array(values, dtype=float)
    z, _ = warped(y, share)
    assert z.mean() == pytest.approx(0.0, abs=1e-9)
    assert z.std() == pytest.approx(1.0)
    order = np.argsort(y, kind="stable")
    assert (np.diff(z[order]) >= 0).all()
    assert ((np.diff(z[order]) > 0) == (np.diff(y[order]) > 0)).all()


@pytest.mark.parametrize("share", SCALES)
def test_the_slope_is_the_derivative_with_the_scale_held(share: float) -> None:
    y = np.random.default_rng(0).standard_normal(400) ** 3
    z, log_slope = warped(y, share)
    order = np.argsort(y)
    rise = np.diff(z[order]) / np.diff(y[order])
    between = 0.5 * (np.exp(log_slope[order][1:]) + np.exp(log_slope[order][:-1]))
    near = np.diff(y[order]) < 0.01
    np.testing.assert_allclose(rise[near], between[near], rtol=0.05)


def test_the_plain_scale_is_that_of_the_target_warp() -> None:
    y = np.random.default_rng(1).standard_normal(60) ** 3
    np.testing.assert_allclose(warped(y, np.inf)[0], TargetWarp.fit_top_linear(y).forward(y), atol=1e-9)


@pytest.mark.parametrize("share", SCALES)
def test_infinite_and_equal_targets_are_survived(share: float) -> None:
    z, log_slope = warped(np.array([np.inf, 1.0, 2.0, 3.0, -np.inf]), share)
    assert z[0] == z[3] + 0.5
    assert z[4] == z[1] - 0.5
    assert log_slope[[0, 4]].tolist() == [0.0, 0.0]
    assert warped(np.full(4, 7.0), share)[0].tolist() == [0.0] * 4
    assert np.isfinite(warped(np.array([np.inf, -np.inf]), share)[0]).all()
    assert np.isfinite(warped(np.array([1e308, -1e308, 0.0]), share)[0]).all()


@pytest.mark.parametrize("share", SCALES)
def test_targets_alone_are_the_same(share: float) -> None:
    y = np.append(np.random.default_rng(3).standard_normal(30), [np.inf, -np.inf])
    np.testing.assert_array_equal(on_scale(y, share), warped(y, share)[0])


def test_scale_and_origin_of_the_target_change_nothing() -> None:
    y = np.random.default_rng(2).standard_normal(30)
    for share in SCALES:
        np.testing.assert_allclose(warped(1e5 * y + 3e4, share)[0], warped(y, share)[0], atol=1e-6)


@pytest.mark.parametrize("share", SCALES)
@given(
    values=st.lists(
        st.sampled_from([0.0, 5e-324, 1e-310, 2e-310, 1e-300, 1.0, 1.0 + 2**-52, 1e300, 1.797e308, np.inf])
        .flatmap(lambda v: st.sampled_from([v, -v])),
        min_size=1,
        max_size=30,
    )
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_size_of_targets_is_too_small_or_too_large(share: float, values: list[float]) -> None:
    z, slope = warped(np.array(values), share)
    assert np.isfinite(z).all()
    assert np.isfinite(slope).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(z[order]) >= 0).all()
    warp = TargetWarp.fit_top_linear(np.array(values))
    assert np.isfinite(warp.forward(np.array(values))).all()
