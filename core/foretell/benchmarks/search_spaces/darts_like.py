"""A constructed objective on the space of DARTS cells as NAS-Bench-301 writes it: 34 conditional choices.

Nothing here was trained: what each operator is worth on each edge is drawn from the task's name. What the function has
in common with real ones is by construction: operators matter in a known order, edges differ, two inputs of a node
interact, many skip connections collapse, and the best values lie close together.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.search_spaces.sampled_problem import sampled_problem
from foretell.distributions import CategoricalDistribution, Distribution
from foretell.search_space import Condition, SearchSpace, stable_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value

OPERATIONS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
              "dil_conv_5x5")  # fmt: skip
_TYPICAL = np.array([-1.0, -1.1, 0.1, 0.8, 0.6, 0.4, 0.2])
_CELLS, _NODES, _SKIPS = ("normal", "reduce"), range(2, 6), 2
_WEIGHT = {"normal": 1.0, "reduce": 0.4}


def darts_space() -> SearchSpace:
    """A node has two inputs, which of its predecessors they are is a choice, and only their edges have an operator."""
    distributions: dict[str, Distribution] = {}
    conditions: dict[str, tuple[Condition, ...]] = {}
    for cell, node in product(_CELLS, _NODES):
        pairs = tuple(f"{a}_{b}" for a, b in combinations(range(node), 2))
        if node > 2:
            distributions[f"{cell}_inputs{node}"] = CategoricalDistribution(pairs)
        for source in range(node):
            name = f"{cell}_edge{source}{node}"
            distributions[name] = CategoricalDistribution(OPERATIONS)
            if node > 2:
                using: frozenset[Value] = frozenset(p for p in pairs if str(source) in p.split("_"))
                conditions[name] = (Condition(f"{cell}_inputs{node}", using),)
    return SearchSpace(distributions, conditions)


def darts_like(task: str) -> SearchProblem:
    """A value like an accuracy in percent, below 95.

    Args:
        task: Any name; draws the coefficients.
    """
    rng = np.random.default_rng(stable_hash(f"darts-like {task}"))
    space, n = darts_space(), len(OPERATIONS)
    worth = {
        name: _WEIGHT[name.split("_")[0]] * (_TYPICAL + 0.4 * rng.standard_normal(n)) for name in space.names
        if "_edge" in name
    }  # fmt: skip
    together = {(cell, node): 0.25 * rng.standard_normal((n, n)) for cell, node in product(_CELLS, _NODES)}
    depth = {cell: 0.15 * rng.standard_normal() for cell in _CELLS}

    def value(config: Mapping[str, Value]) -> float:
        total, skips = 0.0, 0
        for cell, node in product(_CELLS, _NODES):
            used = [s for s in range(node) if f"{cell}_edge{s}{node}" in config]
            ops = [OPERATIONS.index(str(config[f"{cell}_edge{s}{node}"])) for s in used]
            total += sum(worth[f"{cell}_edge{s}{node}"][op] for s, op in zip(used, ops, strict=True))
            total += together[cell, node][ops[0], ops[1]] + depth[cell] * sum(used)
            skips += sum(op == OPERATIONS.index("skip_connect") for op in ops) if cell == "normal" else 0
        return float(95.0 - 1.5 * np.exp(-0.2 * total) - 0.4 * max(skips - _SKIPS, 0))

    return sampled_problem(space, value)
