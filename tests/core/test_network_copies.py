"""Copies of networks: left out once the study shows that they are no news."""

from __future__ import annotations

from typing import Any

from foretell.graph import ComputationGraph, Node
from foretell.graph_source import GraphSource
from foretell.network_copies import NetworkCopies


def graph(config: Any) -> ComputationGraph | None:
    if config["a"] < 0:
        return None
    width = config["a"] * config["b"]  # 2 * 3 and 3 * 2 are one network
    return ComputationGraph.from_nodes([Node("Input", (1, 1, 1), (width, 1, 1))], [])


def config(a: int, b: int, lr: float = 0.1) -> dict[str, Any]:
    return {"a": a, "b": b, "lr": lr}


TRIED = [config(2, 3), config(1, 1), config(3, 2)]


def test_equal_networks_with_equal_values_are_no_news() -> None:
    copies = NetworkCopies.of(GraphSource(graph), TRIED, [0.5, 0.1, 0.5])
    asked = [config(6, 1), config(1, 5), config(5, 1), config(1, 1), config(2, 3, lr=0.2), config(-1, 1), config(-1, 1)]
    assert copies.new(asked) == [1, 4, 5, 6]  # another learning rate is news, and what has no network too


def test_without_proof_all_are_news() -> None:
    asked = [config(6, 1), config(1, 6)]
    for configs, values in ((TRIED[:2], [0.5, 0.1]), (TRIED, [0.5, 0.1, 0.6]), ([], [])):
        assert NetworkCopies.of(GraphSource(graph), configs, values).new(asked) == [0, 1]


def test_with_other_parameters_beside_them_they_prove_nothing() -> None:
    tried = [config(2, 3), config(3, 2, lr=0.3)]
    assert NetworkCopies.of(GraphSource(graph), tried, [0.5, 0.5]).taken == frozenset()
