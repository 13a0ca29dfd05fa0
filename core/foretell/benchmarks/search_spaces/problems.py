"""All problems by family and task, in two halves: on one half samplers are tuned, on the other they are reported.

The halves were fixed before anything was measured. FCNet protein structure and HPOBench car had served for choosing
before, and are therefore on the tuned side, as is NAS-Bench-201 on CIFAR-100.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from foretell.benchmarks.search_spaces.constructed import layers, optimizer_tree
from foretell.benchmarks.search_spaces.darts_like import darts_like
from foretell.benchmarks.search_spaces.fcnet import fcnet
from foretell.benchmarks.search_spaces.hpobench_mlp import hpobench_mlp
from foretell.benchmarks.search_spaces.nasbench101_space import nasbench101_space
from foretell.benchmarks.search_spaces.nasbench201_space import nasbench201_space
from foretell.benchmarks.search_spaces.nmt import nmt
from foretell.benchmarks.search_spaces.steplaw import steplaw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from foretell.benchmarks.search_spaces.problem import SearchProblem

_FAMILIES: Mapping[str, Callable[[str], SearchProblem]] = {
    "fcnet": fcnet, "hpobench-mlp": hpobench_mlp, "nasbench201": nasbench201_space, "nasbench101": nasbench101_space,
    "nmt": nmt, "steplaw": steplaw, "darts-like": darts_like, "optimizer-tree": optimizer_tree, "layers": layers,
}  # fmt: skip
TUNED: tuple[tuple[str, str], ...] = (
    ("fcnet", "protein_structure"), ("hpobench-mlp", "car"), ("hpobench-mlp", "kc1"), ("nasbench201", "cifar100"),
    ("nmt", "sw-en"), ("steplaw", "0.21-11"), ("steplaw", "0.43-23"), ("darts-like", "a"), ("optimizer-tree", "a"),
    ("layers", "a"),
)  # fmt: skip
"""Family and task of the problems on which samplers may be tuned."""
REPORTED: tuple[tuple[str, str], ...] = (
    ("fcnet", "naval_propulsion"), ("hpobench-mlp", "australian"), ("hpobench-mlp", "vehicle"),
    ("nasbench201", "cifar10"), ("nasbench101", "test_acc"), ("nmt", "en-ja"), ("nmt", "ru-en"),
    ("steplaw", "0.21-4"), ("steplaw", "0.43-8"), ("darts-like", "b"), ("optimizer-tree", "b"), ("layers", "b"),
)  # fmt: skip
"""Family and task of the problems on which they are reported."""
NETWORKS = frozenset({"nasbench201", "nasbench101"})
"""Families whose configurations make a network."""
CONSTRUCTED = frozenset({"darts-like", "optimizer-tree", "layers"})
"""Families whose objective is ours, not measured."""


@lru_cache(maxsize=2)
def load_problem(family: str, task: str) -> SearchProblem:
    """The problem of a family and a task; the last two are kept.

    Raises:
        InvalidDataError: If its table is not there.
    """
    return _FAMILIES[family](task)
