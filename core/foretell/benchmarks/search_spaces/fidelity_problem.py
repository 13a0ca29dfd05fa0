"""Problems with cheap levels: tables of two training protocols or scales, and constructed learning curves that cross.

NAS-Bench-201's two protocols; two of Step Law's language models, with a fifth of the tokens or of the parameters.

The constructed ones share one space of eight parameters, of network and training. What a configuration comes to in full
is a bowl along every number plus a number for every choice, drawn for each seed; tasks differ in what the cheap levels,
a ninth and a third of the training, show of that:

- `agreeing`: the same and a little noise that a repetition would not change;
- `crossing`: a learning curve, on which deep, wide and slowly learning configurations start low and end high;
- `opposed`: minus the full value;
- `unrelated`: another function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.nasbench201_space import nasbench201_space
from foretell.benchmarks.source_tasks import source_problem
from foretell.benchmarks.tables import read_parquet
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.search_space import SearchSpace, stable_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float

    from foretell.distributions import Value

TASKS = ("agreeing", "crossing", "opposed", "unrelated")
"""The constructed ones."""
CHEAPER = {"0.43-40": "0.43-8", "1.1-20": "0.21-20"}
"""Step Law's tasks, thousand million parameters and tokens, and the cheap level of each."""
SPACE = SearchSpace(
    {
        "depth": IntDistribution(1, 12),
        "width": IntDistribution(8, 512, log=True),
        "kernel": CategoricalDistribution((1, 3, 5, 7)),
        "lr": FloatDistribution(1e-4, 1.0, log=True),
        "weight_decay": FloatDistribution(1e-6, 1e-1, log=True),
        "dropout": FloatDistribution(0.0, 0.6),
        "optimizer": CategoricalDistribution(("sgd", "adam", "lamb")),
        "batch_size": IntDistribution(16, 512, log=True),
    }
)
_COSTS = (1.0, 3.0, 9.0)
_RATE, _START, _SPEED = 3.0, 8.0, 1.2
_SAMPLED = 20_000


@dataclass(frozen=True, eq=False)
class FidelityProblem:
    """A space with a value at every level; larger is better.

    Args:
        space: What may be varied.
        costs: What an evaluation costs at each level; the last level counts.
        value: From a configuration and a level to its value.
        values: Values at the last level of all configurations, or of many random ones; increasing.
    """

    space: SearchSpace
    costs: tuple[float, ...]
    value: Callable[[Mapping[str, Value], int], float]
    values: Float[np.ndarray, " n"]

    def share_better(self, value: float) -> float:
        """Share of all configurations whose value at the last level is larger, in [0, 1]."""
        return float(len(self.values) - np.searchsorted(self.values, value, side="right")) / len(self.values)


@lru_cache(maxsize=2)
def fidelity_problem(family: str, task: str, seed: int = 0) -> FidelityProblem:
    """A problem by name.

    Args:
        family: `nasbench201`, `steplaw` or `curves`.
        task: `cifar10` or `cifar100`, one of `CHEAPER`, or one of `TASKS`.
        seed: Which function, of constructed ones.

    Raises:
        InvalidDataError: If a table is not there.
    """
    if family == "steplaw":
        return _steplaw(task)
    return _nasbench201(task) if family == "nasbench201" else _curves(task, seed)


def _nasbench201(task: str) -> FidelityProblem:
    """12 epochs of a protocol of their own, validation accuracy, and 200 epochs, test accuracy, in percent."""
    full = nasbench201_space(task)
    columns = read_parquet("nasbench201/nb201.parquet")
    names = list(full.space.names)
    levels = [columns[f"{task}_val_acc_12ep"], columns[f"{task}_test_acc_200ep"]]
    found: dict[tuple[Value, ...], tuple[float, float]] = {}
    choices = {name: full.space.distributions[name].choices for name in names}  # type: ignore[union-attr]
    for arch, *values in zip(columns["arch_str"], *levels, strict=True):
        edges = [part.split("~")[0] for node in arch.split("+") for part in node.strip("|").split("|")]
        found[tuple(edges)] = (float(values[0]), float(values[1]))
    assert all(edge in choices[names[0]] for edges in found for edge in edges)

    def value(config: Mapping[str, Value], level: int) -> float:
        return found[tuple(config[name] for name in names)][level]

    return FidelityProblem(full.space, (12.0, 200.0), value, np.sort([v for _, v in found.values()]))


def _steplaw(task: str) -> FidelityProblem:
    """Learning rate and batch size of a language model, minus its loss; costs are parameters times tokens."""
    levels = [source_problem("steplaw", t) for t in (CHEAPER[task], task)]
    costs = [math.prod(map(float, t.split("-"))) for t in (CHEAPER[task], task)]

    def value(config: Mapping[str, Value], level: int) -> float:
        return levels[level].value(config)

    return FidelityProblem(levels[1].space, tuple(costs), value, levels[1].values)


def _curves(task: str, seed: int) -> FidelityProblem:
    rng = np.random.default_rng([seed, stable_hash("curves")])
    quality, other = _bowl(rng), _bowl(rng)

    def value(config: Mapping[str, Value], level: int) -> float:
        units = SPACE.to_unit([config])
        q, share = float(quality(units)[0]), _COSTS[level] / _COSTS[-1]
        if level == len(_COSTS) - 1:
            return q
        if task == "opposed":
            return -q
        if task == "unrelated":
            return float(other(units)[0])
        if task == "agreeing":
            own = np.random.default_rng([stable_hash(repr(sorted(config.items()))), level, seed])
            return q + 0.1 / (level + 1) * float(own.standard_normal())
        depth, width, lr = (float(units[0, SPACE.names.index(name)]) for name in ("depth", "width", "lr"))
        slow = depth + width - 2 * lr  # from -2 to 2
        return q - _START * math.exp(-_RATE * share * math.exp(-_SPEED * slow))

    drawn = SPACE.sample_units(_SAMPLED, np.random.default_rng(seed))
    return FidelityProblem(SPACE, _COSTS, value, np.sort(quality(drawn)))


def _bowl(rng: np.random.Generator) -> Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, " n"]]:
    """A bowl along every number, with one product, and a number for every choice; 0 is the most, or little more."""
    d = len(SPACE)
    centre, weight, worth = rng.uniform(0.2, 0.8, d), rng.uniform(0.5, 3.0, d), rng.uniform(0.0, 0.6, (d, 8))
    cross = float(rng.uniform(-1.0, 1.0))

    def value(units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        away = units - centre
        total = cross * away[:, 0] * away[:, 3]
        for j, distribution in enumerate(SPACE.distributions.values()):
            if isinstance(distribution, CategoricalDistribution):
                chosen = worth[j, : distribution.size] - worth[j, : distribution.size].min()
                total += chosen[np.minimum((units[:, j] * distribution.size).astype(np.int64), distribution.size - 1)]
            else:
                total += weight[j] * away[:, j] ** 2
        return np.asarray(-total)

    return value
