"""Sizes of networks: counted from what is usual in a space, and what search makes of the belief in large ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from foretell.capture import nasbench201
from foretell.distributions import CategoricalDistribution
from foretell.network_columns import network_columns
from foretell.network_size import NetworkSize
from foretell.network_view import NetworkView
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace
from foretell.unit_cube import UnitCube

NAMES = [f"edge{i}" for i in range(6)]
SPACE = SearchSpace({name: CategoricalDistribution(nasbench201.OPERATIONS) for name in NAMES})
CUBE, MEMORY = UnitCube(SPACE), SearchMemory()
CONFIGS = [SPACE.sample(np.random.default_rng(i)) for i in range(12)]


def graph(config: Any) -> Any:
    return nasbench201.graph([nasbench201.OPERATIONS.index(config[name]) for name in NAMES])


def of(*operations: int) -> dict[str, str]:
    return {name: nasbench201.OPERATIONS[k] for name, k in zip(NAMES, operations, strict=True)}


SMALL, LARGE = of(4, 0, 0, 0, 4, 0), of(3, 3, 3, 3, 3, 3)


def test_sizes_are_counted_from_what_is_usual() -> None:
    usual = NetworkSize.usual(CUBE, graph, MEMORY)
    sizes = usual(network_columns(graph, MEMORY, CONFIGS))
    params = [graph(c).params for c in CONFIGS]
    assert (np.argsort(sizes, kind="stable")[[0, -1]] == np.argsort(params, kind="stable")[[0, -1]]).all()
    assert abs(sizes.mean()) < 1.0
    assert np.abs(usual(network_columns(graph, MEMORY, [SMALL, LARGE]))).max() <= 3.0


def test_without_networks_or_with_equal_ones_nothing_is_large() -> None:
    for build in (lambda config: None, lambda config: graph(LARGE)):
        memory = SearchMemory()
        usual = NetworkSize.usual(CUBE, build, memory)
        assert usual(network_columns(build, memory, CONFIGS[:3])).tolist() == [0.0, 0.0, 0.0]


def view(y: Any) -> NetworkView:
    values = np.array([float(v) for v in y])
    return NetworkView.fit(CUBE, graph, MEMORY, CONFIGS[: len(values)], values, np.zeros(len(values), dtype=bool))


def test_large_networks_are_believed_in_until_results_speak_against_them() -> None:
    small, large = view([0.5, 0.6]).score([SMALL, LARGE])
    assert large > small + 1.0
    params = np.log([graph(c).params for c in CONFIGS])
    believed, doubted = view(params), view(-params)
    lean = np.array(believed.leans) > 0
    assert believed.weights[lean].sum() > doubted.weights[lean].sum() + 0.2
    small, large = doubted.score([SMALL, LARGE])
    assert small > large
