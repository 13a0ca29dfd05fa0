"""The space made ready for matrices says what the space says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.encoders import Hyperparameters
from foretell.search_space import Condition, SearchSpace
from foretell.unit_cube import UnitCube

SPACE = SearchSpace(
    {
        "lr": FloatDistribution(1e-5, 1e-1, log=True),
        "op": CategoricalDistribution(("conv", "pool", "none")),
        "flag": CategoricalDistribution((False, True)),
        "depth": IntDistribution(1, 8),
        "width": IntDistribution(4, 512, log=True),
        "drop": FloatDistribution(0.0, 0.6, step=0.3),
        "kernel": IntDistribution(1, 7, step=2),
        "dilated": CategoricalDistribution((False, True)),
        "rate": IntDistribution(2, 2000, log=True),
    },
    {
        "kernel": (Condition("op", frozenset({"conv"})),),
        "dilated": (Condition("kernel", frozenset({3, 5, 7})), Condition("flag", frozenset({True}))),
        "rate": (Condition("width", frozenset(range(64, 513))),),
    },
)


@given(st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_it_snaps_as_the_space_does(seed: int) -> None:
    units = np.random.default_rng(seed).random((60, len(SPACE)))
    there_and_back = SPACE.to_unit([SPACE.from_unit(row) for row in units])
    np.testing.assert_allclose(UnitCube(SPACE).snap(units), there_and_back, atol=1e-9)


def test_samples_are_configurations_of_the_space() -> None:
    rows = UnitCube(SPACE).sample(200, np.random.default_rng(0))
    assert all(SPACE.contains(SPACE.from_unit(row)) for row in rows)
    np.testing.assert_allclose(SPACE.to_unit([SPACE.from_unit(row) for row in rows]), rows, atol=1e-9)


def test_distances_within_a_parameter_are_those_of_the_encoder() -> None:
    plain = SearchSpace({k: v for k, v in SPACE.distributions.items() if k not in SPACE.conditions})
    cube = UnitCube(plain)
    units = cube.sample(30, np.random.default_rng(1))
    mine, other = cube.encode(units), Hyperparameters(plain).encode_units(units)
    for j, name in enumerate(plain.names):
        a, b = mine[:, cube.groups == j], other.values[:, np.array(other.groups) == name]
        np.testing.assert_allclose(((a[:, None] - a) ** 2).sum(axis=2), ((b[:, None] - b) ** 2).sum(axis=2), atol=1e-12)


def test_absent_lies_as_far_as_another_choice() -> None:
    space = SearchSpace(
        {"op": CategoricalDistribution("ab"), "mode": CategoricalDistribution("xyz")},
        {"mode": (Condition("op", frozenset({"a"})),)},
    )
    cube = UnitCube(space)
    X = cube.encode(space.to_unit([{"op": "a", "mode": "x"}, {"op": "a", "mode": "y"}, {"op": "b"}]))
    X = X[:, cube.groups == 1]
    assert ((X[0] - X[1]) ** 2).sum() == pytest.approx(1.0)
    assert ((X[0] - X[2]) ** 2).sum() == pytest.approx(1.0)


def test_families_count_their_choices_and_sum_their_numbers() -> None:
    space = SearchSpace(
        {
            **{f"edge_{i}": CategoricalDistribution("abc") for i in range(3)},
            **{f"units{i}": IntDistribution(0, 9) for i in range(3)},
            "other": CategoricalDistribution("abc"),
            "lr1": FloatDistribution(0, 1),
            "lr2": FloatDistribution(0, 1),
        }
    )
    cube = UnitCube(space)
    assert cube.n_groups == len(space) + 2  # two of a kind are no family
    units = space.to_unit(
        [{"edge_0": "a", "edge_1": "a", "edge_2": "c", "units0": 0, "units1": 0, "units2": 9, "other": "b",
          "lr1": 0.5, "lr2": 0.5}]
    )  # fmt: skip
    X = cube.encode(units)[0]
    np.testing.assert_allclose(X[cube.groups == len(space)], np.array([2, 0, 1]) / np.sqrt(3))
    np.testing.assert_allclose(X[cube.groups == len(space) + 1], [-0.45 / np.sqrt(3)])
    assert set(cube.blocks[cube.groups >= len(space)].tolist()) == {1}


def test_numbers_may_have_a_column_that_turns_round() -> None:
    plain, bent = UnitCube(SPACE), UnitCube(SPACE, bends=True)
    units = SPACE.sample_units(30, np.random.default_rng(1))
    added = bent.encode(units)[:, len(plain.groups) :]
    np.testing.assert_array_equal(bent.encode(units)[:, : len(plain.groups)], plain.encode(units))
    numbers = [
        j
        for j, d in enumerate(SPACE.distributions.values())
        if not isinstance(d, CategoricalDistribution) and not (d.size is not None and d.size <= 3)
    ]
    away = 4.0 * (np.where(np.isnan(units), 0.5, units)[:, numbers] - 0.5) ** 2
    assert numbers
    np.testing.assert_allclose(added, away)
    assert set(bent.blocks[len(plain.blocks) :].tolist()) == {2}
    assert set(bent.groups[len(plain.groups) :].tolist()) == {-1}
    assert (bent.n_groups, bent.n_blocks, plain.n_blocks) == (plain.n_groups, 3, 2)
    choices = SearchSpace({"a": CategoricalDistribution("xyz"), "b": IntDistribution(0, 2)})
    assert UnitCube(choices, bends=True).n_blocks == UnitCube(choices).n_blocks  # nothing that could bend


def test_a_small_space_is_listed_whole() -> None:
    space = SearchSpace({"a": IntDistribution(1, 4, log=True), "b": CategoricalDistribution("xyz")})
    rows = UnitCube(space).everything(12)
    assert rows is not None
    configs = [space.from_unit(row) for row in rows]
    assert len({str(c) for c in configs}) == 12
    np.testing.assert_allclose(space.to_unit(configs), rows, atol=1e-9)
    assert UnitCube(space).everything(11) is None
    assert UnitCube(SPACE).everything(10**9) is None


def test_more_whole_numbers_than_positions_are_a_continuum() -> None:
    space = SearchSpace(
        {
            "x": IntDistribution(-(2**62), 2**62),
            "y": IntDistribution(1, 10**30, log=True),
            "z": IntDistribution(0, 10**300),
        }
    )
    cube = UnitCube(space)
    rows = cube.sample(50, np.random.default_rng(0))
    assert cube.everything(10**9) is None
    assert all(space.contains(space.from_unit(row)) for row in rows)
    np.testing.assert_allclose(space.to_unit([space.from_unit(row) for row in rows]), rows, atol=1e-9)
