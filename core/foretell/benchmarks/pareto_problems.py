"""Problems of several objectives: accuracy and latency of real networks, and published functions for sanity.

Zitzler, Deb and Thiele, 2000, "Comparison of Multiobjective Evolutionary Algorithms: Empirical Results",
https://doi.org/10.1162/106365600568202 (ZDT1 to ZDT3); Deb, Thiele, Laumanns and Zitzler, 2002, "Scalable
Multi-Objective Optimization Test Problems", https://doi.org/10.1109/CEC.2002.1007032 (DTLZ2, DTLZ7); Deb and Jain,
2014, "An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated Sorting
Approach", https://doi.org/10.1109/TEVC.2013.2281535, section V (convex DTLZ2). Latencies: Li et al., 2021,
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

TUNED: tuple[tuple[str, str], ...] = (
    ("zdt", "1"), ("zdt", "3"), ("dtlz2", "2"), ("dtlz2-convex", "3"), ("dtlz7", "3"),
    ("nasbench201-latency", "cifar100 raspi4"),
)  # fmt: skip
"""Family and task of the problems on which samplers may be tuned."""
REPORTED: tuple[tuple[str, str], ...] = (
    ("zdt", "2"), ("dtlz2", "3"), ("nasbench201-latency", "cifar10 edgegpu"),
    ("nasbench201-latency", "cifar10 pixel3"), ("nasbench201-latency", "cifar10 edgegpu+energy"),
)  # fmt: skip
"""Family and task of the problems on which they are reported."""
_OPERATIONS = nasbench201.OPERATIONS
_CORNER = 1.1  # volume of published functions counts from there
_STEPS = (np.arange(4000) + 0.5) / 4000  # of an integral by the midpoints


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
    makers = {"zdt": _zdt, "dtlz2": _dtlz2, "dtlz2-convex": _dtlz2_convex, "dtlz7": _dtlz7}
    return {**makers, "nasbench201-latency": _latency}[family](task)


def _zdt(task: str) -> ParetoProblem:
    """Six floats, two objectives; the front has g = 1."""
    power = 2.0 if task == "2" else 0.5
    waves = 1.0 if task == "3" else 0.0

    def second(first: float, g: float) -> float:
        return g * (1.0 - float((first / g) ** power) - waves * first / g * math.sin(10.0 * math.pi * first))

    def values(x: list[float]) -> tuple[float, ...]:
        g = 1.0 + 9.0 * math.fsum(x[1:]) / 5
        return -x[0], -second(x[0], g)

    # above each first objective the front's lowest second one so far, up to the corner
    lowest = np.minimum.accumulate([second(float(f), 1.0) for f in _STEPS])
    most = float((_CORNER - lowest).mean()) + (_CORNER - 1.0) * (_CORNER - float(lowest[-1]))
    return ParetoProblem(_floats(6), _of_floats(values), np.full(2, -_CORNER), most)


def _dtlz2(task: str) -> ParetoProblem:
    """As many objectives as the task says, and four floats more; the front is the sphere's positive part."""
    m = int(task)
    ball = math.pi ** (m / 2) / math.gamma(m / 2 + 1) / 2**m
    values = _of_floats(lambda x: tuple(-f for f in _on_sphere(x, m)))
    return ParetoProblem(_floats(m + 4), values, np.full(m, -_CORNER), _CORNER**m - ball)


def _dtlz2_convex(task: str) -> ParetoProblem:
    """The same with fourth powers, of the last objective the square: few good compromises, and they lie in a corner."""
    m = int(task)
    values = _of_floats(lambda x: tuple(-(f ** (2.0 if k == m - 1 else 4.0)) for k, f in enumerate(_on_sphere(x, m))))
    below = 2.0 ** (m - 1) / math.factorial(2 * m - 1)  # of sqrt(f_1) + ... + sqrt(f_{m-1}) + f_m < 1, as Dirichlet's
    return ParetoProblem(_floats(m + 4), values, np.full(m, -_CORNER), _CORNER**m - below)


def _dtlz7(task: str) -> ParetoProblem:
    """As many objectives as the task says, and four floats more; the front has g = 1 and 2^(m-1) parts."""
    m = int(task)

    def wave(f: float) -> float:
        return f * (1.0 + math.sin(3.0 * math.pi * f))

    def values(x: list[float]) -> tuple[float, ...]:
        g = 1.0 + 9.0 * math.fsum(x[m - 1 :]) / 5
        last = (1.0 + g) * (m - math.fsum(wave(f) / (1.0 + g) for f in x[: m - 1]))
        return (*(-f for f in x[: m - 1]), -last)

    # the last objective's front is 2 m less a sum of one term each: its mean over the others is a sum of means
    highest = np.maximum.accumulate([wave(float(f)) for f in _STEPS])
    mean = (float(highest.mean()) + (_CORNER - 1.0) * float(highest[-1])) / _CORNER
    most = _CORNER ** (m - 1) * (_CORNER - 1.0 + (m - 1) * mean)
    return ParetoProblem(
        _floats(m + 4), _of_floats(values), np.array([-_CORNER] * (m - 1) + [1.0 - _CORNER - 2 * m]), most
    )


def _on_sphere(x: list[float], m: int) -> list[float]:
    """The m objectives of DTLZ2, to be made small."""
    g = math.fsum((v - 0.5) ** 2 for v in x[m - 1 :])
    found = []
    for k in range(m):
        f = 1.0 + g
        for v in x[: m - 1 - k]:
            f *= math.cos(0.5 * math.pi * v)
        found.append(f * (math.sin(0.5 * math.pi * x[m - 1 - k]) if k else 1.0))
    return found


def _floats(d: int) -> SearchSpace:
    return SearchSpace({f"x{i}": FloatDistribution(0.0, 1.0) for i in range(d)})


def _of_floats(
    values: Callable[[list[float]], tuple[float, ...]],
) -> Callable[[Mapping[str, Value]], tuple[float, ...]]:
    return lambda config: values([float(config[f"x{i}"]) for i in range(len(config))])  # type: ignore[arg-type]


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
