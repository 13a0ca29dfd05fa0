"""The table of `foretell bench pruning`, in markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.pruning_runs import REPORTED, TUNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.benchmarks.runner import Measurement

_COLUMNS = {"epochs": "epochs spent, %", "same": "kept the best, %", "lost": "quality lost, %", "decide": "ms a report"}


def pruning_table(rows: Sequence[Measurement]) -> list[str]:
    """Lines of one table a half, means over TaskSet's tasks and seeds, by number of runs.

    `epochs spent` in percent of what the same runs take unpruned; `kept the best`, the share of studies whose best
    finished run is the one that would have been the best unpruned; `quality lost` of the best finished run to that one,
    in percent of the way from the median run to it.
    """
    lines: list[str] = []
    for half, places in (("reported", REPORTED), ("tuned", TUNED)):
        here = [m for m in rows if (m.family, m.task) in places]
        if not here:
            continue
        lines += ["", f"### The {half} half: {', '.join(' '.join(p) for p in places)}", ""]
        lines += [
            f"| curves | runs | pruner | {' | '.join(_COLUMNS.values())} | studies |",
            f"|{'---|' * (len(_COLUMNS) + 4)}",
        ]
        for curves, n in dict.fromkeys((_curves(m), m.n) for m in here):
            for method in dict.fromkeys(m.method for m in here):
                these = [m for m in here if (_curves(m), m.n, m.method) == (curves, n, method)]
                found = {metric: [m.value for m in these if m.metric == metric] for metric in _COLUMNS}
                if found["epochs"]:
                    means = [f"{np.mean(values):.3g}" for values in found.values()]
                    lines.append(f"| {curves} | {n} | {method} | {' | '.join(means)} | {len(found['epochs'])} |")
    return lines


def _curves(m: Measurement) -> str:
    """TaskSet's tasks are one row, networks of one kind another."""
    return f"{m.family} {m.task}" if m.family == "digits" else str(m.family)
