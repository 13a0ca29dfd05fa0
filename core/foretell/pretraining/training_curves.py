"""The logs of a pretraining as a plot: loss, spread of projections and rank correlation, epoch by epoch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


def training_curves(folder: Path) -> Figure:
    """A panel for each quantity in the `log.jsonl` files below a folder, a line for each file.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    logs = {
        str(path.parent.relative_to(folder)): [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in sorted(folder.rglob("log.jsonl"))
    }
    quantities = list(dict.fromkeys(k for log in logs.values() for line in log for k in line if k != "epoch"))
    figure = empty_figure(7.0, 2.4 * max(len(quantities), 1))
    for i, quantity in enumerate(quantities):
        axes = figure.add_subplot(len(quantities), 1, i + 1)
        for name, log in logs.items():
            points = [(line["epoch"], line[quantity]) for line in log if quantity in line]
            if points:
                axes.plot(*zip(*points, strict=True), label=name, marker=".", linewidth=1.0)
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize="small")
    return figure
