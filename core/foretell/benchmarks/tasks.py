"""`foretell bench tasks`: a new task of networks that were trained on others; no label of it, 20, or 50.

The seed draws 1,000 networks whose labels on all other tasks are known, then those that are labelled for the new task;
all but these 1,100 are tested, so that no tested network has a label on any task. Methods: FLOPs and parameters;
`foretell`, which sees the labels of the new task alone; `related-tasks`, ours; `aio-p`, with its backbone from
NAS-Bench-101, adapters for the other tasks, and heads and adapters tuned on the labels; the other levels of tuning by
name; `aio-p-bodies`, the same on graphs without the head of a task. `fit` is CPU time of learning from the labels of
the new task.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foretell.aio_p.k_adapter import fold
from foretell.aio_p.levels import LEVELS
from foretell.aio_p.related_tasks import RelatedTasks, learn_tasks
from foretell.benchmarks.protocol import scores
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import some_rows
from foretell.benchmarks.task_tables import TASK_TABLES, TaskTable
from foretell.encoders import Encoding
from foretell.metrics import kendall_tau, spearman_rho
from foretell.presets import foretell

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from foretell.aio_p.aio_p import AioP
    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.graph_encoder import GraphEncoder

TASKS: Mapping[str, tuple[str, ...]] = {
    "transnasbench101": ("class_scene", "jigsaw", "autoencoder", "room_layout"),
    "nasbench201": ("cifar10", "cifar100"),
    "hwnasbench201": tuple(f"{d}_latency" for d in ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")),
}
"""Tasks of each family."""
LABELS = (0, 20, 50)
"""Labels of the new task."""
SOURCES, _RESERVED = 1000, 100
_SIZES = ("flops", "params")
_LEVELS = {"aio-p": "heads+adapters", **{f"aio-p {name}": name for name in LEVELS if name != "heads+adapters"}}


@dataclass
class Tasks:
    """Rank correlations with the new task's labels; larger is better."""

    name: str = "tasks"
    methods: Sequence[str] = (*_SIZES, "foretell", "related-tasks", *_LEVELS, "aio-p-bodies")
    _families: dict[str, _Family] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one family, 20 labels or none, and no tuned networks."""
        return [
            Cell(method, family, task, n, seed)
            for family, tasks in TASKS.items()
            for seed in range(seeds)
            for task in tasks
            for n in LABELS
            for method in methods
            if _makes_sense(method, n) and not (quick and (family != "transnasbench101" or n > 20 or "aio" in method))
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        if cell.family not in self._families:
            self._families = {cell.family: _Family(TASK_TABLES[cell.family]())}  # one is enough for memory
        family = self._families[cell.family]
        draw = Draw.of(len(family.table), cell.n, cell.seed)
        y, start = family.table.targets[cell.task], time.process_time()
        found: dict[str, tuple[float, str]] = {}
        if cell.method in _SIZES:
            guess = family.sizes[draw.test, _SIZES.index(cell.method)]
        elif cell.method == "foretell":
            alone = foretell().fit_encoding(family.own.rows(draw.labelled), y[draw.labelled])
            found = {**scores(alone.predict_encoding(family.own.rows(draw.test)), y[draw.test])}
        elif cell.method == "related-tasks":
            related = family.related(cell.seed, cell.task)
            columns = family.columns(related, cell.seed, cell.task)
            start = time.process_time()
            if cell.n:
                predictor = related.predictor().fit_encoding(columns.rows(draw.labelled), y[draw.labelled])
                found = {"fit": (time.process_time() - start, "s")}
                found |= scores(predictor.predict_encoding(columns.rows(draw.test)), y[draw.test])
            else:
                guess = related.score_encoding(columns.rows(draw.test))
        else:
            guess, seconds = family.adapted(cell, draw)
            found = {"fit": (seconds, "s")} if cell.n else {}
        if "tau" in found:
            return found
        truth = y[draw.test]
        return {"tau": (kendall_tau(truth, guess), ""), "rho": (spearman_rho(truth, guess), ""), **found}

    def average(self, values: Sequence[float]) -> float:
        """See `Averaging.average`: the mean."""
        return float(np.mean(values))


def _makes_sense(method: str, n: int) -> bool:
    """Sizes and AIO-P's other levels are measured once each: without labels, and with 20."""
    if method in _SIZES:
        return n == 0
    if method == "foretell":
        return n > 0
    return method in {"related-tasks", "aio-p"} or n == (0 if method == "aio-p-bodies" else 20)


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows of a table.

    Args:
        sources: Networks whose labels on the other tasks are known.
        labelled: Networks whose label on the new task is known.
        test: All that are never learnt from.
    """

    sources: Int[np.ndarray, " s"]
    labelled: Int[np.ndarray, " n"]
    test: Int[np.ndarray, " m"]

    @classmethod
    def of(cls, rows: int, n: int, seed: int) -> Draw:
        """The draw of a seed; 20 labels are the first of 50, and the test is the same for all.

        >>> few, many = Draw.of(4096, 20, 0), Draw.of(4096, 50, 0)
        >>> few.labelled.tolist() == many.labelled[:20].tolist(), len(few.test), len(many.test)
        (True, 2996, 2996)
        """
        order = some_rows(rows, rows, seed)
        return cls(order[:SOURCES], order[SOURCES : SOURCES + n], np.sort(order[SOURCES + _RESERVED :]))


class _Family:
    """A table with all that is computed once for it."""

    def __init__(self, table: TaskTable) -> None:
        self.table = table
        self._folder = Path(tempfile.mkdtemp(prefix="foretell-tasks-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        candidates = [table.candidate(spec) for spec in table.specs]
        self.own = foretell().encode(candidates)
        self.sizes = np.array([[c.graph.flops, c.graph.params] for c in candidates if c.graph], dtype=np.float64)
        self._far: Encoding | None = None
        self._columns: dict[tuple[int, str], Encoding] = {}
        self._folded: dict[str, tuple[FoldedGraphs, Float[np.ndarray, " n"]]] = {}
        self._adapted: dict[tuple[int, bool], AioP] = {}
        self._candidates = candidates

    def related(self, seed: int, task: str) -> RelatedTasks:
        """What the other tasks say, learnt from the networks of a seed."""
        name, rows = self.table.family, Draw.of(len(self.table), 0, seed).sources
        labels = {f"{name}.{t}": y[rows] for t, y in self.table.targets.items()}
        folder = learn_tasks(self._folder / f"sources-{seed}", self.own.rows(rows), labels)
        return RelatedTasks(folder, name, (f"{name}.{task}",))

    def columns(self, related: RelatedTasks, seed: int, task: str) -> Encoding:
        """Columns of all networks."""
        if self._far is None:
            self._far = related.far.encode(self._candidates)
        if (seed, task) not in self._columns:
            self._columns = {(seed, task): related.columns(self.own, self._far)}
        return self._columns[seed, task]

    def adapted(self, cell: Cell, draw: Draw) -> tuple[Float[np.ndarray, " m"], float]:
        """What AIO-P says of the networks tested, and the seconds of its tuning."""
        assert cell.task is not None
        heads = cell.method != "aio-p-bodies"
        key = (cell.seed, heads)
        if key not in self._adapted:
            self._adapted = {key: self._trained(cell.seed, heads=heads)}
        sources = self._adapted[key].without(cell.task)
        graphs, gflops = self._fold(sources.encoder, cell.task, heads=heads)
        asked = graphs.select(draw.test)
        if not cell.n:
            return sources.standard_scores(asked, gflops[draw.test]).mean(axis=1), 0.0
        start = time.process_time()
        known, y = graphs.select(draw.labelled), self.table.targets[cell.task][draw.labelled]
        level = LEVELS[_LEVELS[cell.method]]
        tuned = sources.fit_folded(known, gflops[draw.labelled], y, self.table.objectives[cell.task], level)
        seconds = time.process_time() - start
        return tuned.predict_folded(asked, gflops[draw.test]), seconds

    def _trained(self, seed: int, *, heads: bool) -> AioP:
        from foretell.aio_p.aio_p import AioP
        from foretell.aio_p.train_adapters import AdapterTraining, SourceTask, shipped_backbone

        encoder, training = shipped_backbone(), AdapterTraining(seed=seed)
        rows = Draw.of(len(self.table), 0, seed).sources
        adapters = {}
        for task, y in self.table.targets.items():
            graphs, gflops = self._fold(encoder, task, heads=heads)
            source = SourceTask(graphs.select(rows), gflops[rows], y[rows], self.table.objectives[task])
            adapters[task] = training.train(encoder, source, self._folder / f"adapter-{seed}-{heads}-{task}")
        return AioP(encoder, adapters)

    def _fold(self, encoder: GraphEncoder, task: str, *, heads: bool) -> tuple[FoldedGraphs, Float[np.ndarray, " n"]]:
        key = task if heads else ""
        if key not in self._folded:
            bodies = [c.graph for c in self._candidates if c.graph]
            graphs = [self.table.graph(spec, task) for spec in self.table.specs] if heads else bodies
            self._folded[key] = fold(encoder, graphs)
        return self._folded[key]
