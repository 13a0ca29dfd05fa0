"""Fronts and the search that makes them, on numbers; on graphs with a predictor, a log and an interruption."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import Predictor
from foretell.capture import nasbench201
from foretell.errors import InvalidDataError
from foretell.search import FrontSearch, Judged, pareto_front
from foretell.search.graph_search import GraphSearch
from foretell.search.search_log import SearchLog
from foretell.training_domain import TrainingDomain


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_front_is_what_nobody_dominates(points: list[tuple[int, int]]) -> None:
    judged = [Judged(i, str(i), flops, score) for i, (flops, score) in enumerate(points)]
    front = pareto_front(judged)
    by_force = {(j.flops, j.score) for j in judged if not any(k.dominates(j) for k in judged)}
    assert [(j.flops, j.score) for j in front] == sorted(by_force)


def numbers(**changes) -> FrontSearch[int]:
    """Items are numbers; FLOPs are their size, the score prefers multiples of 7; n and -n are isomorphic."""

    def judge(items):
        return [Judged(n, str(abs(n)), float(abs(n)), -(abs(n) % 7)) for n in items]

    def propose(n, rng):
        step = int(rng.integers(-3, 4))
        return (f"{step:+d}", int(rng.choice([-1, 1])) * (n + step)) if step else None

    settings = {"queries": 40, "least": 0.5, "most": 1.0, "batch": 8, **changes}
    return FrontSearch(propose, judge, **settings, digest=lambda n: str(abs(n)), flops=lambda n: float(abs(n)))


def test_a_search_stays_in_its_band_judges_nothing_twice_and_repeats_itself() -> None:
    found = [one for batch in numbers().run([100], np.random.default_rng(0)) for one in batch]
    assert len({one.digest for one in found}) == len(found) == 41
    assert all(50 <= one.flops <= 100 for one in found)
    assert found == [one for batch in numbers().run([100], np.random.default_rng(0)) for one in batch]
    digests = {one.digest for one in found}
    assert all(one.parent in digests for one in found[1:])
    assert pareto_front(found)[0].flops <= 84
    assert max(one.score for one in found) == 0


def test_a_search_ends_where_nothing_is_left() -> None:
    found = [one for batch in numbers(queries=500, least=0.9).run([100], np.random.default_rng(1)) for one in batch]
    assert sorted(abs(one.item) for one in found) == list(range(90, 101))


@pytest.mark.parametrize("wrong", [{"least": 1.0}, {"least": -0.1}, {"queries": 0}, {"batch": 0}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidDataError, match="widen the band or the budget"):
        numbers(**wrong)


def small(*digits: int):
    return nasbench201.graph(digits, channels=4, cells=1)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Fitted on 40 small networks to prefer many parameters."""
    rng = np.random.default_rng(0)
    graphs = [small(*nasbench201.sample(rng)) for _ in range(40)]
    return Predictor().fit(graphs, [np.log(g.params) for g in graphs])


def test_a_search_of_graphs_goes_on_from_its_log(predictor: Predictor, tmp_path: Path) -> None:
    search = GraphSearch(predictor, queries=30, seed=2)
    start = small(2, 2, 2, 2, 2, 2)
    whole = [one for batch in search.run([start]) for one in batch]
    path = tmp_path / "deep" / "log.jsonl"
    begun = [one for batch in islice(search.run([start], SearchLog(path, {"seed": 2})), 1) for one in batch]
    with path.open("a") as file:
        file.write('{"digest": "torn')
    asked = []

    class Counting(Predictor):
        def predict_encoding(self, encoding):
            asked.append(len(encoding.values))
            return super().predict_encoding(encoding)

    counting = Counting(predictor.encoders, predictor.surrogate)
    counting._fitted = predictor._fitted
    again = GraphSearch(counting, queries=30, seed=2).run([start], SearchLog(path, {"seed": 2}))
    assert [one for batch in again for one in batch] == whole
    assert sum(asked) == len(whole) - len(begun)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["digest"] for line in lines[1:]] == [one.digest for one in whole]
    assert {one.digest: one.score for one in whole} == SearchLog(path, {"seed": 2}).scores


def test_a_log_of_another_search_or_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    SearchLog(path, {"seed": 2})
    with pytest.raises(InvalidDataError, match="a log goes on with the settings it was begun with"):
        SearchLog(path, {"seed": 3})
    path.write_text("[]\n{}\n")
    with pytest.raises(InvalidDataError, match="one judged network a line"):
        SearchLog(path, {"seed": 2})


def test_what_is_unlike_training_loses(predictor: Predictor) -> None:
    near, far = small(2, 0, 3, 4, 0, 2), nasbench201.graph((2, 0, 3, 4, 0, 2), channels=64, cells=9)
    free, strict = (GraphSearch(predictor, penalty=p).scores([near, far]) for p in (0.0, 1.0))
    ratios = predictor.distance_ratios(predictor.encode([near, far]))
    assert ratios[0] <= 1 < ratios[1]
    assert free[0] == strict[0]
    assert strict[1] < free[1]


def test_the_domain_is_kept_in_a_checkpoint(predictor: Predictor, tmp_path: Path) -> None:
    predictor.save(tmp_path)
    loaded = Predictor.load(tmp_path)
    columns = predictor.encode([small(2, 0, 3, 4, 0, 2), small(1, 1, 1, 1, 1, 2)])
    assert loaded.fitted.domain.size == 40
    assert np.array_equal(loaded.distance_ratios(columns), predictor.distance_ratios(columns))
    again = tmp_path / "again"
    loaded.save(again)
    assert (again / "model.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_domains_by_hand() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    domain = TrainingDomain.fit(points)
    ratios = domain.ratios(np.array([[1.0, 0.0], [5.0, 0.0], [13.0, 0.0]]))
    assert ratios == pytest.approx([0.0, 2.0, 10.0], abs=1e-3)
    few = TrainingDomain.fit(points[:2])
    assert few.ratios(points).tolist() == [0.0] * 4
    assert TrainingDomain.from_arrays(few.to_arrays()).limit == np.inf
    many = TrainingDomain.fit(np.random.default_rng(0).standard_normal((2000, 30)))
    assert (len(many.points), many.size) == (512, 2000)
