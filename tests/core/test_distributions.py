"""Distributions: positions and back, snapping, and what Optuna's kinds mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.distributions import (
    CategoricalDistribution,
    Distribution,
    FloatDistribution,
    IntDistribution,
    snap,
)
from foretell.errors import InvalidSearchSpaceError

UNITS = st.floats(0, 1)
BOUNDS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


@st.composite
def discrete(draw: st.DrawFn) -> Distribution:
    """An integer, stepped or categorical distribution."""
    kind = draw(st.sampled_from(["int", "log", "step", "float step", "choices"]))
    low, size = draw(st.integers(-50, 50)), draw(st.integers(1, 40))
    if kind == "int":
        return IntDistribution(low, low + size - 1)
    if kind == "log":
        low = abs(low) + 1
        return IntDistribution(low, low + size - 1, log=True)
    step = draw(st.integers(2, 7))
    rest = draw(st.integers(0, step - 1))  # high need not be reached
    if kind == "step":
        return IntDistribution(low, low + (size - 1) * step + rest, step=step)
    if kind == "float step":
        return FloatDistribution(low / 10, (low + (size - 1) * step + rest) / 10, step=step / 10)
    return CategoricalDistribution(tuple(range(size)))


@st.composite
def continuous(draw: st.DrawFn) -> FloatDistribution:
    low, high = sorted((draw(BOUNDS), draw(BOUNDS)))
    if draw(st.booleans()):
        return FloatDistribution(abs(low) + 1e-6, abs(low) + abs(high) + 2e-6, log=True)
    return FloatDistribution(low, high)


def values(distribution: Distribution) -> list:
    """Every value of a discrete distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    step = distribution.step or 1
    return [distribution.low + i * step for i in range(distribution.size or 0)]


@given(discrete())
@settings(max_examples=150, deadline=None)
def test_every_discrete_value_comes_back(distribution: Distribution) -> None:
    assert len(values(distribution)) == distribution.size
    for value in values(distribution):
        unit = distribution.to_unit(value)
        assert 0 <= unit <= 1
        assert distribution.from_unit(unit) == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(continuous(), UNITS)
@settings(max_examples=100, deadline=None)
def test_a_real_number_comes_back(distribution: FloatDistribution, unit: float) -> None:
    value = distribution.from_unit(unit)
    assert distribution.contains(value)
    if distribution.high > distribution.low:
        again = distribution.from_unit(distribution.to_unit(value))
        span = distribution.high - distribution.low
        assert again == pytest.approx(value, abs=1e-9 * (span + abs(value)))


@given(discrete() | continuous(), UNITS)
@settings(max_examples=200, deadline=None)
def test_from_unit_gives_allowed_values_of_the_right_type(distribution: Distribution, unit: float) -> None:
    value = distribution.from_unit(unit)
    assert distribution.contains(value)
    assert type(value) is (float if isinstance(distribution, FloatDistribution) else int)


