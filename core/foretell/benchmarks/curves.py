"""A plot of measurements over a size: a panel a family and task, a line a method, the spread of the seeds as a band."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement

_COLOURS = (
    "#0b5394", "#b45f06", "#6aa84f", "#741b47", "#cc0000", "#45818e", "#bf9000", "#674ea7", "#8f5a3c", "#d16b9b",
)  # fmt: skip
_MARKERS = "osD^vPX*<>"
_PLAIN = ("--", ":")
_COLUMNS = 4


def curves_figure(rows: Sequence[Measurement], metric: str, plain: Sequence[str], *, scale: str = "linear") -> Figure:
    """Draw the mean over seeds of one metric against `n`, with a band of a standard deviation to both sides.

    Args:
        rows: Measurements; those without `n` are left out.
        metric: Which metric.
        plain: Methods drawn as grey dashed lines, such as counting parameters.
        scale: Of the values, as matplotlib names it.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    shown = [m for m in rows if m.metric == metric and m.n is not None]
    places = list(dict.fromkeys((m.family, m.task) for m in shown))
    methods = list(dict.fromkeys(m.method for m in shown))
    coloured = [method for method in methods if method not in plain]
    columns = max(min(_COLUMNS, len(places)), 1)
    figure = empty_figure(3.4 * columns, 2.9 * max(math.ceil(len(places) / columns), 1) + 0.5)
    lines = {}
    for k, place in enumerate(places):
        axes = figure.add_subplot(math.ceil(len(places) / columns), columns, k + 1)
        for method in methods:
            n, mean, deviation = _curve([m for m in shown if (m.family, m.task) == place and m.method == method])
            if not len(n):
                continue
            i = coloured.index(method) if method in coloured else -1
            colour = _COLOURS[i % len(_COLOURS)] if i >= 0 else "#888888"
            marked = {"marker": _MARKERS[i % len(_MARKERS)], "markersize": 4}
            style = marked if i >= 0 else {"linestyle": _PLAIN[list(plain).index(method) % len(_PLAIN)]}
            (lines[method],) = axes.plot(n, mean, color=colour, linewidth=2.5 if i == 0 else 1.2, label=method, **style)
            axes.fill_between(n, mean - deviation, mean + deviation, color=colour, alpha=0.12, linewidth=0)
        axes.set_xscale("log")
        axes.set_yscale(scale)
        ticks = sorted({m.n for m in shown if (m.family, m.task) == place and m.n is not None})
        axes.set_xticks(ticks, map(str, ticks))
        axes.minorticks_off()
        axes.set(title=" ".join(filter(None, place)), xlabel="architectures trained on", ylabel=metric)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    if lines:
        figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=6, frameon=False)
    return figure


def _curve(rows: Sequence[Measurement]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, means and standard deviations over seeds."""
    sizes = sorted({m.n for m in rows if m.n is not None})
    values = [np.array([m.value for m in rows if m.n == n]) for n in sizes]
    return np.array(sizes), np.array([v.mean() for v in values]), np.array([v.std() for v in values])
