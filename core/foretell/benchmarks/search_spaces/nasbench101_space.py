"""NAS-Bench-101 as 26 categorical parameters: 21 edges that are there or not, and five operators.

Cells with more than nine edges, or without a path from input to output, are not in the benchmark; their value is 0, and
they have no network.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import TABLES, data_file
from foretell.capture import nasbench101
from foretell.distributions import CategoricalDistribution, Distribution
from foretell.errors import InvalidArchitectureError
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph

_NEAR = 0.005
_PAIRS = tuple(combinations(range(nasbench101.MAX_VERTICES), 2))
_INNER = range(1, nasbench101.MAX_VERTICES - 1)


def nasbench101_space(task: str) -> SearchProblem:
    """Mean test accuracy of three runs of 108 epochs, a fraction; found within half a point.

    Args:
        task: `test_acc`, or another target of the table.
    """
    accuracy = TABLES["nasbench101"]().targets[task]
    with np.load(data_file("nasbench101/nb101.npz")) as stored:
        hashes = np.ascontiguousarray(stored["hash"]).view(np.uint8).reshape(len(accuracy), 16)
    row = {name.tobytes(): i for i, name in enumerate(hashes)}

    def value(config: Mapping[str, Value]) -> float:
        found = row.get(nasbench101.fingerprint(*cell(config)))
        return 0.0 if found is None else float(accuracy[found])

    distributions: dict[str, Distribution] = {f"edge{u}{v}": CategoricalDistribution((False, True)) for u, v in _PAIRS}
    distributions |= {f"op{v}": CategoricalDistribution(nasbench101.OPERATIONS) for v in _INNER}
    return SearchProblem(SearchSpace(distributions), value, np.sort(accuracy), _graph, _NEAR)


def cell(config: Mapping[str, Value]) -> tuple[list[list[int]], list[str]]:
    """Matrix and operators of a configuration, before pruning."""
    matrix = [[0] * nasbench101.MAX_VERTICES for _ in range(nasbench101.MAX_VERTICES)]
    for u, v in _PAIRS:
        matrix[u][v] = int(bool(config[f"edge{u}{v}"]))
    return matrix, ["input", *(str(config[f"op{v}"]) for v in _INNER), "output"]


def _graph(config: Mapping[str, Value]) -> ComputationGraph:
    matrix, ops = cell(config)
    edges = sum(map(len, nasbench101.prune(matrix, ops)[0]))
    if not 0 < edges <= nasbench101.MAX_EDGES:
        msg = f"a cell must have a path, and at most {nasbench101.MAX_EDGES} edges, but got {edges=}: change some"
        raise InvalidArchitectureError(msg)
    return nasbench101.graph(matrix, ops)
