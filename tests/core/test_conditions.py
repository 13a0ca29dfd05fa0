"""Inferred conditions: planted ones are found again, and nothing is invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.conditions import infer_conditions
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.search_space import Condition, SearchSpace

PLANTED = SearchSpace(
    {
        "op": CategoricalDistribution(("conv", "pool", "none")),
        "lr": FloatDistribution(0.0, 1.0),
        "kernel": IntDistribution(1, 7),
        "sep": CategoricalDistribution((True, False)),
        "groups": IntDistribution(1, 4),
    },
    {
        "kernel": (Condition("op", frozenset({"conv", "pool"})),),
        "sep": (Condition("op", frozenset({"conv"})),),
        "groups": (Condition("sep", frozenset({True})),),
    },
)


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_planted_conditions_are_found_from_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    configs = [PLANTED.sample(rng) for _ in range(60)]
    found = infer_conditions(PLANTED.distributions, configs)
    assert dict(found.conditions) == dict(PLANTED.conditions)
    assert all(found.contains(c) for c in configs)


def depth_space(distribution: IntDistribution, seen: dict[int, bool]) -> SearchSpace:
    """Infer from configurations in which `child` is present under some values of `depth`."""
    configs = [{"depth": d, "child": 1} if present else {"depth": d} for d, present in seen.items()]
    return infer_conditions({"child": IntDistribution(0, 1), "depth": distribution}, configs)


@pytest.mark.parametrize(
    ("distribution", "seen", "expected"),
    [
        (IntDistribution(1, 9), {2: False, 5: True}, {3, 4, 5, 6, 7, 8, 9}),
        (IntDistribution(1, 9), {2: True, 5: False}, {1, 2, 3, 4}),
        (IntDistribution(1, 9, step=2), {3: False, 7: True}, {5, 7, 9}),
        (IntDistribution(1, 12, log=True), {2: False, 3: True}, set(range(3, 13))),
        (IntDistribution(1, 9), {2: True, 4: False, 6: True}, {2, 6}),
    ],
)
def test_numeric_parents_generalise_to_their_side(
    distribution: IntDistribution, seen: dict[int, bool], expected: set[int]
) -> None:
    (condition,) = depth_space(distribution, seen).conditions["child"]
    assert condition == Condition("depth", frozenset(expected))


def test_values_of_a_stepped_float_are_those_of_the_space() -> None:
    grid = FloatDistribution(0.0, 1.0, step=0.1)
    configs = [{"p": grid.from_unit(0.15), "child": 1}, {"p": grid.from_unit(0.95)}]
    space = infer_conditions({"p": grid, "child": IntDistribution(0, 1)}, configs)
    allowed = [c for c in (grid.from_unit(u) for u in np.linspace(0, 1, 200)) if c < 0.95]
    assert all("child" in space.active({"p": p, "child": 0}) for p in allowed)


def test_nothing_is_invented_where_nothing_is_absent() -> None:
    rng = np.random.default_rng(0)
    flat = SearchSpace({"a": IntDistribution(0, 3), "b": FloatDistribution(0.0, 1.0)})
    assert not infer_conditions(flat.distributions, [flat.sample(rng) for _ in range(20)]).conditions
    assert not infer_conditions(flat.distributions, []).conditions


def test_unexplained_absence_stays_unconditional() -> None:
    configs = [{"a": 0, "b": 1}, {"a": 0}, {"a": 1, "b": 0}, {"a": 1}]
    space = infer_conditions({"a": IntDistribution(0, 1), "b": IntDistribution(0, 1)}, configs)
    assert not space.conditions
    assert set(space.names) == {"a", "b"}


def test_a_real_or_long_parent_explains_nothing() -> None:
    rng = np.random.default_rng(0)
    configs = [{"x": x, **({"b": 1} if x > 0.5 else {})} for x in rng.random(30).tolist()]
    assert not infer_conditions({"x": FloatDistribution(0.0, 1.0), "b": IntDistribution(0, 1)}, configs).conditions


def test_the_parent_with_more_evidence_wins() -> None:
    # both `always` and `sometimes` separate the child; the first was seen more often
    configs = [
        {"always": 1, "sometimes": 1, "child": 0},
        {"always": 1, "child": 0},
        {"always": 0, "sometimes": 0},
    ]
    binary = IntDistribution(0, 1)
    space = infer_conditions({"always": binary, "sometimes": binary, "child": binary}, configs)
    assert space.conditions["child"][0].parent == "always"


CONFIGS = st.fixed_dictionaries({"a": st.integers(0, 2)}, optional={"b": st.integers(0, 1), "c": st.integers(0, 1)})


@given(st.lists(CONFIGS, min_size=1, max_size=12))
@settings(deadline=None)
def test_a_condition_says_exactly_when_its_child_was_there_and_is_found_where_there_is_one(
    configs: list[dict[str, int]],
) -> None:
    space = infer_conditions({name: IntDistribution(0, 2) for name in "abc"}, configs)
    for child in "bc":
        for condition in space.conditions.get(child, ()):
            there = {c[condition.parent] for c in configs if condition.parent in c and child in c}
            gone = {c[condition.parent] for c in configs if condition.parent in c and child not in c}
            assert there <= condition.values
            assert not gone & condition.values
            assert all(condition.parent in c for c in configs if child in c)
        with_it, without = ({c["a"] for c in configs if (child in c) == there} for there in (True, False))
        assert bool(with_it and without and not with_it & without) <= (child in space.conditions)


def test_the_order_of_a_space_does_not_follow_how_often_a_parameter_was_there() -> None:
    rng = np.random.default_rng(0)
    configs = [PLANTED.sample(rng) for _ in range(60)]
    spaces = [infer_conditions(PLANTED.distributions, configs[:n]) for n in range(30, 60)]
    assert {space.names for space in spaces} == {("op", "lr", "kernel", "sep", "groups")}
    assert all(space == spaces[0] for space in spaces)
