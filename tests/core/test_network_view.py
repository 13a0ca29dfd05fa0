"""Networks in view: whose word counts, what is captured, and what equal networks mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from foretell.distributions import IntDistribution
from foretell.graph import ComputationGraph, Node
from foretell.network_view import NetworkView
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace

SPACE = SearchSpace({"code": IntDistribution(0, 39), "unread": IntDistribution(0, 9)})
WIDTHS = np.random.default_rng(0).permutation(40) + 1


def graph(config: Any) -> ComputationGraph:
    width = int(WIDTHS[config["code"]])
    nodes = [Node("Input", (1, 1, 1), (1, 1, 1)), Node("MatMul", (1, 1, 1), (width, 1, 1), params=width),
             Node("Output", (width, 1, 1), (width, 1, 1))]  # fmt: skip
    return ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2)])


def view_of(y: Any, n: int = 24, build: Any = graph) -> tuple[NetworkView, list[dict], SearchMemory]:
    rng, memory = np.random.default_rng(1), SearchMemory()
    configs = [SPACE.sample(rng) for _ in range(n)]
    cube = memory.cube(SPACE, np.zeros(2, dtype=bool))
    values = np.array([float(y(c)) for c in configs])
    return NetworkView.fit(cube, build, memory, configs, values, np.zeros(n, dtype=bool)), configs, memory


def test_a_network_that_tells_is_heard_and_one_that_does_not_is_outvoted() -> None:
    telling, _, _ = view_of(lambda c: np.log(WIDTHS[c["code"]]))
    silent, _, _ = view_of(lambda c: c["unread"])
    assert telling.weights[1:].sum() > 0.95
    assert silent.weights[0] > 0.3
    assert silent.weights[2] < 0.05


def test_each_network_is_encoded_once() -> None:
    view, configs, memory = view_of(lambda c: np.log(WIDTHS[c["code"]]))
    assert set(memory.networks) > {graph(c).digest for c in configs}  # and those that say how large is usual
    before = dict(memory.networks)
    view.score(configs)
    assert all(memory.networks[d] is before[d] for d in before)


def test_configurations_without_a_network_are_scored_too() -> None:
    view, configs, _ = view_of(lambda c: c["unread"], build=lambda c: graph(c) if c["code"] % 2 else None)
    assert np.isfinite(view.score(configs)).all()
    view, configs, _ = view_of(lambda c: c["unread"], build=lambda c: None)
    assert np.isfinite(view.score(configs)).all()
