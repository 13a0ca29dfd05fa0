"""Clusters of earlier tasks: how many, which configurations, where a new task falls, and the file they are kept in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell import CategoricalDistribution, FloatDistribution, IntDistribution, Observation, SearchSpace
from foretell.errors import InvalidDataError
from foretell.search_space import Condition
from foretell.transfer import Source, TaskClusters
from foretell.transfer.joint_space import joint_space
from foretell.transfer.task_clusters import TaskCluster
from foretell.transfer.task_grouping import TaskEvidence

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "act": CategoricalDistribution(("relu", "gelu"))})


def _source(name: str, at: float, rows: float, n: int = 15) -> Source:
    units = SPACE.sample_units(n, np.random.default_rng(len(name) + round(rows)))
    seen = [Observation(c, (-((float(c["x"] or 0) - at) ** 2),)) for c in map(SPACE.from_unit, units)]
    return Source(name, SPACE, tuple(seen), {"rows": rows, "kind": "table"})


SMALL, LARGE = [10.0, 20.0, 40.0], [10_000.0, 20_000.0, 40_000.0]


@pytest.fixture(scope="module")
def two() -> TaskClusters:
    """Small tasks have their best at .2, large ones at .8."""
    small = [_source(f"small {rows}", 0.2, rows) for rows in SMALL]
    return TaskClusters.from_sources([*small, *[_source(f"large {rows}", 0.8, rows) for rows in LARGE]])


def test_tasks_with_the_same_best_are_one_cluster_and_a_new_one_falls_in_the_nearest(two: TaskClusters) -> None:
    assert [sorted(name.split()[0] for name in c.names) for c in two.clusters] == [["small"] * 3, ["large"] * 3]
    assert two.gain > 0.5
    for rows, at, cluster in ((15.0, 0.2, 0), (30_000.0, 0.8, 1)):
        found = two.for_task({"rows": rows})
        assert found.cluster == cluster
        assert found.names == two.clusters[cluster].names
        assert float(found.configurations[0]["x"] or 0) == pytest.approx(at, abs=0.07)
        assert 1 <= len(found.configurations) <= 5
        assert all(SPACE.contains(config) for config in found.configurations)


@pytest.mark.parametrize("task", [{}, {"pixels": 32.0}, {"rows": 1e12, "kind": "text"}])
def test_a_task_that_is_near_none_gets_the_defaults_of_all(two: TaskClusters, task: dict[str, float | str]) -> None:
    found = two.for_task(task)
    assert found.cluster is None
    assert found.configurations == two.everywhere
    assert set(found.names) == {name for c in two.clusters for name in c.names}


def test_tasks_that_differ_by_their_description_alone_are_one_cluster() -> None:
    same = TaskClusters.from_sources([_source(str(rows), 0.5, rows) for rows in (*SMALL, *LARGE)], n=2)
    assert len(same.clusters) == 1
    assert same.gain == 0.0
    assert same.everywhere == same.clusters[0].configurations
    assert len(same.everywhere) == 2


def test_two_studies_are_too_few_to_be_apart() -> None:
    assert len(TaskClusters.from_sources([_source("a", 0.1, 10.0), _source("b", 0.9, 1e6)]).clusters) == 1


def test_the_number_of_groups_is_what_serves_tasks_that_are_left_out() -> None:
    """Two configurations, each the best of three tasks: one default loses 2 on half of them, two lose nothing."""
    apart = np.where(np.equal.outer([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]), 0.0, 1.0)
    between, own, no = 1.0 - 2.0 * apart, np.ones(6), np.full(2, -1)
    np.fill_diagonal(between, 0.0)
    expected = np.array([[1.0, -1.0]] * 3 + [[-1.0, 1.0]] * 3)
    groups, gain = TaskEvidence(apart, own, between, expected, no).groups()
    assert groups == ((0, 1, 2), (3, 4, 5))
    assert 0.0 < gain <= 2.0
    said_nothing = np.where(np.eye(6, dtype=bool), 0.0, np.nan)
    assert TaskEvidence(said_nothing, own, between, expected, no).groups() == ((tuple(range(6)),), 0.0)


def test_a_file_says_the_same(two: TaskClusters, tmp_path: Path) -> None:
    two.save(tmp_path / "defaults.json")
    assert TaskClusters.load(tmp_path / "defaults.json") == two


def _damages() -> list[tuple[str, Callable[[dict], object]]]:
    return [
        ("form", lambda d: d.update(form="else")),
        ("lacks", lambda d: d.pop("clusters")),
        ("outside", lambda d: d["everywhere"][0].update(x=7.0)),
        ("task", lambda d: d["clusters"][0]["tasks"][0].update(rows=None)),
        ("name", lambda d: d["clusters"][0].update(names=[1, 2, 3])),
        ("none", lambda d: d["clusters"][0].update(configurations=[])),
        ("gain", lambda d: d.update(gain="much")),
        ("space", lambda d: d.update(space=3)),
    ]


@pytest.mark.parametrize("damage", [d for _, d in _damages()], ids=[name for name, _ in _damages()])
def test_a_damaged_file_is_refused(two: TaskClusters, tmp_path: Path, damage: Callable[[dict], object]) -> None:
    path = tmp_path / "defaults.json"
    two.save(path)
    stored = json.loads(path.read_text())
    damage(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(InvalidDataError, match=r"stored defaults must be a file of form .*: save them again"):
        TaskClusters.load(path)


def test_what_is_no_file_or_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("[" * 100_000)
    for name in ("absent", "text"):
        with pytest.raises(InvalidDataError, match="stored defaults must be a file"):
            TaskClusters.load(tmp_path / name)


def test_another_space_gets_the_nearest_values(two: TaskClusters) -> None:
    other = SearchSpace({"X": FloatDistribution(0.4, 0.6), "act": CategoricalDistribution(("gelu", "tanh"))})
    found = two.for_task({"rows": 15.0}, other)
    assert found.configurations[0]["X"] == 0.4
    assert {c.get("act") for c in found.configurations} <= {"gelu", None}
    assert len({str(dict(c)) for c in found.configurations}) == len(found.configurations)
    with pytest.raises(InvalidDataError, match="defaults for .* say nothing of"):
        two.for_task({"rows": 15.0}, SearchSpace({"lr": FloatDistribution(0.0, 1.0)}))


def test_what_cannot_be_learnt_from_is_refused() -> None:
    front = Source("front", SPACE, (Observation({"x": 0.5, "act": "relu"}, (1.0, 2.0)),))
    for sources, n in (([front], 5), ([_source("a", 0.5, 1.0)], 0)):
        with pytest.raises(InvalidDataError, match="defaults are of one objective, and one or more"):
            TaskClusters.from_sources(sources, n)
    for few in ([], [_source("a", 0.5, 1.0, n=2)]):
        with pytest.raises(InvalidDataError, match="four distinct results"):
            TaskClusters.from_sources(few)
    with pytest.raises(InvalidDataError, match="a cluster needs tasks"):
        TaskCluster(("a",), (), ({"x": 1.0},))


_NUMBERS = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(sorted)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), _NUMBERS, min_size=1), min_size=1, max_size=4), st.integers(0))
def test_a_joint_space_holds_every_configuration(ranges: list[dict[str, list[int]]], seed: int) -> None:
    spaces = [SearchSpace({k: IntDistribution(low, high) for k, (low, high) in one.items()}) for one in ranges]
    whole = joint_space(spaces)
    rng = np.random.default_rng(seed)
    for space in spaces:
        assert all(whole.distributions[name].contains(value) for name, value in space.sample(rng).items())
    assert joint_space([whole, *spaces]) == whole


def test_a_joint_space_unites_choices_and_conditions() -> None:
    def space(acts: tuple[str, ...], when: str, child: str) -> SearchSpace:
        rate = {child: FloatDistribution(0.0, 1.0)}
        return SearchSpace(
            {"act": CategoricalDistribution(acts), **rate}, {child: (Condition("act", frozenset({when})),)}
        )

    whole = joint_space([space(("a", "b"), "a", "rate"), space(("b", "c"), "c", "Rate")])
    assert whole.names == ("act", "rate")
    assert whole.distributions["act"] == CategoricalDistribution(("a", "b", "c"))
    assert whole.conditions["rate"] == (Condition("act", frozenset({"a", "c"})),)
    numbers, names = SearchSpace({"a": IntDistribution(1, 2)}), SearchSpace({"a": CategoricalDistribution(("u", "v"))})
    assert joint_space([numbers, names]) == numbers
