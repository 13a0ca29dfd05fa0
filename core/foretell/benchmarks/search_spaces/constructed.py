"""Constructed objectives on small conditional spaces of mixed parameters; nothing here was trained.

Centres, slopes and offsets are drawn from the task's name, so that a task is one function for ever and two tasks are
two. Larger is better, 0 is the most.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.search_spaces.sampled_problem import sampled_problem
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.search_space import Condition, SearchSpace, stable_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value

_DEPTH = 5


def optimizer_tree(task: str) -> SearchProblem:
    """Each optimiser and each schedule has parameters of its own; ten, up to seven of them active."""
    sgd: frozenset[Value] = frozenset({"sgd"})
    adam: frozenset[Value] = frozenset({"adam", "lamb"})
    space = SearchSpace(
        {
            "optimizer": CategoricalDistribution(("sgd", "adam", "lamb", "adagrad")),
            "lr": FloatDistribution(1e-5, 1.0, log=True),
            "weight_decay": FloatDistribution(1e-6, 1e-1, log=True),
            "momentum": FloatDistribution(0.0, 0.99),
            "nesterov": CategoricalDistribution((False, True)),
            "beta1": FloatDistribution(0.5, 0.99),
            "beta2": FloatDistribution(0.9, 0.9999),
            "schedule": CategoricalDistribution(("constant", "cosine", "step")),
            "warmup": IntDistribution(0, 10),
            "decay": FloatDistribution(0.05, 0.9),
        },
        {
            "momentum": (Condition("optimizer", sgd),),
            "nesterov": (Condition("optimizer", sgd),),
            "beta1": (Condition("optimizer", adam),),
            "beta2": (Condition("optimizer", adam),),
            "warmup": (Condition("schedule", frozenset(["cosine"])),),
            "decay": (Condition("schedule", frozenset(["step"])),),
        },
    )
    rng = np.random.default_rng(stable_hash(f"optimizer-tree {task}"))
    centre = {"sgd": rng.uniform(-2, -0.5), **{o: rng.uniform(-4, -2) for o in ("adam", "lamb", "adagrad")}}
    offset = dict(zip(centre, rng.permutation([0.0, 0.1, 0.25, 0.6]), strict=True))
    kind = dict(zip(("constant", "cosine", "step"), rng.permutation([0.0, 0.05, 0.3]), strict=True))
    at = dict(zip(("momentum", "beta1", "beta2", "warmup", "decay"), rng.uniform(0.3, 0.9, 5), strict=True))

    def value(config: Mapping[str, Value]) -> float:
        optimizer = str(config["optimizer"])
        loss = offset[optimizer] + kind[str(config["schedule"])] + 0.05 * bool(config.get("nesterov"))
        loss += 0.3 * abs(math.log10(_number(config, "lr")) - centre[optimizer]) ** 1.5
        loss += 0.04 * (math.log10(_number(config, "weight_decay")) + 4) ** 2
        for name, best in at.items():
            if name in config:
                loss += 0.8 * (float(space.distributions[name].to_unit(config[name])) - best) ** 2
        return -float(loss)

    return sampled_problem(space, value)


def layers(task: str) -> SearchProblem:
    """Width, dropout and activation of every layer up to `depth`; 17 parameters, 5 to 17 of them active."""
    names: dict[str, FloatDistribution | IntDistribution | CategoricalDistribution] = {
        "depth": IntDistribution(1, _DEPTH), "lr": FloatDistribution(1e-5, 1e-1, log=True)
    }  # fmt: skip
    conditions: dict[str, tuple[Condition, ...]] = {}
    for i in range(1, _DEPTH + 1):
        names |= {
            f"width{i}": IntDistribution(8, 512, log=True), f"dropout{i}": FloatDistribution(0.0, 0.8, step=0.1),
            f"activation{i}": CategoricalDistribution(("relu", "tanh", "gelu")),
        }  # fmt: skip
        deep = Condition("depth", frozenset(range(i, _DEPTH + 1)))
        conditions |= {f"{kind}{i}": (deep,) for kind in ("width", "dropout", "activation") if i > 1}
    space = SearchSpace(names, conditions)
    rng = np.random.default_rng(stable_hash(f"layers {task}"))
    best_depth, wanted, rate = int(rng.integers(2, _DEPTH)), rng.uniform(4, 9, _DEPTH), rng.uniform(0, 0.5, _DEPTH)
    liked = dict(zip(("relu", "tanh", "gelu"), rng.permutation([0.0, 0.04, 0.15]), strict=True))

    def value(config: Mapping[str, Value]) -> float:
        depth = int(_number(config, "depth"))
        loss = 0.15 * abs(depth - best_depth) + 0.15 * (math.log10(_number(config, "lr")) + 2 + 0.4 * depth) ** 2
        for i in range(1, depth + 1):
            each = 0.03 * (math.log2(_number(config, f"width{i}")) - wanted[i - 1]) ** 2
            each += 0.5 * (_number(config, f"dropout{i}") - rate[i - 1]) ** 2 + liked[str(config[f"activation{i}"])]
            loss += each / depth
        return -float(loss)

    return sampled_problem(space, value)


def _number(config: Mapping[str, Value], name: str) -> float:
    return float(config[name] or 0.0)
