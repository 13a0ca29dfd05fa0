"""Log expected improvement against integration, high precision and its own shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from foretell.acquisition import log_expected_improvement
from foretell.posterior import GaussianPosterior


def log_ei(mean: float, std: float, best: float) -> float:
    return float(log_expected_improvement(GaussianPosterior(np.array([mean]), np.array([std])), best)[0])


@pytest.mark.parametrize("mean", [-4.0, -1.0, 0.0, 0.3, 2.0, 8.0])
@pytest.mark.parametrize("std", [0.1, 1.0, 3.0])
def test_equals_the_integral(mean: float, std: float) -> None:
    best = 0.2
    low = (best - mean) / std  # E[max(Y - best, 0)] is an integral over the z-scores above this one
    top = max(low, 0.0)  # where the density is largest; taken out, so that quad sees no tiny numbers
    value, _ = quad(lambda z: std * (z - low) * np.exp((top**2 - z**2) / 2), low, top + 12, epsabs=0, epsrel=1e-10)
    expected = np.log(value) - top**2 / 2 - np.log(2 * np.pi) / 2
    assert log_ei(mean, std, best) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("z", [-1.0, -5.0, -20.0, -99.0, -101.0, -300.0, -3000.0])
def test_the_far_tail_equals_its_asymptotic_series(z: float) -> None:
    series = -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    if z < -15:
        series += np.log((1 - 3 / z**2 + 15 / z**4) / z**2)
        assert log_ei(z, 1.0, 0.0) == pytest.approx(series, rel=1e-7)
    else:
        assert log_ei(z, 1.0, 0.0) == pytest.approx(np.log(norm.pdf(z) + z * norm.cdf(z)), rel=1e-8)


@given(st.floats(-500, 500), st.floats(0.001, 100), st.floats(-50, 50), st.floats(1e-3, 10))
@settings(max_examples=200, deadline=None)
def test_more_mean_is_worth_more(mean: float, std: float, best: float, step: float) -> None:
    assert log_ei(mean + step, std, best) > log_ei(mean, std, best)
    assert np.isfinite(log_ei(mean, std, best))


@given(st.floats(-20, 20), st.floats(0.01, 10), st.floats(-20, 20), st.floats(1.01, 3))
@settings(max_examples=150, deadline=None)
def test_more_doubt_is_worth_more(mean: float, std: float, best: float, factor: float) -> None:
    assert log_ei(mean, std * factor, best) >= log_ei(mean, std, best) - 1e-9


@given(st.floats(-120, 20), st.floats(0.01, 10), st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=100, deadline=None)
def test_change_of_units(z: float, std: float, shift: float, factor: float) -> None:
    a = log_ei(z * std, std, 0.0)
    b = log_ei((z * std + shift) * factor, std * factor, shift * factor)
    assert b == pytest.approx(a + np.log(factor), rel=1e-6, abs=1e-6)


def test_batch_equals_singles() -> None:
    mean, std = np.linspace(-200, 5, 40), np.linspace(0.1, 2, 40)
    together = log_expected_improvement(GaussianPosterior(mean, std), 1.0)
    assert together.tolist() == [log_ei(m, s, 1.0) for m, s in zip(mean.tolist(), std.tolist(), strict=True)]
