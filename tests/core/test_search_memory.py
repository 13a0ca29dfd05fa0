"""Remembered positions and fits are those that would be worked out anew."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from foretell.distributions import CategoricalDistribution, FloatDistribution
from foretell.encoders import Encoding
from foretell.observation import Observation
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace

X, OP = FloatDistribution(0.0, 1.0), CategoricalDistribution("abc")
SPACE = SearchSpace({"x": X, "op": OP})


def test_positions_are_those_of_the_space_in_any_order_of_parameters_and_configurations() -> None:
    rng = np.random.default_rng(0)
    configs = [SPACE.sample(rng) for _ in range(300)]
    memory = SearchMemory()
    turned = SearchSpace({"op": OP, "x": X})
    np.testing.assert_array_equal(memory.units(SPACE, configs[:5]), SPACE.to_unit(configs[:5]))
    np.testing.assert_array_equal(memory.units(SPACE, configs[::-1]), SPACE.to_unit(configs[::-1]))
    np.testing.assert_array_equal(memory.units(turned, configs), turned.to_unit(configs))


def test_a_changed_distribution_is_not_answered_from_memory() -> None:
    memory, config = SearchMemory(), {"x": 0.5}
    assert memory.units(SearchSpace({"x": X}), [config]).tolist() == [[0.5]]
    assert memory.units(SearchSpace({"x": FloatDistribution(0.0, 2.0)}), [config]).tolist() == [[0.25]]


def test_fresh_objects_do_not_pile_up() -> None:
    memory = SearchMemory()
    for i in range(400):
        assert memory.units(SearchSpace({"x": X}), [{"x": i / 400}, {"x": 1.0}]).tolist() == [[i / 400], [1.0]]
    assert len(memory._kept) < 300


def test_a_fit_is_done_once_and_a_cube_made_once() -> None:
    memory, calls = SearchMemory(), []

    def work() -> np.ndarray:
        calls.append(1)
        return np.ones(2)

    assert [memory.fit("key", work).tolist() for _ in range(3)] == [[1.0, 1.0]] * 3
    assert len(calls) == 1
    none = np.zeros(2, dtype=bool)
    assert memory.cube(SPACE, none) is memory.cube(SearchSpace({"x": X, "op": OP}), none)
    assert memory.cube(SPACE, none) is not memory.cube(SPACE, ~none)
    assert memory.cube(SPACE, none) is not memory.cube(SPACE, none, bends=True)


def test_a_cube_belongs_to_one_order_of_parameters() -> None:
    memory, one = SearchMemory(), FloatDistribution(0.0, 1.0)
    ab, ba = SearchSpace({"a": one, "b": one}), SearchSpace({"b": one, "a": one})
    assert ab != ba  # their positions differ
    none = np.zeros(2, dtype=bool)
    assert memory.cube(ab, none).space.names == ("a", "b")
    assert memory.cube(ba, none).space.names == ("b", "a")


def test_outcomes_follow_their_observations() -> None:
    memory = SearchMemory()
    first = [Observation({}, (float(i),), partial=i == 2) for i in range(5)]
    values, partial, constraints = memory.outcomes(first)
    assert (values[:, 0].tolist(), partial.tolist()) == ([0, 1, 2, 3, 4], [False, False, True, False, False])
    assert constraints.shape == (5, 0)
    more = [*first[::-1], Observation({}, (9.0,), (1.0, -2.0))]
    values, _, constraints = memory.outcomes(more)
    assert values[:, 0].tolist() == [4, 3, 2, 1, 0, 9]
    assert constraints[-1].tolist() == [1.0, -2.0]
    assert np.isnan(constraints[:-1]).all()
    assert memory.outcomes([Observation({}, (1.0, 2.0))])[0].tolist() == [[1.0, 2.0]]
    for i in range(600):
        assert memory.outcomes([Observation({}, (float(i),))])[0].tolist() == [[float(i)]]
    assert memory.outcomes([])[0].shape == (0, 1)


def test_pickling_forgets() -> None:
    memory = SearchMemory()
    memory.fit("key", lambda: np.ones(1))
    copy = pickle.loads(pickle.dumps(memory))
    assert copy.fit("key", lambda: np.zeros(1)).tolist() == [0.0]


def test_networks_that_nobody_asks_for_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.search_memory._MOST_NETWORKS", 4)
    memory = SearchMemory()

    def learn(*names: str) -> list[float]:
        unknown = [n for n in names if n in memory.unknown_networks(names)]
        if unknown:
            rows = np.array([[float(ord(n))] for n in unknown])
            memory.remember_networks(unknown, Encoding(rows, ("c",), ("g",), np.array([True])))
        return [float(v) for v in memory.network_columns(names).values[:, 0]]

    assert learn("a", "b", "c") == [97.0, 98.0, 99.0]
    assert learn("a", "a", "d", "e") == [97.0, 97.0, 100.0, 101.0]  # "b" goes, "a" was asked for
    assert memory.unknown_networks("abcde") == {"b"}
    assert len(memory.networks) == 4


def test_of_a_long_key_a_digest_is_kept() -> None:
    memory = SearchMemory()
    long = np.zeros(10_000).tobytes()
    assert memory.fit((1, long), lambda: np.ones(1)) is memory.fit((1, bytes(long)), lambda: np.zeros(1))
    assert memory.fit((1, long[:-8]), lambda: np.zeros(1)).tolist() == [0.0]
    assert max(len(part) for key in memory._fits for part in key if isinstance(part, bytes)) <= 16


def test_work_for_a_cube_is_done_once_for_that_very_cube() -> None:
    memory, done = SearchMemory(), list[int]()
    cubes = [object() for _ in range(3)]

    def work() -> int:
        done.append(1)
        return len(done)

    first = [memory.of_cube(cube, (b"x", 1.0), work) for cube in cubes]
    assert first == [1, 2, 3]
    assert [memory.of_cube(cube, (b"x", 1.0), work) for cube in cubes] == first
    assert memory.of_cube(cubes[0], (b"y", 1.0), work) == 4
    for i in range(20):
        memory.of_cube(object(), (i,), work)
    assert memory.of_cube(cubes[0], (b"x", 1.0), work) == len(done)  # forgotten, worked out again
