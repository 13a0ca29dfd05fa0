"""`foretell bench scale`: learning rate and batch size of large language models, from a few runs of small ones.

Data: Step Law's dense runs (Li et al., 2025, https://arxiv.org/abs/2503.04715), final smoothed loss. Small are models
of at most a third of the parameters of the largest; a tenth of their runs is drawn at random, another for every seed.
Each grid of learning rates and batch sizes of a larger model is a task: a method names settings, the run of the grid
nearest to them on logarithmic scales is taken, and `excess` is how far its loss lies above the best of the grid.

`foretell` is `ScalingSurrogate`, `foretell-no-prior` the same with all exponents expected at 0; `gp` a Gaussian process
on the logarithms of the same runs; `law` the form of the paper through the best of these runs for each size and data,
by least squares; `law-all-small` through the best of all small runs; `published` the paper's own law, which has seen
the large runs too; `centre` the middle of the grid.

`loss-inside`, `excess-inside`, `lr-inside`, `batch-inside` say whether intervals of 90 % hold: the loss of the run that
was taken, its excess, and the optimum of the grid, which is the middle of its best runs (`soft_optimum`); `runs-inside`
is the share of the runs within 5 % of the best whose loss they hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.steplaw import steplaw_task
from foretell.benchmarks.tables import read_parquet
from foretell.scale.scaled_run import ScaledRun
from foretell.scale.scaling_surrogate import LANGUAGE_MODELS, ScalingSurrogate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.scale.scaling_surrogate import FittedScaling

_SCALES, _SETTINGS = ("parameters", "tokens"), ("learning_rate", "batch_size")
_SHARE, _LARGEST = 0.1, 1 / 3
_FEWEST_OF_GRID = 30
_NEAR, _SOFT = 0.05, 0.002
_CONTEXT = 2048  # tokens of a sequence; batch sizes are in sequences
Settings = dict[str, float]


@dataclass
class Scale:
    """Excess loss in per cent, smaller is better, and what intervals hold."""

    name: str = "scale"
    methods: Sequence[str] = (
        "foretell", "foretell-no-prior", "gp", "law", "law-all-small", "published", "centre",
    )  # fmt: skip
    _runs: list[ScaledRun] = field(default_factory=list)
    _largest: list[float] = field(default_factory=list)
    _fitted: dict[tuple[str, int], FittedScaling] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means two of the large grids."""
        tasks = [task for task, grid in self.grids().items() if not self.is_small(self.runs[grid[0]])]
        fixed = {"law-all-small", "published", "centre"}
        return [
            Cell(m, "steplaw", task, None, seed)
            for m in methods
            for seed in range(1 if m in fixed else seeds)
            for task in tasks[: 2 if quick else None]
        ]

    @property
    def runs(self) -> list[ScaledRun]:
        """All runs of the table."""
        if not self._runs:
            c = read_parquet("steplaw/dense_lr_bs_loss.parquet")
            rows = zip(c["N"], c["D"], c["lr"], c["bs"], c["smooth loss"], strict=True)
            self._runs += [
                ScaledRun(dict(zip(_SCALES, (n, d), strict=True)), dict(zip(_SETTINGS, (lr, bs), strict=True)), loss)
                for n, d, lr, bs, loss in rows
            ]
        return self._runs

    def grids(self) -> dict[str, list[int]]:
        """Runs of each size and amount of data, by task; grids of less than 30 runs are left out."""
        found: dict[str, list[int]] = {}
        for i, run in enumerate(self.runs):
            found.setdefault(steplaw_task(run.scale["parameters"], run.scale["tokens"]), []).append(i)
        return {task: grid for task, grid in found.items() if len(grid) >= _FEWEST_OF_GRID}

    def is_small(self, run: ScaledRun) -> bool:
        """Whether a model has at most a third of the parameters of the largest."""
        if not self._largest:
            self._largest.append(max(other.scale["parameters"] for other in self.runs))
        return run.scale["parameters"] <= _LARGEST * self._largest[0]

    def small(self) -> list[ScaledRun]:
        """All runs of small models."""
        return [run for run in self.runs if self.is_small(run)]

    def drawn(self, seed: int) -> list[ScaledRun]:
        """A tenth of the runs of small models."""
        small = self.small()
        rows = np.random.default_rng(seed).permutation(len(small))[: int(_SHARE * len(small))]
        return [small[i] for i in rows.tolist()]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        grid = [self.runs[i] for i in self.grids()[cell.task]]
        best = min(run.loss for run in grid)
        if not cell.method.startswith("foretell"):
            taken = nearest(grid, self._settings(cell, grid))
            return {"excess": (100 * (taken.loss / best - 1), "%")}
        fitted = self._surrogate(cell)
        advice = fitted.recommend(grid[0].scale, [run.settings for run in grid])
        taken = nearest(grid, advice.settings)
        excess = taken.loss / best - 1
        near = [run for run in grid if run.loss <= best * (1 + _NEAR)]
        belief, truth = fitted.predict(near), np.log([run.loss for run in near])
        inside = (truth >= belief.quantile(0.05)) & (truth <= belief.quantile(0.95))
        optimum = soft_optimum(grid)
        (lr_low, lr_high), (bs_low, bs_high) = (advice.optimum[name] for name in _SETTINGS)
        return {
            "excess": (100 * excess, "%"),
            "expected-at-most": (100 * advice.excess[1], "%"),
            "loss-inside": (100.0 * (advice.loss[0] <= taken.loss <= advice.loss[1]), "%"),
            "excess-inside": (100.0 * (advice.excess[0] <= excess <= advice.excess[1]), "%"),
            "lr-inside": (100.0 * (lr_low <= optimum["learning_rate"] <= lr_high), "%"),
            "batch-inside": (100.0 * (bs_low <= optimum["batch_size"] <= bs_high), "%"),
            "runs-inside": (100.0 * float(inside.mean()), "%"),
            "loss-width": (100 * (advice.loss[1] / advice.loss[0] - 1), "%"),
        }

    def _surrogate(self, cell: Cell) -> FittedScaling:
        key = (cell.method, cell.seed)
        if key not in self._fitted:
            exponents = {} if cell.method == "foretell-no-prior" else LANGUAGE_MODELS
            surrogate = ScalingSurrogate(_SCALES, _SETTINGS, exponents)
            self._fitted.clear()  # cells come seed by seed
            self._fitted[key] = surrogate.fit(self.drawn(cell.seed))
        return self._fitted[key]

    def _settings(self, cell: Cell, grid: Sequence[ScaledRun]) -> Settings:
        scale = grid[0].scale
        if cell.method == "published":
            return published_law(scale["parameters"], scale["tokens"])
        if cell.method == "centre":
            return {name: float(np.exp(np.median([np.log(run.settings[name]) for run in grid]))) for name in _SETTINGS}
        if cell.method == "gp":
            return plain_process(self.drawn(cell.seed), grid)
        return least_squares_law(self.small() if cell.method == "law-all-small" else self.drawn(cell.seed), scale)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: means over tasks and seeds, with the deviation of a seed's mean."""
        metrics = ["excess", "expected-at-most", "loss-inside", "excess-inside", "lr-inside", "batch-inside",
                   "runs-inside", "loss-width"]  # fmt: skip
        lines = [f"| method | {' | '.join(f'{m}, %' for m in metrics)} | worst, % | seeds |",
                 f"|{'---|' * (len(metrics) + 3)}"]  # fmt: skip
        for method in self.methods:
            entries = []
            for metric in metrics:
                seeds: dict[int, list[float]] = {}
                for r in rows:
                    if (r.method, r.metric) == (method, metric):
                        seeds.setdefault(r.seed, []).append(r.value)
                means = [float(np.mean(v)) for v in seeds.values()]
                spread = f" ± {np.std(means):.3f}" if metric == "excess" and len(means) > 1 else ""
                entries.append(f"{np.mean(means):.3g}{spread}" if means else "-")
            values = [r.value for r in rows if (r.method, r.metric) == (method, "excess")]
            if values:
                n = len({r.seed for r in rows if r.method == method})
                lines.append(f"| {method} | {' | '.join(entries)} | {max(values):.3g} | {n} |")
        return lines


