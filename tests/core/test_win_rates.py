"""Paired win rates: by counting, and intervals that widen where studies are kin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from foretell.benchmarks.win_rates import win_rate
from foretell.errors import InvalidDataError


def test_ties_count_half() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(0, 4, (2, 200))
    found = win_rate(ours, theirs, list(range(200)))
    assert found.rate == pytest.approx((np.sum(ours > theirs) + 0.5 * np.sum(ours == theirs)) / 200)
    back = win_rate(theirs, ours, list(range(200)))
    assert (back.rate, back.low, back.high) == pytest.approx((1 - found.rate, 1 - found.high, 1 - found.low), abs=0.01)


def test_single_studies_give_the_binomial_interval() -> None:
    won = np.arange(400) % 4 > 0
    found = win_rate(won.astype(float), np.full(400, 0.5), list(range(400)))
    half = norm.ppf(0.95) * np.sqrt(0.75 * 0.25 / 400)
    assert (found.low, found.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.006)


def test_clusters_that_agree_widen_it_as_if_they_were_one_study_each() -> None:
    won = (np.arange(40) % 4 > 0).astype(float)
    many = win_rate(np.repeat(won, 10), np.full(400, 0.5), [i // 10 for i in range(400)])
    few = win_rate(won, np.full(40, 0.5), list(range(40)))
    assert (many.rate, many.low, many.high) == (few.rate, few.low, few.high)


def test_incomplete_pairs_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="pairs must be complete"):
        win_rate(np.zeros(2), np.zeros(3), [1, 2, 3])
    with pytest.raises(InvalidDataError, match="pairs must be complete"):
        win_rate(np.zeros(0), np.zeros(0), [])
