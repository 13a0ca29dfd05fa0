"""`foretell bench pruning`: Optuna's pruners and ours on the same real training runs.

A study has 60 runs of TaskSet, or 30 or 60 small networks for handwritten digits that are trained here. All pruners
see the same runs in the same order (`foretell.benchmarks.pruning_runs`), report after every epoch, and have their
default settings; Hyperband is told the number of epochs and a reduction factor of 3. The Wilcoxon pruner compares
values of the same step, which it was made for where steps are folds or instances. A run that diverges fails at that
epoch, pruner or not.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from foretell.benchmarks.pruning_report import pruning_table
from foretell.benchmarks.pruning_runs import longer_cells, pruning_cells, pruning_runs
from foretell.benchmarks.runner import Cell
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.pruner import ForetellPruner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement


class Pruning:
    """Epochs spent and quality kept."""

    name = "pruning"
    methods: Sequence[str] = ("foretell", "median", "successive-halving", "hyperband", "wilcoxon", "none")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task of TaskSet."""
        return pruning_cells(methods, seeds, quick=quick) + ([] if quick else longer_cells(methods, seeds))

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        curves = pruning_runs(cell.family, cell.task, cell.n, cell.seed).tolist()
        with one_quiet_thread():
            spent, best, times = run_study(pruner_of(cell.method, len(curves[0])), curves)
        final = sorted(c[-1] for c in curves if all(map(math.isfinite, c)))
        whole = sum(min(sum(map(math.isfinite, c)) + 1, len(c)) for c in curves)  # with the epoch that shows a failure
        lost = (final[-1] - best) / max(final[-1] - statistics.median(final), 1e-300)
        return {
            "epochs": (100 * spent / whole, "%"),
            "same": (100.0 * (best == final[-1]), "%"),
            "lost": (100 * lost, "%"),
            "decide": (1e3 * statistics.mean(times), "ms"),
        }

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`."""
        return pruning_table(rows)


def pruner_of(method: str, epochs: int) -> optuna.pruners.BasePruner:
    """A pruner with its default settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        made: dict[str, optuna.pruners.BasePruner] = {
            "foretell": ForetellPruner(),
            "median": optuna.pruners.MedianPruner(),
            "successive-halving": optuna.pruners.SuccessiveHalvingPruner(),
            "hyperband": optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=3),
            "wilcoxon": optuna.pruners.WilcoxonPruner(),
            "none": optuna.pruners.NopPruner(),
        }
    return made[method]


def run_study(pruner: optuna.pruners.BasePruner, curves: Sequence[Sequence[float]]) -> tuple[int, float, list[float]]:
    """Epochs spent, the best final value of a run that was not pruned, and the seconds of every decision."""
    study = optuna.create_study(
        study_name="pruning", direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner
    )  # the name decides Hyperband's brackets
    times: list[float] = []
    spent, best = 0, -math.inf
    for curve in curves:
        trial = study.ask()
        state = TrialState.COMPLETE
        for epoch, value in enumerate(curve, start=1):
            spent += 1
            if not math.isfinite(value):
                state = TrialState.FAIL
                break
            trial.report(value, epoch)
            start = time.perf_counter()
            stop = trial.should_prune()
            times.append(time.perf_counter() - start)
            if stop and epoch < len(curve):
                state = TrialState.PRUNED
                break
        study.tell(trial, curve[-1] if state == TrialState.COMPLETE else None, state)
        best = max(best, curve[-1]) if state == TrialState.COMPLETE else best
    return spent, best, times