def nearest(grid: Sequence[ScaledRun], settings: Mapping[str, float]) -> ScaledRun:
    """The run whose settings are nearest on logarithmic scales."""
    return min(grid, key=lambda run: sum(math.log(run.settings[k] / v) ** 2 for k, v in settings.items()))


def published_law(parameters: float, tokens: float) -> Settings:
    """Learning rate 1.79 N^-0.713 D^0.307, batch 0.58 D^0.571 tokens.

    >>> {name: float(f"{value:.3g}") for name, value in published_law(1e9, 1e11).items()}
    {'learning_rate': 0.00163, 'batch_size': 541.0}
    """
    return {
        "learning_rate": 1.79 * parameters**-0.713 * tokens**0.307,
        "batch_size": 0.58 * tokens**0.571 / _CONTEXT,
    }


def least_squares_law(runs: Sequence[ScaledRun], scale: Mapping[str, float]) -> Settings:
    """The paper's form, learning rate a power of parameters and tokens, batch of tokens, through the best runs."""
    best: dict[tuple[float, ...], ScaledRun] = {}
    for run in runs:
        key = tuple(run.scale[name] for name in _SCALES)
        if key not in best or run.loss < best[key].loss:
            best[key] = run
    found = {}
    for name, columns in (("learning_rate", [0, 1]), ("batch_size", [1])):
        A = np.array([[1.0, *np.log(key)[columns]] for key in best])
        weights = np.linalg.lstsq(A, np.log([run.settings[name] for run in best.values()]), rcond=None)[0]
        found[name] = float(np.exp(np.array([1.0, *np.log([scale[s] for s in _SCALES])[columns]]) @ weights))
    return found


def plain_process(runs: Sequence[ScaledRun], grid: Sequence[ScaledRun]) -> Settings:
    """Where a Gaussian process over the logarithms of all four expects the least log loss."""
    from foretell.surrogates import GaussianProcess
    from foretell.target_warp import TargetWarp

    def columns(of: Sequence[ScaledRun]) -> np.ndarray:
        return np.log([[*run.scale.values(), *run.settings.values()] for run in of])

    X, y = columns(runs), -np.log([run.loss for run in runs])
    low, high = X.min(axis=0), X.max(axis=0)
    process = GaussianProcess().fit((X - low) / (high - low), TargetWarp.fit(y).forward(y), list("abcd"))
    return dict(grid[int(np.argmax(process.mean_at((columns(grid) - low) / (high - low))))].settings)


def soft_optimum(grid: Sequence[ScaledRun]) -> Settings:
    """Middle of the best runs of a grid, of which one that lies 0.2 % above the best counts 1 / e.

    The best run alone would be off by half a step of the grid, and by noise.
    """
    best = min(run.loss for run in grid)
    weights = np.exp([(1 - run.loss / best) / _SOFT for run in grid])
    t = np.log([[run.settings[name] for name in _SETTINGS] for run in grid])
    return dict(zip(_SETTINGS, np.exp(weights @ t / weights.sum()).tolist(), strict=True))
