"""The tables of `foretell bench few-shot`, in markdown: rank correlation against labels, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.benchmarks.runner import Measurement

TIMES: Mapping[str, str] = MappingProxyType(
    {"fit": "fit, s", "query": "rank all others, s", "encode": "encode one, ms"}
)
"""Metrics that are times, and what heads their columns."""


def few_shot_tables(
    rows: Sequence[Measurement], times: Mapping[str, str] = TIMES, clock: str = "CPU time on one thread"
) -> list[str]:
    """Lines of one table of Kendall tau a family and task, and of one of times, which `clock` measured.

    An entry is mean and standard deviation over seeds, with their number; the best mean of a column is bold. Times are
    medians over seeds and tasks.
    """
    lines: list[str] = []
    for place in dict.fromkeys((m.family, m.task) for m in rows):
        here = [m for m in rows if (m.family, m.task) == place and m.metric == "tau"]
        lines += ["", f"Kendall tau, {' '.join(filter(None, place))}; mean ± standard deviation (seeds)", ""]
        lines += _tau_table(here)
    lines += ["", f"{clock}; medians over seeds and tasks", ""]
    return [*lines, *_time_table(rows, times)]


def _tau_table(rows: Sequence[Measurement]) -> list[str]:
    methods, sizes = _methods_and_sizes(rows)
    found = {(m, n): np.array([r.value for r in rows if (r.method, r.n) == (m, n)]) for m in methods for n in sizes}
    best = {n: max(v.mean() for (_, size), v in found.items() if size == n and len(v)) for n in sizes}
    lines = _head(["method", *map(str, sizes)])
    for method in methods:
        entries = [_entry(found[method, n], best[n]) for n in sizes]
        lines.append(f"| {' | '.join([method, *entries])} |")
    return lines


def _entry(values: Float[np.ndarray, " seeds"], best: float) -> str:
    if not len(values):
        return ""
    mean = values.mean()
    spread = f" ± {_short(values.std())}" if len(values) > 1 else ""
    return f"{f'**{_short(mean)}**' if mean == best else _short(mean)}{spread} ({len(values)})"


def _time_table(rows: Sequence[Measurement], times: Mapping[str, str]) -> list[str]:
    timed = [m for m in rows if m.metric in times]
    methods, _ = _methods_and_sizes(timed)
    columns = [
        (family, metric, n)
        for family in dict.fromkeys(m.family for m in timed)
        for n in [_shared_size([m for m in timed if m.family == family])]
        for metric in times
    ]
    lines = _head(["method", *(f"{family}: {times[metric]} (n = {n})" for family, metric, n in columns)])
    for method in methods:
        entries = []
        for family, metric, n in columns:
            values = [m.value for m in timed if (m.method, m.family, m.metric, m.n) == (method, family, metric, n)]
            entries.append(f"{np.median(values):.3g}" if values else "")
        lines.append(f"| {' | '.join([method, *entries])} |")
    return lines


def _shared_size(rows: Sequence[Measurement]) -> int:
    """The size that most methods were measured at, the largest of these."""
    methods = {n: len({m.method for m in rows if m.n == n}) for n in {m.n for m in rows if m.n is not None}}
    return max(methods, key=lambda n: (methods[n], n))


def _methods_and_sizes(rows: Sequence[Measurement]) -> tuple[list[str], list[int]]:
    return list(dict.fromkeys(m.method for m in rows)), sorted({m.n for m in rows if m.n is not None})


def _head(names: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]


def _short(value: float) -> str:
    """Three digits without the zero in front.

    >>> _short(0.8476), _short(-0.05)
    ('.848', '-.050')
    """
    return f"{value:.3f}".replace("0.", ".", 1)
