"""Expected hypervolume improvement against sampling, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.expected_hypervolume import (
    _many,
    _three,
    log_expected_hypervolume_improvement,
    pareto_front,
    reference_point,
    worthwhile_point,
)
from foretell.posterior import GaussianPosterior

POINTS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=8)


def volume(front: np.ndarray, reference: np.ndarray, grid: int = 60) -> float:
    """Hypervolume of any front, by sorting in two dimensions."""
    ordered = front[np.argsort(-front[:, 0], kind="stable")]
    total, height = 0.0, reference[1]
    for a, b in ordered:
        if a > reference[0] and b > height:
            total += (a - reference[0]) * (b - height)
            height = b
    return total


@given(POINTS)
@settings(max_examples=80, deadline=None)
def test_the_front_is_what_nothing_dominates(points: list) -> None:
    values = np.array(points, dtype=float)
    front = pareto_front(values)
    for i in range(len(values)):
        dominated = any((v >= values[i]).all() and (v > values[i]).any() for v in values)
        assert dominated == (not (values[front] == values[i]).all(axis=1).any())
    assert len(np.unique(values[front], axis=0)) == front.sum()


@pytest.mark.parametrize("seed", range(3))
def test_two_objectives_against_sampling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((12, 2))
    front = values[pareto_front(values)]
    mean, std = rng.standard_normal((2, 4)) * 0.8, rng.uniform(0.2, 1.0, (2, 4))
    beliefs = [GaussianPosterior(mean[m], std[m]) for m in range(2)]
    found = np.exp(log_expected_hypervolume_improvement(beliefs, front))
    reference = reference_point(front)
    base = volume(front, reference)
    draws = mean[:, None, :] + std[:, None, :] * rng.standard_normal((2, 3000, 4))
    for i in range(4):
        gains = [volume(np.vstack([front, draws[:, s, i]]), reference) - base for s in range(3000)]
        assert found[i] == pytest.approx(np.mean(gains), rel=0.12, abs=0.01)


def test_three_objectives_agree_with_two_where_the_third_is_sure_and_with_points() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((10, 2))
    front = values[pareto_front(values)]
    beliefs = [GaussianPosterior(rng.standard_normal(40), np.full(40, 0.5)) for _ in range(2)]
    sure = GaussianPosterior(np.full(40, 1.0), np.full(40, 1e-6))
    two = log_expected_hypervolume_improvement(beliefs, front)
    three = log_expected_hypervolume_improvement([*beliefs, sure], np.column_stack([front, np.ones(len(front))]))
    assert np.corrcoef(np.argsort(np.argsort(two)), np.argsort(np.argsort(three)))[0, 1] > 0.95
    values = rng.standard_normal((12, 3))
    front = values[pareto_front(values)]
    beliefs = [GaussianPosterior(rng.standard_normal(40), np.full(40, 0.5)) for _ in range(3)]
    exact = _three(beliefs, front, reference_point(front))
    points = _many(beliefs, front, reference_point(front))  # of a box that holds most of what may be gained
    assert exact == pytest.approx(points, rel=0.3, abs=0.6)
    assert np.corrcoef(exact, points)[0, 1] > 0.98


def test_what_is_better_everywhere_gains_more_and_the_hopeless_stay_ordered() -> None:
    front = np.array([[0.0, 1.0], [1.0, 0.0]])
    std = np.full(4, 0.1)
    beliefs = [GaussianPosterior(np.array([1.0, 0.5, -5.0, -9.0]), std) for _ in range(2)]
    found = log_expected_hypervolume_improvement(beliefs, front)
    assert (np.diff(found) < 0).all()
    assert np.isfinite(found).all()


def test_volume_counts_from_the_reference_that_is_given() -> None:
    sure = [GaussianPosterior(np.array([v]), np.array([1e-9])) for v in (2.0, 2.0)]
    front = np.array([[1.0, 1.0], [-9.0, 3.0]])  # the second is of no extent beyond the corner
    found = np.exp(log_expected_hypervolume_improvement(sure, front, np.zeros(2)))[0]
    assert found == pytest.approx(3.0)


def test_what_is_worse_than_usual_is_no_reference() -> None:
    first = np.array([[float(i), 9.0 - i] for i in range(10)])
    front = np.array([[9.0, -50.0], [5.0, 8.0], [-50.0, 9.0]])
    assert worthwhile_point(front, first).tolist() == pytest.approx([1.8, 1.8])
    assert worthwhile_point(front[1:2], first).tolist() == pytest.approx([4.9, 7.9])  # below the front all the same
