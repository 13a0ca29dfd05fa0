"""Search spaces: conditions, positions in the unit cube, sampling, and JSON."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError
from foretell.search_space import Condition, SearchSpace
from foretell.search_space_json import space_from_json, space_to_json

SPACE = SearchSpace(
    {
        "op": CategoricalDistribution(("conv", "pool", "none")),
        "kernel": IntDistribution(1, 7, step=2),
        "groups": IntDistribution(1, 64, log=True),
        "lr": FloatDistribution(1e-5, 1e-1, log=True),
        "depth": IntDistribution(1, 4),
        "width_3": IntDistribution(8, 32, step=8),
    },
    {
        "kernel": (Condition("op", frozenset({"conv", "pool"})),),
        "groups": (Condition("op", frozenset({"conv"})), Condition("kernel", frozenset({3, 5, 7}))),
        "width_3": (Condition("depth", frozenset({3, 4})),),
    },
)
ROWS = st.lists(st.floats(0, 1), min_size=6, max_size=6)


def allowed(config: dict) -> bool:
    """The conditions of SPACE, written out."""
    names = {"op", "lr", "depth"}
    if config["op"] != "none":
        names.add("kernel")
        if config["op"] == "conv" and config["kernel"] > 1:
            names.add("groups")
    if config["depth"] >= 3:
        names.add("width_3")
    return set(config) == names


@given(ROWS)
@settings(max_examples=150, deadline=None)
def test_snapped_rows_are_configurations(row: list[float]) -> None:
    config = SPACE.from_unit(SPACE.snap(np.array([row]))[0])
    assert allowed(config)
    assert SPACE.contains(config)
    assert SPACE.active(config) == config


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_snap_is_idempotent_and_agrees_with_to_unit(row: list[float]) -> None:
    once = SPACE.snap(np.array([row]))
    np.testing.assert_allclose(SPACE.snap(once), once, atol=1e-12)
    np.testing.assert_allclose(SPACE.to_unit([SPACE.from_unit(once[0])]), once, atol=1e-9)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_configurations_come_back(row: list[float]) -> None:
    config = SPACE.from_unit(np.array(row))
    again = SPACE.from_unit(SPACE.to_unit([config])[0])
    assert again.keys() == config.keys()
    assert {k: v for k, v in again.items() if k != "lr"} == {k: v for k, v in config.items() if k != "lr"}
    assert again["lr"] == pytest.approx(config["lr"], rel=1e-12)


def test_many_rows_equal_single_rows() -> None:
    rows = np.random.default_rng(0).random((50, 6))
    together = SPACE.snap(rows)
    np.testing.assert_array_equal(together, np.concatenate([SPACE.snap(r[None]) for r in rows]))


def test_to_unit_by_hand_with_gaps() -> None:
    units = SPACE.to_unit([{"op": "pool", "kernel": 3, "lr": 1e-3, "depth": 1}, {"op": "gone", "alien": 1, "lr": 0.0}])
    np.testing.assert_allclose(units[0], [0.5, 0.375, np.nan, 0.5, 0.125, np.nan])
    assert np.isnan(units[1]).all()


def test_numbers_outside_stay_outside_the_cube() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(0, 9)})
    assert space.to_unit([{"x": 3.0, "n": -5}]).tolist() == [[3.0, -0.45]]
    assert np.isnan(space.to_unit([{"x": "high", "n": True}])).all()


def test_numpy_scalars_count_as_numbers() -> None:
    plain = {"op": "conv", "kernel": 5, "groups": 8, "lr": 0.01, "depth": 4, "width_3": 16}
    wrapped = {k: np.array([v])[0] for k, v in plain.items()}
    np.testing.assert_array_equal(SPACE.to_unit([wrapped]), SPACE.to_unit([plain]))


def test_samples_are_allowed_plain_and_spread_evenly() -> None:
    rng = np.random.default_rng(1)
    samples = [SPACE.sample(rng) for _ in range(600)]
    assert all(allowed(s) and SPACE.contains(s) for s in samples)
    assert {type(v) for s in samples for v in s.values()} == {str, int, float}
    counts = Counter(s["op"] for s in samples)
    assert min(counts.values()) > 150  # 200 expected, 11.5 standard deviation
    assert set(Counter(s["kernel"] for s in samples if "kernel" in s)) == {1, 3, 5, 7}


def test_the_same_generator_state_gives_the_same_sample() -> None:
    assert SPACE.sample(np.random.default_rng(5)) == SPACE.sample(np.random.default_rng(5))
    assert SPACE.sample(np.random.default_rng(5)) != SPACE.sample(np.random.default_rng(6))


def test_quasi_random_covers_better_than_chance() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})
    points = np.array([list(space.quasi_random(i, seed=3).values()) for i in range(16)])
    for column in points.T:  # a Sobol net puts one point into every sixteenth
        assert sorted((column * 16).astype(int).tolist()) == list(range(16))


def test_quasi_random_depends_on_index_and_seed_only() -> None:
    assert SPACE.quasi_random(7, seed=1) == SPACE.quasi_random(7, seed=1)
    assert SPACE.quasi_random(7, seed=1) != SPACE.quasi_random(8, seed=1)
    assert SPACE.quasi_random(7, seed=1) != SPACE.quasi_random(7, seed=2)
    assert SearchSpace({}).quasi_random(3, seed=0) == {}


def test_contains_wants_exactly_the_active_parameters() -> None:
    whole = {"op": "none", "lr": 0.01, "depth": 2}
    assert SPACE.contains(whole)
    assert not SPACE.contains({**whole, "kernel": 3})  # inactive
    assert not SPACE.contains({**whole, "depth": 3})  # width_3 is missing
    assert not SPACE.contains({**whole, "lr": 5.0})
    assert not SPACE.contains({**whole, "alien": 1})
    assert not SPACE.contains({"op": "none", "lr": 0.01})


def test_active_drops_what_hangs_on_an_absent_parent() -> None:
    config = {"op": "none", "kernel": 3, "groups": 2, "lr": 0.01, "depth": 1, "alien": 7}
    assert SPACE.active(config) == {"op": "none", "lr": 0.01, "depth": 1}


def test_size() -> None:
    assert SPACE.size is None
    assert SearchSpace({"a": IntDistribution(1, 4), "b": CategoricalDistribution("xyz")}).size == 12
    assert (len(SPACE), SPACE.names[0]) == (6, "op")


def test_a_space_does_not_change() -> None:
    distributions = {"a": IntDistribution(1, 4)}
    space = SearchSpace(distributions)
    distributions["b"] = IntDistribution(1, 2)
    assert space.names == ("a",)
    with pytest.raises(TypeError):
        space.distributions["b"] = IntDistribution(1, 2)  # type: ignore[index]


def test_copies_and_pickles_are_equal() -> None:
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE
    assert copy.deepcopy(SPACE) == SPACE


def test_json_round_trip() -> None:
    assert space_from_json(json.loads(json.dumps(space_to_json(SPACE)))) == SPACE
    stepped = SearchSpace({"x": FloatDistribution(0.0, 1.0, step=0.1), "c": CategoricalDistribution((None, True, 1))})
    assert space_from_json(json.loads(json.dumps(space_to_json(stepped)))) == stepped


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"distributions": [["a", {"kind": "tree"}]], "conditions": []},
     {"distributions": [["a", {"kind": "int", "low": 3, "high": 1}]], "conditions": []},
     {"distributions": [["a", {"kind": "int", "low": 0, "high": 1, "extra": 2}]], "conditions": []},
     {"distributions": [], "conditions": [["a"]]}],
)  # fmt: skip
def test_damaged_json_is_refused(data: object) -> None:
    with pytest.raises(InvalidSearchSpaceError, match="a stored search space needs .*save it again"):
        space_from_json(data)


@pytest.mark.parametrize("conditions", [{"a": "b"}, {"a": "missing"}, {"missing": "a"}, {"a": "a"}])
def test_conditions_need_an_earlier_parent(conditions: dict[str, str]) -> None:
    space = {"a": IntDistribution(0, 1), "b": IntDistribution(0, 1)}
    given_ = {child: (Condition(parent, frozenset({1})),) for child, parent in conditions.items()}
    with pytest.raises(InvalidSearchSpaceError, match="the parent first, but got .*list the parent before its child"):
        SearchSpace(space, given_)


def test_samples_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import numpy as np; from foretell import *;"
        "s=SearchSpace({'a':CategoricalDistribution(tuple('xyz')),'b':IntDistribution(0,9)},"
        "{'b':(Condition('a',frozenset('xy')),)});"
        "r=np.random.default_rng(0);print([s.sample(r) for _ in range(9)], s.quasi_random(5,1))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "17")
    }
    assert len(outputs) == 1
    assert "'a': 'z'}" in outputs.pop()
