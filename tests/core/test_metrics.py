"""Rank correlations: brute force, invariance, and the degenerate cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.metrics import kendall_tau, spearman_rho

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=15)


def tau_b(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau-b by counting pairs."""
    signs = [(np.sign(a[i] - a[j]), np.sign(b[i] - b[j])) for i, j in combinations(range(len(a)), 2)]
    agree = sum(s * t for s, t in signs)
    free_a, free_b = sum(s != 0 for s, _ in signs), sum(t != 0 for _, t in signs)
    return float(agree / np.sqrt(free_a * free_b)) if free_a and free_b else 0.0


@given(PAIRS)
@settings(max_examples=100, deadline=None)
def test_tau_equals_counting(pairs: list) -> None:
    a, b = np.array(pairs, dtype=float).T
    assert kendall_tau(a, b) == pytest.approx(tau_b(a, b), abs=1e-12)


@pytest.mark.parametrize("metric", [kendall_tau, spearman_rho])
@given(pairs=PAIRS)
@settings(max_examples=60, deadline=None)
def test_monotone_changes_are_invisible_and_reversal_flips(metric: object, pairs: list) -> None:
    a, b = np.array(pairs, dtype=float).T
    value = metric(a, b)  # type: ignore[operator]
    assert metric(np.exp(a), b**3) == pytest.approx(value, abs=1e-12)  # type: ignore[operator]
    assert metric(a, -b) == pytest.approx(-value, abs=1e-12)  # type: ignore[operator]
    assert -1 - 1e-12 <= value <= 1 + 1e-12


def test_spearman_without_ties_by_its_formula() -> None:
    a, b = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0])
    assert spearman_rho(a, b) == pytest.approx(1 - 6 * 4 / (5 * 24))


@pytest.mark.parametrize("metric", [kendall_tau, spearman_rho])
def test_perfect_constant_and_single(metric: object) -> None:
    a = np.arange(5.0)
    assert metric(a, 10 * a) == pytest.approx(1.0)  # type: ignore[operator]
    assert metric(a, np.ones(5)) == 0.0  # type: ignore[operator]
    assert metric(a[:1], a[:1]) == 0.0  # type: ignore[operator]
