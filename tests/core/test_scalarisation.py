"""Scalarised objectives: dominance, extremes, constraints and early stops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.scalarisation import feasible_first, held_down, scalarise

TABLES = st.integers(2, 12).flatmap(lambda n: st.lists(st.tuples(*[st.integers(-5, 5)] * 3), min_size=n, max_size=n))


def test_one_objective_comes_back() -> None:
    values = np.array([[3.0], [1.0], [np.inf]])
    assert scalarise(values, np.random.default_rng(0)).tolist() == [3.0, 1.0, np.inf]


def test_equation_by_hand() -> None:
    rng = np.random.default_rng(4)
    w = np.random.default_rng(4).dirichlet(np.ones(2))
    values = np.array([[1.0, 30.0], [2.0, 10.0], [3.0, 20.0]])
    ranks = np.array([[0.5, 2.5], [1.5, 0.5], [2.5, 1.5]]) / 3
    expected = [min((r - 1) * w) + 0.05 * sum((r - 1) * w) for r in ranks]
    np.testing.assert_allclose(scalarise(values, rng), expected)


@given(TABLES, st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_dominates_scores_higher(table: list, seed: int) -> None:
    values = np.array(table, dtype=float)
    scores = scalarise(values, np.random.default_rng(seed))
    for i, a in enumerate(values):
        for j, b in enumerate(values):
            if (a >= b).all() and (a > b).any():
                assert scores[i] > scores[j]


@given(TABLES, st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_monotone_change_of_an_objective_changes_nothing(table: list, seed: int) -> None:
    values = np.array(table, dtype=float)
    bent = np.column_stack([np.exp(values[:, 0]), values[:, 1] ** 3, values[:, 2] * 1e6])
    a, b = (scalarise(v, np.random.default_rng(seed)) for v in (values, bent))
    np.testing.assert_allclose(a, b)


def test_infinite_objectives_are_ranks() -> None:
    values = np.array([[np.inf, 1.0], [0.0, -np.inf], [-np.inf, 2.0]])
    assert np.isfinite(scalarise(values, np.random.default_rng(0))).all()


def test_weights_come_from_the_generator() -> None:
    values = np.random.default_rng(0).random((6, 2))
    winners = {int(np.argmax(scalarise(values, np.random.default_rng(s)))) for s in range(40)}
    assert len(winners) > 1  # several points of the front get their turn


@given(st.lists(st.tuples(st.floats(-9, 9), st.sampled_from([0.0, 0.0, 0.5, 2.0, np.inf])), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_feasible_first(rows: list) -> None:
    y, violation = np.array(rows).T
    out = feasible_first(y, violation)
    good, bad = violation <= 0, violation > 0
    np.testing.assert_array_equal(out[good], y[good])
    if good.any() and bad.any():
        assert out[bad].max() < y[good].min()
    for i in np.flatnonzero(bad):
        for j in np.flatnonzero(bad):
            assert (out[i] > out[j]) == (violation[i] < violation[j])


def test_held_down_by_hand() -> None:
    y = np.array([1.0, 2.0, 3.0, 9.0, 0.5])
    partial = np.array([False, False, False, True, True])
    assert held_down(y, partial).tolist() == [1.0, 2.0, 3.0, 2.0, 0.5]
    assert held_down(y, np.zeros(5, bool)) is y
    assert held_down(y, np.ones(5, bool)) is y


@pytest.mark.parametrize(
    ("finished", "limit"), [([-np.inf, np.inf], -np.inf), ([-np.inf, -np.inf], -np.inf), ([1.0, np.inf], 1.0)]
)
def test_held_down_with_infinite_finished_ones(finished: list[float], limit: float) -> None:
    out = held_down(np.array([*finished, 5.0]), np.array([False, False, True]))
    assert out.tolist() == [*finished, limit]
