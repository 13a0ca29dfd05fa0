"""How near earlier tasks are by their descriptions, and what that does to a search."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import FloatDistribution, Observation, SearchSpace
from foretell.errors import InvalidDataError
from foretell.transfer import Source, SourceKnowledge, Sources
from foretell.transfer.nearness import nearness, task_distances, worth_of_descriptions

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})


def _source(name: str, at: float, task: dict[str, float | str]) -> Source:
    units = SPACE.sample_units(30, np.random.default_rng(round(100 * at)))
    seen = [Observation(SPACE.from_unit(u), (-((u[0] - at) ** 2) - 0.1 * u[1],)) for u in units]
    return Source(name, SPACE, tuple(seen), task)


def test_distances_are_means_over_what_both_have() -> None:
    tasks: list[dict[str, float | str]] = [
        {"rows": 0.0, "kind": "vision"}, {"rows": np.e - 1.0, "kind": "text"}, {"rows": 0.0, "kind": "text"}, {"a": 1.0}
    ]  # fmt: skip
    found = task_distances(tasks)
    spread = 2.0 / 9.0  # variance of logarithms 0, 1, 0
    np.testing.assert_allclose(found[0, 1:3], [(1.0 / spread + 1.0) / 2.0, 0.5])
    assert np.isnan(found[3, :3]).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6))
def test_nearness_lies_between_0_and_1_and_does_not_depend_on_order(values: list[float]) -> None:
    distances = task_distances([{"a": v} for v in values])
    near = nearness(distances[0, 1:])
    assert near.max() == 1.0
    assert (near >= 0).all()
    turned = task_distances([{"a": v} for v in (values[0], *values[:0:-1])])
    np.testing.assert_allclose(nearness(turned[0, 1:]), near[::-1], atol=1e-9)


def test_what_nobody_described_changes_nothing() -> None:
    for own in ({}, {"b": 2.0}):
        np.testing.assert_array_equal(nearness(task_distances([own, {"a": 1.0}, {}])[0, 1:]), [1.0, 1.0])


def test_descriptions_that_tell_nothing_do_not_count() -> None:
    rng = np.random.default_rng(0)
    far = task_distances([{"a": float(v)} for v in rng.integers(0, 1000, 12)])
    noise = rng.random((12, 12))
    assert worth_of_descriptions(far, -far) > 0.95
    assert worth_of_descriptions(far, noise + noise.T) < 0.3
    assert worth_of_descriptions(far[:2, :2], noise) == 0.5


def test_a_search_begins_where_the_nearer_task_was_good() -> None:
    sources = [_source("low", 0.3, {"rows": 100.0}), _source("high", 0.5, {"rows": 1e6})]
    first = [SourceKnowledge.learn(sources, SPACE, task={"rows": rows}).portfolio[0, 0] for rows in (120.0, 8e5)]
    assert first[0] < first[1]
    plain, undescribed = Sources(sources).about(SPACE)[0], SourceKnowledge.learn(sources, SPACE)
    np.testing.assert_array_equal(plain.trust, undescribed.trust)


def test_descriptions_survive_pickling() -> None:
    sources = Sources([_source("low", 0.3, {"rows": 100.0})], {"rows": 90.0})
    again = pickle.loads(pickle.dumps(sources))
    np.testing.assert_array_equal(again.about(SPACE)[0].trust, sources.about(SPACE)[0].trust)


@pytest.mark.parametrize("other", [{"rows": "many"}, {"rows": float("nan")}])
def test_descriptions_that_do_not_go_together_are_named(other: dict[str, float | str]) -> None:
    with pytest.raises(InvalidDataError, match="describe all tasks alike"):
        task_distances([{"rows": 3.0}, other])
