"""`foretell bench deepening`: raising the number of epochs of a study that has run, beside running it anew.

A study of 60 runs of TaskSet, or 30 small networks trained here, was run with a third of the epochs, stopping runs by
`CurveRule`. Then three times as many are wanted. `deepened` goes on with what was run, as `FreezeThaw` says, four
epochs at a time; `fresh` runs the same runs in the same order from the start with the same rule. No run is added, so
that both can find the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.pruning_runs import REPORTED, TUNED, pruning_cells, pruning_runs
from foretell.benchmarks.runner import Cell
from foretell.curve_rule import CurveRule
from foretell.freeze_thaw import FreezeThaw
from foretell.learning_curve import FinishedRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.benchmarks.runner import Measurement

_TIMES, _SLICE = 3, 4
Curve = list[tuple[float, float]]


class Deepening:
    """Epochs spent and quality reached."""

    name = "deepening"
    methods: Sequence[str] = ("deepened", "fresh")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task."""
        return pruning_cells(methods, seeds, quick=quick)

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`; `lost` as in `foretell bench pruning`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        values = pruning_runs(cell.family, cell.task, cell.n, cell.seed)
        values = values[:, : values.shape[1] // _TIMES * _TIMES]
        if cell.method == "fresh":
            curves, epochs = run_pruned(values)
        else:
            before, _ = run_pruned(values[:, : values.shape[1] // _TIMES])
            curves, epochs = deepen(values, before)
        final = values[np.isfinite(values).all(axis=1), -1]
        best = max((c[-1][1] for c in curves if len(c) == values.shape[1]), default=-math.inf)
        lost = (final.max() - best) / max(final.max() - float(np.median(final)), 1e-300)
        return {"epochs": (float(epochs), ""), "lost": (100 * float(lost), "%")}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: sums of epochs and mean losses over seeds."""
        names = ("half", "curves", "epochs, fresh", "epochs, deepened", "saved, %", "lost, fresh, %",
                 "lost, deepened, %", "studies")  # fmt: skip
        lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        for half, places in (("reported", REPORTED), ("tuned", TUNED)):
            for place in places:
                found = {
                    (m, metric): [
                        r.value for r in rows if (r.method, r.metric, r.family, r.task) == (m, metric, *place)
                    ]
                    for m in self.methods
                    for metric in ("epochs", "lost")
                }
                if all(found.values()):
                    fresh, more = (sum(found[m, "epochs"]) for m in ("fresh", "deepened"))
                    means = [f"{np.mean(found[m, 'lost']):.2g}" for m in ("fresh", "deepened")]
                    entries = [half, " ".join(place), f"{fresh:.0f}", f"{more:.0f}", f"{100 * (1 - more / fresh):.0f}"]
                    lines.append(f"| {' | '.join([*entries, *means, str(len(found['fresh', 'epochs']))])} |")
        return lines


def run_pruned(values: Float[np.ndarray, "runs epochs"]) -> tuple[list[Curve], int]:
    """Run one after the other, each until it ends, fails or is stopped by `CurveRule`: the curves, and the epochs."""
    curves: list[Curve] = []
    finished: list[FinishedRun] = []
    others: list[Curve] = []
    for row in values:
        curve: Curve = []
        for epoch, value in enumerate(row.tolist(), start=1):
            curve.append((float(epoch), value))
            if not math.isfinite(value) or CurveRule().hopeless(finished, curve, others=others):
                others.append(curve)
                break
        else:
            finished.append(FinishedRun(tuple(curve), curve[-1][1]))
        curves.append(curve)
    return curves, sum(map(len, curves))


def deepen(values: Float[np.ndarray, "runs epochs"], before: Sequence[Curve]) -> tuple[list[Curve], int]:
    """Go on with paused runs while any is worth it: the curves, and the epochs beyond those before."""
    curves, last = [list(curve) for curve in before], values.shape[1]
    choice = FreezeThaw(last)
    while (i := choice.next(curves)) is not None:
        begun = len(curves[i])
        for epoch in range(begun, min(begun + _SLICE, last)):
            curves[i].append((epoch + 1.0, float(values[i, epoch])))
            if not math.isfinite(values[i, epoch]):
                break
    return curves, sum(map(len, curves)) - sum(map(len, before))
