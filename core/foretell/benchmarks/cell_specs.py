"""Time from the specification of a cell to the graph of its network, without building a module."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from foretell.capture import nasbench101, nasbench201, nasbench301, nasbench_macro, ofa_mobilenetv3, transnasbench101

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.graph import ComputationGraph

_REPEATS = 200
_MATRIX = [
    [0, 1, 1, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 1, 0, 0, 0],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
_DARTS = [(source, "sep_conv_3x3") for _ in range(4) for source in (0, 1)]
FAMILIES: dict[str, Callable[[], ComputationGraph]] = {
    "nasbench101": lambda: nasbench101.graph(
        _MATRIX, ["input", *(nasbench101.OPERATIONS[i] for i in (1, 0, 2, 0, 0)), "output"]
    ),
    "nasbench201": lambda: nasbench201.graph((2, 2, 3, 2, 4, 3)),
    "nasbench301": lambda: nasbench301.graph([_DARTS, _DARTS]),
    "transnasbench101": lambda: transnasbench101.graph((3, 3, 2, 3, 1, 3)),
    "ofa_mobilenetv3": lambda: ofa_mobilenetv3.graph({"ks": 7, "e": 6, "d": 4, "r": 224}),
    "nasbench_macro": lambda: nasbench_macro.graph("22222222"),
}
"""One large network of each family."""


def spec_milliseconds(family: str) -> float:
    """Median milliseconds of making the graph of a family's example cell."""
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        FAMILIES[family]()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)
