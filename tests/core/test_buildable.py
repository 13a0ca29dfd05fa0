"""What cannot be built: not proposed, unless the study says that it works."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foretell.buildable import Buildable
from foretell.distributions import CategoricalDistribution, IntDistribution
from foretell.errors import CaptureWarning, InvalidArchitectureError
from foretell.graph import ComputationGraph, Node
from foretell.graph_source import GraphSource
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_space import SearchSpace

SPACE = SearchSpace({"width": IntDistribution(0, 15), "kind": CategoricalDistribution(("good", "bad"))})


def graph(config: Any) -> ComputationGraph:
    if config["kind"] == "bad" or config["width"] % 3 == 0:
        msg = "no such network"
        raise InvalidArchitectureError(msg)
    width = config["width"]
    nodes = [Node("Input", (1, 1, 1), (1, 1, 1)), Node("MatMul", (1, 1, 1), (width, 1, 1), params=width)]
    return ComputationGraph.from_nodes(nodes, [(0, 1)])


@pytest.fixture
def source() -> GraphSource:
    found = GraphSource(graph)
    with pytest.warns(CaptureWarning, match="no such network"):
        assert found.refuses({"width": 3, "kind": "good"})
    return found


def test_only_what_can_be_built_is_suggested(source: GraphSource) -> None:
    observations: list[Observation] = []
    for i in range(4):
        config = BayesianOptimizer(SPACE, source, 4).suggest(observations, seed=(0, i))
        assert not source.refuses(config)
        assert config not in [o.config for o in observations]
        observations.append(Observation(config, (float(config["width"]),)))


def test_where_nothing_can_be_built_the_study_goes_on() -> None:
    def broken(config: Any) -> ComputationGraph:
        raise KeyError(config["kind"])

    optimizer = BayesianOptimizer(SPACE, GraphSource(broken))
    with pytest.warns(CaptureWarning, match="KeyError"):
        config = optimizer.suggest([], seed=0)
    observations = [Observation(config, (0.0,))]
    assert SPACE.contains(optimizer.suggest(observations, seed=1))


def test_results_decide_whether_it_matters(source: GraphSource) -> None:
    rule = Buildable(source)
    good, bad = {"width": 1, "kind": "good"}, {"width": 1, "kind": "bad"}
    assert rule(good)
    assert not rule(bad)
    assert not Buildable(source, lambda config: config["width"] > 1)(good)
    assert rule.borne_out([], np.empty((0, 1)))
    assert rule.borne_out([good], np.array([[0.5]]))
    assert rule.borne_out([good, bad], np.array([[0.5], [0.0]]))
    assert not rule.borne_out([good, bad], np.array([[0.5], [0.6]]))
    assert not rule.borne_out([bad], np.array([[0.5]]))  # the study may know nothing else
    assert not rule.borne_out([good, bad], np.array([[0.5, 0.5], [0.1, 0.6]]))


def test_where_it_does_not_matter_everything_is_suggested(source: GraphSource) -> None:
    observations = [Observation({"width": 1, "kind": "good"}, (0.0,)), Observation({"width": 2, "kind": "bad"}, (1.0,))]
    for i in range(3):
        config = BayesianOptimizer(SPACE, source, 4).suggest(observations, seed=(1, i))
        observations.append(Observation(config, (float(config["kind"] == "bad"),)))
    assert any(o.config["kind"] == "bad" for o in observations[2:])
