"""A plot of measurements: a group of bars a setting, a bar a method, a panel a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Cell


def bars_figure(rows: Sequence[tuple[Cell, str, float, str]]) -> Figure:
    """Draw medians as `runner.medians` gives them.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    metrics = sorted({(metric, unit) for _, metric, _, unit in rows})
    methods = sorted({cell.method for cell, *_ in rows})
    figure = empty_figure(7.0, 2.8 * len(metrics))
    for k, (metric, unit) in enumerate(metrics):
        axes = figure.add_subplot(len(metrics), 1, k + 1)
        here = {(_place(c), c.method): value for c, m, value, u in rows if (m, u) == (metric, unit)}
        places = sorted({place for place, _ in here})
        for j, method in enumerate(methods):
            x = [i + (j - (len(methods) - 1) / 2) * 0.8 / len(methods) for i in range(len(places))]
            axes.bar(x, [here.get((p, method), np.nan) for p in places], 0.8 / len(methods), label=method)
        axes.set_xticks(range(len(places)), places, rotation=20, ha="right")
        axes.set(ylabel=f"{metric} ({unit})", yscale="log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize="small")
    return figure


def _place(cell: Cell) -> str:
    return " ".join(str(part) for part in (cell.family, cell.task, cell.n) if part is not None)