@given(discrete() | continuous(), st.lists(UNITS, min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_snap_is_idempotent_and_keeps_the_value(distribution: Distribution, units: list[float]) -> None:
    once = snap(distribution, np.array(units))
    assert np.allclose(snap(distribution, once), once, atol=1e-12)
    assert once.min() >= 0
    assert once.max() <= 1
    for unit in once.tolist():
        back = distribution.to_unit(distribution.from_unit(unit))
        assert distribution.size is None or back == pytest.approx(unit, abs=1e-9)


@pytest.mark.parametrize(
    "distribution",
    [IntDistribution(0, 4), IntDistribution(2, 17, step=4), FloatDistribution(0.0, 1.05, step=0.25),
     CategoricalDistribution(("a", "b", "c")), IntDistribution(0, 1999)],
    ids=repr,
)  # fmt: skip
def test_every_value_has_an_equal_share(distribution: Distribution) -> None:
    grid = (np.arange(distribution.size * 50) + 0.5) / (distribution.size * 50)
    found, counts = np.unique(snap(distribution, grid).round(9), return_counts=True)
    assert len(found) == distribution.size
    assert counts.min() >= 49
    assert counts.max() <= 51


def test_positions_by_hand() -> None:
    assert FloatDistribution(2.0, 4.0).to_unit(3.5) == 0.75
    assert FloatDistribution(1e-4, 1e-2, log=True).to_unit(1e-3) == pytest.approx(0.5)
    assert IntDistribution(0, 3).to_unit(1) == 0.375
    assert IntDistribution(1, 3, log=True).to_unit(1) == pytest.approx(math.log(2) / math.log(7))
    assert CategoricalDistribution(("x", "y")).to_unit("y") == 0.75


def test_a_single_value_lies_in_the_middle() -> None:
    for distribution in (FloatDistribution(3.0, 3.0), FloatDistribution(3.0, 3.0, log=True), IntDistribution(5, 5)):
        assert distribution.size == 1
        assert distribution.to_unit(distribution.low) == 0.5
        assert snap(distribution, np.array([0.0, 0.9])).tolist() == [0.5, 0.5]


def test_huge_ranges_do_not_overflow() -> None:
    wide = FloatDistribution(-1.7e308, 1.7e308)
    assert wide.to_unit(0.0) == 0.5
    assert wide.from_unit(0.5) == 0.0
    assert wide.from_unit(1.0) == 1.7e308


def test_membership() -> None:
    assert FloatDistribution(0, 1).contains(1)
    assert not FloatDistribution(0, 1).contains(True)
    assert not FloatDistribution(0, 1).contains(1.0001)
    assert not FloatDistribution(0, 1).contains("0.5")
    assert FloatDistribution(0.0, 0.35, step=0.1).contains(0.1 + 0.1 + 0.1)
    assert not FloatDistribution(0.0, 0.35, step=0.1).contains(0.25)
    assert IntDistribution(1, 9, step=3).contains(7)
    assert not IntDistribution(1, 9, step=3).contains(8)
    assert not IntDistribution(1, 9).contains(2.0)
    assert not IntDistribution(0, 1).contains(True)


def test_choices_keep_bool_int_and_nan_apart() -> None:
    mixed = CategoricalDistribution((1, True, 1.5, None, "1", math.nan))
    assert [mixed.index(v) for v in (1, True, 1.5, None, "1", math.nan)] == [0, 1, 2, 3, 4, 5]
    assert mixed.index(1.0) == 0  # an integer that went through a float column
    assert not mixed.contains(0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: FloatDistribution(2, 1), "`low <= high` must hold, but got"),
        (lambda: FloatDistribution(0, math.inf), "finite `low <= high`"),
        (lambda: FloatDistribution(math.nan, 1), "finite `low <= high`"),
        (lambda: IntDistribution(0, 10**400), "finite `low <= high`"),
        (lambda: FloatDistribution(0, 1, log=True), "`low > 0` and no step"),
        (lambda: FloatDistribution(1, 2, log=True, step=0.1), "`low > 0` and no step"),
        (lambda: FloatDistribution(0, 1, step=0.0), "`step > 0` must hold, but got step=0.0"),
        (lambda: IntDistribution(0, 5, log=True), "`low > 0` and no step"),
        (lambda: IntDistribution(1, 5, log=True, step=2), "`low > 0` and no step"),
        (lambda: IntDistribution(1, 5, step=0), "`step > 0`"),
        (lambda: IntDistribution(1, 5, step=0.5), "`step` must be a whole number, but got 0.5"),
        (lambda: IntDistribution(1.5, 5), "`low` must be a whole number, but got 1.5"),
        (lambda: CategoricalDistribution(()), "at least one choice"),
        (lambda: CategoricalDistribution(([1, 2],)), "name structured choices by a label"),
        (lambda: CategoricalDistribution(("a",)).index("b"), r"one of the choices \('a',\), but got 'b'"),
    ],
)
def test_refusals(build: object, message: str) -> None:
    with pytest.raises(InvalidSearchSpaceError, match=message):
        build()  # type: ignore[operator]
