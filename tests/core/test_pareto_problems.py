"""Problems of several objectives: volumes against closed forms, the real table against itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.benchmarks.hypervolume import hypervolume
from foretell.benchmarks.pareto_problems import REPORTED, TUNED, load_pareto

POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=7)


@given(POINTS)
@settings(max_examples=60, deadline=None)
def test_volume_is_the_number_of_unit_cells_below_a_point(points: list[tuple[int, int, int]]) -> None:
    cells = np.zeros((4, 4, 4), dtype=bool)
    for a, b, c in points:
        cells[:a, :b, :c] = True
    assert hypervolume(np.array(points, dtype=float), np.zeros(3)) == pytest.approx(cells.sum())


def test_what_lies_below_the_reference_adds_nothing() -> None:
    assert hypervolume(np.array([[3.0, -1.0], [2.0, 2.0]]), np.zeros(2)) == 4.0
    assert hypervolume(np.array([[-1.0, 5.0]]), np.zeros(2)) == 0.0


@pytest.mark.parametrize("which", [1, 2, 3])
def test_the_largest_volume_is_that_of_the_front(which: int) -> None:
    problem = load_pareto("zdt", str(which))
    rows = [{"x0": x, **{f"x{i}": 0.0 for i in range(1, 6)}} for x in np.linspace(0, 1, 1500)]
    assert problem.share(np.array([problem.values(c) for c in rows])) == pytest.approx(1.0, abs=2e-3)
    worse = problem.values({f"x{i}": 0.5 for i in range(6)})
    assert problem.share(np.array([worse])) == 0.0


def test_the_spheres_front_is_the_positive_part() -> None:
    rng = np.random.default_rng(0)
    two, three = load_pareto("dtlz2", "2"), load_pareto("dtlz2", "3")
    rows = [{"x0": x, **{f"x{i}": 0.5 for i in range(1, 6)}} for x in np.linspace(0, 1, 2000)]
    found = np.array([two.values(c) for c in rows])
    np.testing.assert_allclose((found**2).sum(axis=1), 1.0)
    assert two.share(found) == pytest.approx(1.0, abs=2e-3)
    config = {f"x{i}": float(v) for i, v in enumerate(rng.random(7))}
    g = sum((config[f"x{i}"] - 0.5) ** 2 for i in range(2, 7))
    assert np.linalg.norm(three.values(config)) == pytest.approx(1.0 + g)
    assert min(three.values({**config, "x0": 0.0, "x1": 0.0})) == pytest.approx(-1.0 - g)


@pytest.mark.parametrize(("family", "best"), [("dtlz2-convex", 0.5), ("dtlz7", 0.0)])
def test_the_largest_volume_of_three_objectives_is_that_of_the_front(family: str, best: float) -> None:
    problem = load_pareto(family, "3")
    rest = {f"x{i}": best for i in range(2, 7)}
    line = np.linspace(0, 1, 22)
    found = np.array([problem.values({"x0": a, "x1": b, **rest}) for a in line for b in line])
    assert 0.9 < problem.share(found) < 1.0
    worse = problem.values({"x0": 0.5, "x1": 0.5, **dict.fromkeys(rest, 1.0)})
    assert problem.share(np.array([worse])) < problem.share(found[[242]])


def test_halves_share_nothing() -> None:
    assert not set(TUNED) & set(REPORTED)


@pytest.mark.skipif(
    not (Path(os.environ.get("FORETELL_DATA", "../shared/data")) / "hwnasbench201").is_dir(),
    reason="needs the tables of NAS-Bench-201 and HW-NAS-Bench in FORETELL_DATA",
)
def test_a_network_has_its_accuracy_and_its_latency() -> None:
    problem = load_pareto("nasbench201-latency", "cifar10 edgegpu")
    convolutions = {f"edge{i}": "nor_conv_3x3" for i in range(6)}
    empty = {f"edge{i}": "none" for i in range(6)}
    accurate, slow = problem.values(convolutions)
    bad, fast = problem.values(empty)
    assert 0.8 < accurate <= 1.0
    assert slow < 0.0  # slower than most
    assert bad < 0.0
    assert fast > 0.5
    assert problem.share(np.array([[1.0, 1.0]])) > 1.0  # no network is the best in both
