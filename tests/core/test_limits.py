"""Limits: what networks cost, and proposals that are made affordable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.affordable import Affordable, Filled
from foretell.capture.builder import GraphBuilder
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.graph_source import GraphSource
from foretell.latency_table import LatencyTable
from foretell.limit import Limit, peak_memory
from foretell.limits_keeper import LimitsKeeper
from foretell.search_space import Condition, SearchSpace

if TYPE_CHECKING:
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph

SPACE = SearchSpace(
    {"depth": IntDistribution(1, 8), "width": IntDistribution(4, 64, log=True),
     "op": CategoricalDistribution(("a", "b")), "kernel": CategoricalDistribution((1, 3, 5)),
     "drop": FloatDistribution(0.0, 0.5)},
    {"kernel": (Condition("op", frozenset({"a"})),)},
)  # fmt: skip


def cost(config: dict[str, Value]) -> float:
    return float(config["depth"]) * float(config["width"]) * (float(config["kernel"]) if config["op"] == "a" else 2.0)  # type: ignore[arg-type]


def chain(widths: list[int]) -> ComputationGraph:
    net = GraphBuilder()
    x = net.input((widths[0], 1, 1))
    for width in widths[1:]:
        x = net.linear(x, width)
    return net.graph(x)


def test_memory_of_a_chain_is_its_weights_and_its_largest_pair() -> None:
    weights = 10 * 30 + 30 + 30 * 5 + 5
    assert peak_memory(chain([10, 30, 5])) == 4 * (weights + 10 + 30)


def test_memory_keeps_what_a_skip_connection_needs() -> None:
    net = GraphBuilder()
    x = net.input((4, 8, 8))
    y = net.relu(net.relu(x))
    graph = net.graph(net.add([x, y]))
    assert peak_memory(graph) == 4 * 3 * 4 * 8 * 8  # the input, and two at any time beside it


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(8.0, 2000.0))
def test_what_comes_back_is_affordable_and_inside_the_space(seed: int, at_most: float) -> None:
    rng = np.random.default_rng(seed)
    keeper = LimitsKeeper([Limit(cost, at_most)])  # type: ignore[arg-type]
    start = SPACE.sample(rng)
    found = keeper.affordable(start, SPACE, rng)
    assert cost(found) <= at_most
    assert SPACE.contains(found)
    if cost(start) <= at_most:
        assert found == start


def test_a_projection_is_near_the_limit() -> None:
    dear: dict[str, Value] = {"depth": 8, "width": 64, "op": "a", "kernel": 5, "drop": 0.1}
    keeper = LimitsKeeper([Limit(cost, 1000.0)])  # type: ignore[arg-type]
    shares = [keeper.share(keeper.affordable(dear, SPACE, np.random.default_rng(i))) for i in range(10)]
    assert min(shares) > 0.3
    assert max(shares) <= 1.0


def test_the_dearest_limit_counts() -> None:
    keeper = LimitsKeeper([Limit("params", 100), Limit(lambda c: 5.0, 2.0)], lambda config: chain([9, 5]))
    assert keeper.share({}) == 2.5
    assert LimitsKeeper(
        [Limit("params", 25), Limit("flops", 1e6), Limit("memory", 1e6)], lambda c: chain([9, 5])
    ).share({}) == pytest.approx(2.0)
    assert LimitsKeeper([]).within({})
    assert not LimitsKeeper([Limit("params", 25)], lambda config: None).within({})


def test_what_cannot_be_afforded_is_said() -> None:
    keeper = LimitsKeeper([Limit(cost, 1.0)])  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="the cheapest of 500 draws and their projections costs 4 times"):
        keeper.affordable(SPACE.sample(np.random.default_rng(0)), SPACE, np.random.default_rng(0))


def test_a_proposal_looks_at_so_many_new_networks() -> None:
    source = GraphSource(lambda config: chain([int(config["x"]), 1]))  # type: ignore[arg-type]
    space = SearchSpace({"x": IntDistribution(1, 100)})
    may = Affordable(LimitsKeeper([Limit("params", 1e9)], source), Filled.of(space), source)
    assert [may({"x": i + 1}) for i in range(50)] == [True] * 48 + [False] * 2
    assert may({"x": 1})


def test_what_a_configuration_lacks_is_filled() -> None:
    assert Filled.of(SPACE)({"op": "b", "depth": 3, "width": 8, "drop": 0.1})["kernel"] == 1


def test_latencies_of_a_table_add_up() -> None:
    table = LatencyTable({"op": {"a": 1.5, "b": 0.25}, "k": {1: 0.5}}, base=1.0)
    assert table({"op": "a", "k": 1, "lr": 3}) == 3.0
    assert table({"op": "b"}) == 1.25
    with pytest.raises(InvalidDataError, match="a table of latencies must hold every value, but k=3"):
        table({"op": "a", "k": 3})


def test_a_limit_says_what_it_takes() -> None:
    with pytest.raises(InvalidDataError, match="must be one of flops, params, memory, a function from a sample"):
        Limit("watts", 3)
    assert Limit(lambda s: math.nan, 3.0).excess({}, None) == math.inf
