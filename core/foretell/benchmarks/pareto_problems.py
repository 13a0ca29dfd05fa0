"""Problems of several objectives: accuracy and latency of real networks, and two published functions for sanity.

Zitzler, Deb and Thiele, 2000, "Comparison of Multiobjective Evolutionary Algorithms: Empirical Results",
https://doi.org/10.1162/106365600568202 (ZDT1, ZDT2); Deb, Thiele, Laumanns and Zitzler, 2002, "Scalable Multi-Objective
Optimization Test Problems", https://doi.org/10.1109/CEC.2002.1007032 (DTLZ2). Latencies: Li et al., 2021,
"HW-NAS-Bench", https://arxiv.org/abs/2103.10584.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.hypervolume import hypervolume
from foretell.benchmarks.search_spaces.nasbench201_space import nasbench201_space
from foretell.benchmarks.tables import TABLES, read_parquet
from foretell.capture import nasbench201
from foretell.distributions import FloatDistribution
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float

    from foretell.distributions import Value

TUNED: tuple[tuple[str, str], ...] = (("zdt", "1"), ("dtlz2", "2"), ("nasbench201-latency", "cifar100 raspi4"))
"""Family and task of the problems on which samplers may be tuned."""
REPORTED: tuple[tuple[str, str], ...] = (
    ("zdt", "2"), ("dtlz2", "3"), ("nasbench201-latency", "cifar10 edgegpu"),
    ("nasbench201-latency", "cifar10 pixel3"), ("nasbench201-latency", "cifar10 edgegpu+energy"),
)  # fmt: skip
"""Family and task of the problems on which they are reported."""
_OPERATIONS = nasbench201.OPERATIONS


@dataclass(frozen=True, eq=False)
class ParetoProblem:
    """A space whose configurations have several values; larger is better, nothing is noisy.

    Args:
        space: What may be varied.
        values: From a configuration to its objectives.
        reference: The corner from which volume is counted.
        most: The largest volume there is.
    """

    space: SearchSpace
    values: Callable[[Mapping[str, Value]], tuple[float, ...]]
    reference: Float[np.ndarray, " m"]
    most: float

    def share(self, found: Float[np.ndarray, "n m"]) -> float:
        """Volume that values dominate, as a share of the largest, in [0, 1]."""
        return hypervolume(found, self.reference) / self.most


@lru_cache(maxsize=2)
def load_pareto(family: str, task: str) -> ParetoProblem:
    """The problem of a family and a task.

    Raises:
        InvalidDataError: If its table is not there.
    """
    return {"zdt": _zdt, "dtlz2": _dtlz2, "nasbench201-latency": _latency}[family](task)


def _zdt(task: str) -> ParetoProblem:
    """Six floats, two objectives; the front has g = 1."""
    space = SearchSpace({f"x{i}": FloatDistribution(0.0, 1.0) for i in range(6)})
    power = 0.5 if task == "1" else 2.0

    def values(config: Mapping[str, Value]) -> tuple[float, ...]:
        x = [float(config[f"x{i}"]) for i in range(6)]  # type: ignore[arg-type]
        g = 1.0 + 9.0 * math.fsum(x[1:]) / 5
        return -x[0], -g * (1.0 - (x[0] / g) ** power)

    # the integral of 1.1 - f2 over f1 up to 1, and the last tenth
    most = 1.1 - 1.0 + 1.0 / (power + 1.0) + 0.1 * 1.1
    return ParetoProblem(space, values, np.full(2, -1.1), most)


def _dtlz2(task: str) -> ParetoProblem:
    """As many objectives as the task says, and four floats more; the front is the sphere's positive part."""
    m = int(task)
    d = m + 4
    space = SearchSpace({f"x{i}": FloatDistribution(0.0, 1.0) for i in range(d)})

    def values(config: Mapping[str, Value]) -> tuple[float, ...]:
        x = [float(config[f"x{i}"]) for i in range(d)]  # type: ignore[arg-type]
        g = math.fsum((v - 0.5) ** 2 for v in x[m - 1 :])
        found = []
        for k in range(m):
            f = 1.0 + g
            for v in x[: m - 1 - k]:
                f *= math.cos(0.5 * math.pi * v)
            found.append(-f * (math.sin(0.5 * math.pi * x[m - 1 - k]) if k else 1.0))
        return tuple(found)

    ball = math.pi ** (m / 2) / math.gamma(m / 2 + 1) / 2**m
    return ParetoProblem(space, values, np.full(m, -1.1), 1.1**m - ball)


def _latency(task: str) -> ParetoProblem:
    """Accuracy and latency, and energy if asked for, each 0 at the median and 1 at the best network."""
    data, device = task.split()
    name, energy = device.removesuffix("+energy"), device.endswith("+energy")
    table = TABLES["nasbench201"]()
    hardware = read_parquet("hwnasbench201/hw_cifar10.parquet")
    row = {tuple(ast.literal_eval(str(net))): i for i, net in enumerate(hardware["net"])}
    at = [row[tuple(spec)] for spec in table.specs]  # both tables have the same digits in the same order
    columns = [table.targets[data], -np.asarray(hardware[f"{name}_latency"], dtype=np.float64)[at]]
    if energy:
        columns.append(-np.asarray(hardware[f"{name}_energy"], dtype=np.float64)[at])
    found = np.stack([(c - np.median(c)) / (c.max() - np.median(c)) for c in columns], axis=1)
    number = {spec: i for i, spec in enumerate(map(tuple, table.specs))}
    space = nasbench201_space(data).space

    def values(config: Mapping[str, Value]) -> tuple[float, ...]:
        spec = tuple(_OPERATIONS.index(str(config[f"edge{i}"])) for i in range(len(space)))
        return tuple(found[number[spec]].tolist())

    reference = np.zeros(found.shape[1])
    above = found[(found > 0).all(axis=1)]
    return ParetoProblem(space, values, reference, hypervolume(above, reference))
