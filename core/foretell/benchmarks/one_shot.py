"""`foretell bench one-shot`: does the score of a supernet order cells as training each of them does?

Cells of NAS-Bench-201, one a stage, four channels, on digits of scikit-learn (597 images to learn from, 800 others to
judge by). `trained` trains 40 random cells one by one, 10 epochs each; every other method gives each of them a score:
a supernet under the published settings, the number of parameters or FLOPs, or a single epoch of its own. The report
has Spearman's rho with the loss that training gives, mean over the seeds of `trained`; what the best of the five of
highest score lacks to the best of all, in nats; and loss and parameters of the cell that the method chooses by itself,
trained likewise. Seconds are those of one core, for all 40 cells.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.capture import nasbench201

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.small_tasks import SmallTask
    from foretell.one_shot import DifferentiableSearch, PathSampling, Supernet

N_CELLS = 40
"""Cells that are trained one by one."""
_QUICK = 12
_CHANNELS, _IMAGE, _CLASSES = 4, (1, 8, 8), 10
_EPOCHS, _RATE = 10, 1e-2  # of a training by itself
_SHARED_EPOCHS = 60
_CHOICES, _TOP = 100, 5  # random cells of which uniform paths choose the best; best scores that are trained
_LIMIT = 7_000.0  # parameters, below the 8,988 of an even mixture; the largest cell has 23,302, the smallest 4,822
_COUNTED = ("params", "flops")
_SINGLE = ("trained", "one-epoch", *_COUNTED)
_SHARED = (
    "paths", "paths-cosine-power", "paths-distilled",
    "darts", "darts-cosine-power", "darts-distilled", "darts-max-w", "darts-projected",
)  # fmt: skip
_COLUMNS = ("seeds", "rho", "lacking, nats", "chosen, nats", "chosen, params", "seconds")


@dataclass
class OneShot:
    """Scores, larger is better, and losses, smaller is better."""

    name: str = "one-shot"
    methods: Sequence[str] = (*_SINGLE, *_SHARED)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means a dozen cells, shorter supernets and one seed."""
        n, seeds = (_QUICK, 1) if quick else (N_CELLS, seeds)
        return [
            Cell(m, "nasbench201", "digits", n, s)
            for s in range(seeds)
            for m in methods
            if s == 0 or m not in _SINGLE[2:]
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        import torch

        from foretell.benchmarks.small_tasks import digits

        assert cell.n is not None
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return _measured(cell.method, pool(cell.n), replace(digits(), epochs=_EPOCHS, lr=_RATE), cell.seed)
        finally:
            torch.set_num_threads(threads)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: a line a method, mean over its seeds."""
        found = _scores(rows)
        trained = [scores for (method, _), scores in found.items() if method == "trained"]
        if not trained:
            return ["nothing to compare with: measure `trained` too"]
        truth = np.mean(trained, axis=0)
        lines = [f"{'method':22}" + "".join(f"{name:>16}" for name in _COLUMNS)]
        for method in self.methods:
            scores = [s for (m, _), s in found.items() if m == method]
            if scores:
                others = [_others(trained, i) if method == "trained" else truth for i in range(len(scores))]
                single = {name: [r.value for r in rows if (r.method, r.metric) == (method, name)] for name in _COLUMNS}
                single |= {"rho": [_rho(s, o) for s, o in zip(scores, others, strict=True) if len(o)]}
                single |= {"lacking, nats": [_lacking(s, truth) for s in scores]}
                single["seeds"] = [float(len(scores))]
                lines.append(f"{method:22}" + "".join(f"{_mean(single[name]):>16}" for name in _COLUMNS))
        return lines


def pool(n: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Different random cells with a path from input to output; the first ones for smaller `n`."""
    rng, found = np.random.default_rng(seed), dict[tuple[int, ...], None]()
    while len(found) < n:
        cell = nasbench201.sample(rng)
        if nasbench201.live_edges(cell):
            found[cell] = None
    return list(found)


def _measured(
    method: str, cells: Sequence[tuple[int, ...]], task: SmallTask, seed: int
) -> dict[str, tuple[float, str]]:
    start = time.process_time()
    found: dict[str, tuple[float, str]] = {}
    if method in _SHARED:
        scores, chosen, supernet = _shared(method, cells, task, seed)
        found["seconds"] = (time.process_time() - start, "s")
        found["chosen, nats"] = (_alone(chosen, task, seed), "nats")
        found["chosen, params"] = (float(supernet.graph(chosen).params), "")
    elif method in _COUNTED:
        scores = [float(getattr(_supernet(0).graph(cell), method)) for cell in cells]
        found["seconds"] = (time.process_time() - start, "s")
    else:
        task = replace(task, epochs=1) if method == "one-epoch" else task
        scores = [-_alone(cell, task, seed) for cell in cells]
        found["seconds"] = (time.process_time() - start, "s")
    return found | {f"score {i}": (score, "") for i, score in enumerate(scores)}


def _shared(
    method: str, cells: Sequence[tuple[int, ...]], task: SmallTask, seed: int
) -> tuple[list[float], tuple[int, ...], Supernet]:
    from foretell.one_shot import PathSampling, SharedWeights

    supernet = _supernet(seed)
    search = search_of(method, supernet, epochs=_SHARED_EPOCHS if len(cells) == N_CELLS else 10)
    weights = SharedWeights(supernet, task.held_inputs, task.held_labels)
    if isinstance(search, PathSampling):
        search.train(supernet, task.inputs, task.labels, seed)
        chosen = min(pool(_CHOICES, seed=seed + 1), key=weights.loss)
    else:
        chosen = search.run(supernet, task.inputs, task.labels, seed).cell
    return [-weights.loss(cell) for cell in cells], chosen, supernet


def search_of(method: str, supernet: Supernet, epochs: int) -> PathSampling | DifferentiableSearch:
    """The search that a method's name says."""
    from foretell import one_shot

    training = one_shot.WeightTraining(epochs=epochs)
    if "cosine-power" in method:
        training = replace(training, schedule=one_shot.CosinePower(10.0))
    if "distilled" in method:
        training = replace(training, teachers=one_shot.VotingTeachers())
    if method.startswith("paths"):
        return one_shot.PathSampling(training)
    mixing = one_shot.MaxW() if "max-w" in method else one_shot.Softmax()
    limit = one_shot.ResourceLimit.of(supernet, "params", _LIMIT) if "projected" in method else None
    return one_shot.DifferentiableSearch(training, mixing, limit)


def _supernet(seed: int) -> Supernet:
    from foretell.one_shot import Supernet

    return Supernet(_CHANNELS, 1, _CLASSES, _IMAGE, seed=seed)


def _alone(cell: tuple[int, ...], task: SmallTask, seed: int) -> float:
    """Held-out loss of a cell that is trained by itself."""
    from foretell.benchmarks.small_tasks import trained
    from foretell.spaces.ready import nasbench201_cells

    config = {f"edge.{a}.{b}": nasbench201.OPERATIONS[k] for (a, b), k in zip(nasbench201.EDGES, cell, strict=True)}
    return trained(nasbench201_cells(_CHANNELS, 1, _CLASSES, _IMAGE), config, task, seed)[0]


def _scores(rows: Sequence[Measurement]) -> dict[tuple[str, int], Float[np.ndarray, " n"]]:
    """Scores of all cells by method and seed."""
    listed: dict[tuple[str, int], dict[int, float]] = {}
    for row in rows:
        if row.metric.startswith("score "):
            listed.setdefault((row.method, row.seed), {})[int(row.metric.removeprefix("score "))] = row.value
    return {key: np.array([values[i] for i in sorted(values)]) for key, values in listed.items()}


def _others(trained: Sequence[Float[np.ndarray, " n"]], i: int) -> Float[np.ndarray, " n"]:
    """Mean of the other trainings, so that none is compared with itself; empty if there is no other."""
    left = [s for k, s in enumerate(trained) if k != i]
    return np.mean(left, axis=0) if left else np.empty(0)


def _rho(scores: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> float:
    from foretell.metrics import spearman_rho

    return spearman_rho(truth, scores)


def _lacking(scores: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> float:
    return float(truth.max() - truth[np.argsort(-scores, kind="stable")[:_TOP]].max())


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.4g}" if values else "-"
