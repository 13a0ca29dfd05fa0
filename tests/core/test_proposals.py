"""Proposals: edits stay allowed, touch little, and repeats are seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.proposals import all_changes, elusive_parameters, first_unseen, local_edits, unseen
from foretell.search_space import Condition, SearchSpace
from foretell.unit_cube import UnitCube

SPACE = SearchSpace(
    {
        "op": CategoricalDistribution(("conv", "pool", "none")),
        "kernel": IntDistribution(1, 7, step=2),
        "lr": FloatDistribution(1e-5, 1e-1, log=True),
        "flag": CategoricalDistribution((True, False)),
    },
    {"kernel": (Condition("op", frozenset({"conv"})),)},
)


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_edits_are_allowed_configurations(seed: int, n_parents: int) -> None:
    rng = np.random.default_rng(seed)
    parents = SPACE.sample_units(n_parents, rng)
    children = local_edits(UnitCube(SPACE), parents, 40, rng)
    np.testing.assert_allclose(SPACE.snap(children), children, atol=1e-12)
    assert all(SPACE.contains(SPACE.from_unit(row)) for row in children)


def test_parents_take_turns_and_little_changes() -> None:
    space = SearchSpace({f"x{i}": FloatDistribution(0.0, 1.0) for i in range(20)})
    parents = np.array([[0.25] * 20, [0.75] * 20])
    children = local_edits(UnitCube(space), parents, 400, np.random.default_rng(0))
    changed = children != np.tile(parents, (200, 1))
    assert changed.any(axis=1).all()
    assert np.median(changed.sum(axis=1)) <= 3
    assert changed.mean(axis=0).min() > 0.05  # every parameter has its turn


def test_where_there_are_numbers_or_too_many_changes_none_are_made() -> None:
    choice, number = CategoricalDistribution("vwxyz"), FloatDistribution(0.0, 1.0)
    for space, most, n in ((SearchSpace({"c": choice}), 8, 8), (SearchSpace({"c": choice}), 3, 0),
                           (SearchSpace({"c": choice, "x": number}), 9, 0), (SPACE, 9, 0)):  # fmt: skip
        parents = space.sample_units(2, np.random.default_rng(0))
        assert len(all_changes(UnitCube(space), parents, most)) == n


def test_a_choice_moves_to_any_other() -> None:
    space = SearchSpace({"c": CategoricalDistribution("wxyz")})
    children = local_edits(UnitCube(space), np.array([[0.125]]), 200, np.random.default_rng(0))
    assert {space.from_unit(row)["c"] for row in children} == {"x", "y", "z"}


@pytest.mark.parametrize("distribution", [IntDistribution(1, 3), IntDistribution(4, 6), CategoricalDistribution("ab")])
def test_a_short_range_moves_every_time(distribution: IntDistribution) -> None:
    space = SearchSpace({"n": distribution})
    start = distribution.from_unit(0.0)
    children = local_edits(UnitCube(space), space.to_unit([{"n": start}]), 100, np.random.default_rng(0))
    assert all(space.from_unit(row)["n"] != start for row in children)


def test_a_short_log_range_reaches_all_values() -> None:
    space = SearchSpace({"n": IntDistribution(1, 3, log=True)})
    children = local_edits(UnitCube(space), space.to_unit([{"n": 1}]), 200, np.random.default_rng(0))
    assert {space.from_unit(row)["n"] for row in children} == {1, 2, 3}


def test_edits_reflect_at_the_edges() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    children = local_edits(UnitCube(space), np.array([[0.0], [1.0]]), 1000, np.random.default_rng(0))
    assert np.isin(children, [0.0, 1.0]).mean() < 0.05


def test_parents_from_other_bounds_and_with_gaps_are_taken() -> None:
    rows = np.array([[np.nan, np.nan, 7.0, np.nan], [0.5, 0.9, -3.0, 0.25]])
    children = local_edits(UnitCube(SPACE), rows, 50, np.random.default_rng(0))
    assert all(SPACE.contains(SPACE.from_unit(row)) for row in children)


def test_unseen_by_hand() -> None:
    seen = np.array([[0.5, np.nan], [0.1, 0.2]])
    rows = np.array([[0.5, np.nan], [0.5, 0.0], [0.1, 0.2 + 1e-12], [0.3, 0.3], [0.3, 0.3], [-0.0, 0.1], [0.0, 0.1]])
    assert unseen(rows, seen).tolist() == [False, True, False, True, False, True, False]
    assert unseen(rows[:1], np.empty((0, 2))).tolist() == [True]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), wanted=st.integers(1, 12))
def test_first_unseen_are_the_first_of_all_unseen(seed: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    rows, seen = (rng.integers(0, 3, (n, 3)) / 2.0 for n in (12, 6))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    assert first_unseen(rows, seen, wanted) == np.flatnonzero(unseen(rows, seen))[:wanted].tolist()


def test_a_parameter_that_may_not_be_there_makes_no_difference() -> None:
    nan, elusive = np.nan, np.array([False, True, True])
    seen = np.array([[0.1, 0.2, nan], [0.5, nan, nan]])
    for row in ([0.1, 0.2, 0.9], [0.1, nan, nan], [0.5, 0.3, 0.3], [0.5, nan, nan]):
        assert first_unseen(np.array([row]), seen, elusive=elusive) == []
    for row in ([0.1, 0.3, nan], [0.1, nan, 0.2], [0.6, nan, nan], [0.1, 0.3, 0.9]):
        assert first_unseen(np.array([row]), seen, elusive=elusive) == [0]
    rows = np.array([[0.7, nan, 0.1], [0.7, 0.2, 0.1], [0.7, nan, 0.2], [0.8, 0.1, 0.1]])
    assert first_unseen(rows, seen, 4, elusive) == [0, 2, 3]  # the second may be the first
    assert first_unseen(rows, seen, 4, np.zeros(3, dtype=bool)) == [0, 1, 2, 3]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), wanted=st.integers(1, 12))
def test_what_is_proposed_is_no_copy_whatever_turns_out_to_be_absent(seed: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    rows, seen = (rng.integers(0, 2, (n, 4)) / 2.0 for n in (12, 6))
    elusive = np.append(False, rng.random(3) < 0.6)
    for table in (rows, seen):
        table[(rng.random(table.shape) < 0.4) & elusive] = np.nan
    found = first_unseen(rows, seen, wanted, elusive)

    def said(row: np.ndarray) -> set[tuple[int, float]]:
        return {(j, float(u)) for j, u in enumerate(row) if not np.isnan(u)}

    new: list[int] = []
    for i, row in enumerate(rows):
        others = [said(other) for other in [*seen, *rows[new]]]
        if len(new) < wanted and not any(said(row) <= other or other <= said(row) for other in others):
            new.append(i)
    assert found == new


def test_what_comes_and_goes_is_elusive_but_not_what_was_added() -> None:
    nan = np.nan
    assert elusive_parameters(np.array([[0.1, 0.2], [0.3, 0.4]])) is None
    assert elusive_parameters(np.array([[0.1, nan], [0.1, nan], [0.3, 0.4], [0.3, 0.5]])) is None
    found = elusive_parameters(np.array([[0.1, nan, nan], [0.1, 0.2, nan], [0.3, nan, 0.5]]))
    assert found is not None
    assert found.tolist() == [False, True, False]
    assert elusive_parameters(np.empty((0, 2))) is None


def test_all_changes_are_all_positions_that_differ_in_one_choice() -> None:
    sizes = (2, 3, 5, 1)
    space = SearchSpace({f"x{i}": CategoricalDistribution(tuple(range(size))) for i, size in enumerate(sizes)})
    cube, parents = UnitCube(space), space.sample_units(3, np.random.default_rng(0))
    found = all_changes(cube, parents, 21)
    np.testing.assert_array_equal(all_changes(cube, parents, 20), found[:14])
    assert cube.n_moves == 1 + 2 + 4
    assert len(found) == 3 * cube.n_moves
    for parent, near in zip(parents, np.split(found, 3), strict=True):
        assert ((np.abs(near - parent) > 1e-9).sum(axis=1) == 1).all()
        assert len({tuple(space.from_unit(row).values()) for row in near}) == cube.n_moves
        np.testing.assert_array_equal(cube.snap(near), near)
    assert UnitCube(SPACE).n_moves == 0
