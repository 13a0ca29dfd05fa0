"""NAS-Bench-201 as six categorical parameters, one an edge of the cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import TABLES
from foretell.capture import nasbench201

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph

_NEAR = 0.5


def nasbench201_space(task: str) -> SearchProblem:
    """One data set: test accuracy in percent after 200 epochs; found within half a point.

    Args:
        task: `cifar10` or `cifar100`.
    """
    table = TABLES["nasbench201"]()
    names = [f"edge{i}" for i in range(len(nasbench201.EDGES))]
    columns = {name: [nasbench201.OPERATIONS[s[i]] for s in table.specs] for i, name in enumerate(names)}
    return replace(grid_problem(columns, table.targets[task]), graph=_graph, near=_NEAR)


def _graph(config: Mapping[str, Value]) -> ComputationGraph:
    edges = range(len(nasbench201.EDGES))
    return nasbench201.graph([nasbench201.OPERATIONS.index(str(config[f"edge{i}"])) for i in edges])
