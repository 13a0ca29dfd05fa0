"""Tracked intervals: the update by hand, the share that misses on sequences that no model fits, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, WarpedPosterior
from foretell.target_warp import TargetWarp
from foretell.tracked_intervals import TrackedIntervals

UNIT = GaussianPosterior(np.zeros(1), np.ones(1))


def test_the_factor_by_hand() -> None:
    start = TrackedIntervals(width=1.0, rate=0.5)
    assert start.after(UNIT, np.array([1.65])).width == pytest.approx(np.exp(0.45))
    assert start.after(UNIT, np.array([-1.65])).width == pytest.approx(np.exp(0.45))
    assert start.after(UNIT, np.array([1.64])).width == pytest.approx(np.exp(-0.05))
    three = GaussianPosterior(np.zeros(3), np.ones(3))
    assert start.after(three, np.array([0.0, 9.0, 9.0])).width == pytest.approx(np.exp(0.5 * (2 * 0.9 - 0.1)))
    assert TrackedIntervals(width=0.2, rate=1.0).after(UNIT, np.zeros(1)).width == 0.2  # never to nothing


def test_medians_stay_and_tails_move_through_a_warp() -> None:
    warp = TargetWarp(np.array([0.0, 1.0, 10.0]), np.array([-2.0, 0.0, 2.0]))
    belief = WarpedPosterior(GaussianPosterior(np.array([0.3, -0.5]), np.array([0.5, 0.4])), warp)
    wider = TrackedIntervals(width=2.0).of(belief)
    np.testing.assert_array_equal(wider.quantile(0.5), belief.quantile(0.5))
    z = 1.6448536269514722
    np.testing.assert_allclose(wider.quantile(0.95), warp.inverse(np.array([0.3, -0.5]) + 2 * z * belief.latent.std))
    inside = TrackedIntervals(width=2.0, rate=0.1).after(belief, np.array([1.5, 0.4]))
    assert inside.width == pytest.approx(2.0 * np.exp(-0.1 * 0.2))


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.1, 5.0), st.floats(-2.0, 2.0))
def test_a_tenth_misses_whatever_the_predictor_believes(seed: int, wrong: float, bias: float) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal(300) * wrong * (1 + np.sin(np.arange(300) / 60)) + bias
    intervals, missed = TrackedIntervals(), 0
    for error in errors:
        after = intervals.after(UNIT, np.array([error]))
        missed += after.width > intervals.width
        intervals = after
    # the factor never exceeds its start, or the largest error it needs and a step: that bounds the sum of its steps
    highest = max(np.log(np.abs(errors).max() / 1.64 / TrackedIntervals().width), 0.0) + 0.9 * TrackedIntervals().rate
    bound = highest / (TrackedIntervals().rate * 300)
    assert missed / 300 <= 0.1 + bound


def test_errors() -> None:
    with pytest.raises(InvalidDataError, match=r"`width > 0` and `rate > 0` must hold, but got .*: see the defaults"):
        TrackedIntervals(width=0.0)
    with pytest.raises(
        InvalidDataError, match=r"one target a candidate is needed, but got shapes \(2,\) and \(1,\): pair"
    ):
        TrackedIntervals().after(UNIT, np.zeros(2))
