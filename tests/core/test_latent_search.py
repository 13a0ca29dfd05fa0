"""Latent search: gradients, charts and the way back, and what it finds."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from torch import nn

from foretell.benchmarks import searched_tables
from foretell.benchmarks.program_tables import FAMILIES, SEARCHERS, ProgramTable
from foretell.benchmarks.tables import Table
from foretell.capture import nasbench201, transnasbench101
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.spaces import Chain, Choice, Layer, Space
from foretell.spaces.ready import einspace_tokens, nasbench201_cells
from foretell.spaces.searchers import DecisionLatent, EncodedLatent, LatentSearch, RandomSearch
from foretell.spaces.searchers.gradient_ascent import gradient_ascent
from foretell.surrogates.bayesian_network import BayesianNetwork

if TYPE_CHECKING:
    from foretell.spaces import Trace

QUICK = BayesianNetwork(width=16, n_members=2, n_epochs=20, n_passes=20)
CELLS = nasbench201_cells(4, 1)
DENSE = Layer(
    "dense",
    lambda shape, width, rate, act: nn.Linear(shape[0], width),
    {
        "width": IntDistribution(2, 9),
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "act": CategoricalDistribution(("relu", "tanh", "gelu")),
    },
    lambda shape, width, rate, act: (width,),
)
MIXED = Space(Chain(first=DENSE, more=Choice(dense=DENSE, keep=Layer("keep", lambda shape: nn.Identity()))), (4,))


def convolutions(trace: Trace) -> float:
    return float(sum(op == "nor_conv_3x3" for op in trace.config.values()))


@pytest.mark.parametrize("space", [CELLS, MIXED, einspace_tokens(8, 9, width=4, depth=3)])
def test_the_way_back_from_where_an_architecture_lies_is_that_architecture(space: Space) -> None:
    rng = np.random.default_rng(0)
    traces = [space.draw(rng) for _ in range(30)]
    chart = DecisionLatent(space).chart(traces, rng)
    rows = chart.rows(traces)
    back = chart.nearest(rows)
    assert all(set(t.config) == set(b.config) for t, b in zip(traces, back, strict=True))
    np.testing.assert_allclose(chart.rows(back), rows, atol=1e-9)


def test_columns_of_choices_have_deviation_one_where_all_are_as_frequent() -> None:
    some = CELLS.trace({})
    traces = [type(some)(some.distributions, {**some.config, "edge.0.1": op}) for op in nasbench201.OPERATIONS]
    rows = DecisionLatent(CELLS).chart(traces, np.random.default_rng(0)).rows(traces)[:, :5]
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(rows.std(axis=0), 1.0)


def test_the_nearest_by_columns_is_the_nearest_of_all_in_the_pool() -> None:
    rng = np.random.default_rng(0)
    observed = [CELLS.draw(rng) for _ in range(12)]
    latent = EncodedLatent(CELLS, pool=40)
    chart = latent.chart(observed, np.random.default_rng(1))
    points = chart.rows([CELLS.draw(rng) for _ in range(5)]) + 0.3
    found = chart.nearest(points)
    assert not set(found) & set(observed)
    pool = list({t for k in range(40) for t in chart.nearest(10 * rng.standard_normal((20, points.shape[1])))})
    reached = ((chart.rows(pool)[:, None] - points) ** 2).sum(axis=2).min(axis=0)
    assert (((chart.rows(found) - points) ** 2).sum(axis=1) <= reached + 1e-9).all()
    assert latent.chart(observed, np.random.default_rng(1)).nearest(points) == found


def test_every_step_is_a_step_uphill_on_a_plane() -> None:
    slope = np.array([[1.0, -2.0, 0.0]])
    way = gradient_ascent(lambda x: np.repeat(slope, len(x), axis=0), np.zeros((2, 3)), 5, 0.1)
    assert len(way) == 5
    np.testing.assert_allclose(way[-1], [[0.5, -0.5, 0.0]] * 2, atol=1e-9)


def test_the_score_is_what_its_gradient_says() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    fitted = QUICK.fit(X, X @ [1.0, -1.0, 0.5, 0.0], ())
    x, h = rng.standard_normal((1, 4)), 1e-2
    ahead, back = (fitted.score(x + way * h * np.eye(4), 0.7, 0.3) for way in (1, -1))
    np.testing.assert_allclose(fitted.score_gradient(x, 0.7, 0.3)[0], (ahead - back) / (2 * h), atol=5e-3)


@pytest.mark.parametrize("latent", [DecisionLatent, EncodedLatent])
def test_it_climbs_past_what_was_seen(latent: type[DecisionLatent | EncodedLatent]) -> None:
    rng = np.random.default_rng(0)
    observed = {t: convolutions(t) for t in (CELLS.draw(rng) for _ in range(30))}
    search = LatentSearch(CELLS, latent, QUICK, climbers=8, steps=20)
    ours = [search.suggest(observed, seed) for seed in range(2)]
    chance = [RandomSearch(CELLS).suggest(observed, seed) for seed in range(50)]
    assert not set(ours) & set(observed)
    assert np.mean([convolutions(t) for t in ours]) > np.mean([convolutions(t) for t in chance]) + 1.0
    again = pickle.loads(pickle.dumps(search))
    assert [again.suggest(dict(observed), seed) for seed in range(2)] == ours


def test_it_searches_programs_with_numbers_and_conditions() -> None:
    search, observed = LatentSearch(MIXED, surrogate=QUICK, start=5, steps=10), {}
    for _ in range(12):
        trace = search.suggest(observed, 1)
        assert trace not in observed
        observed[trace] = float(len(trace)) if len(observed) != 3 else float("-inf")
    assert max(observed.values()) == 7.0


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_and_paths_of_a_table_are_the_same_cells(family: str) -> None:
    form = {"nasbench201": nasbench201, "transnasbench101": transnasbench101}[family]
    rng = np.random.default_rng(0)
    specs = list(dict.fromkeys(form.sample(rng) for _ in range(20)))
    table = Table(family, specs, form.graph, {"task": np.arange(len(specs), dtype=np.float64)}, form.cells)
    program = ProgramTable.of(table)
    for row, trace in enumerate(program.traces):
        assert program.rows[trace] == row
        assert program.space.plan_of(trace.config).text == str(specs[row])
        assert program.space.trace(trace.config) == trace


def test_a_search_over_the_program_asks_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [tuple(int(d) for d in np.base_repr(i, 5).zfill(6)) for i in range(5**6)]
    values = np.array([float(s.count(2)) for s in specs])
    table = Table("nasbench201", specs, nasbench201.graph, {"cifar10": values}, nasbench201.cells)
    monkeypatch.setattr(searched_tables, "TABLES", {"nasbench201": lambda: table})
    tables = searched_tables.SearchedTables()
    for method in ("local", "evolution"):
        steps = tables.steps(method, "nasbench201", "cifar10", 0)
        rows = [next(steps).row for _ in range(60)]
        first = tables.steps("random", "nasbench201", "cifar10", 0)
        assert rows[:10] == [next(first).row for _ in range(10)]
        assert len(set(rows)) == 60
    assert {"latent", "latent-columns"} <= set(SEARCHERS)


@pytest.mark.parametrize("wrong", [{"start": 0}, {"steps": 0}, {"climbers": 0}, {"rate": 0.0}])
def test_impossible_settings_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidDataError, match="the defaults are 10, 40, 10"):
        LatentSearch(CELLS, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="pool >= 2"):
        EncodedLatent(CELLS, pool=1)
