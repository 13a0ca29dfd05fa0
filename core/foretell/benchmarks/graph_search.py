"""`foretell bench graph-search`: as accurate, a tenth cheaper? Edits of good cells, checked against real labels.

For each of 20 starts drawn from the best 5 % of a table, a search edits the cell's specification, one operator or edge
at a time, as far as the table reaches, and judges 500 networks by a predictor that learnt from 150 labels drawn from
the whole table and the start's. Then as a user would: of what has at most 0.9 times the start's FLOPs, the network
with the best chance to be as accurate is trained (looked up), the predictor learns its label, the search judges 50
more, and so on, until ten are trained. A label that is there already costs nothing
(`@0`).

`share@k` is the share of starts for which one of the first `k` trained networks is at least as accurate as the start,
by the table's label; `saved@k` the share of FLOPs that the cheapest such network saves, 0 where there is none, mean
over starts; `share@all` and `saved@all` what training all that were judged would give. Beside it, over the same edits:
`random` walks and trains at random; `flops` takes FLOPs for the prediction, so trains the largest that is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.nasbench101_neighbours import Neighbours101
from foretell.benchmarks.protocol import split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES, Table
from foretell.known_columns import KnownColumns
from foretell.posterior import WarpedPosterior
from foretell.presets import PRESETS
from foretell.search import FrontSearch, Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

_TASKS = {"transnasbench101": "class_scene", "nasbench201": "cifar10", "nasbench101": "test_acc"}
_BEST, _STARTS, _QUERIES, _MORE, _TRAINED = 0.05, 20, 500, 50, 10
_CHEAPER, _LEAST = 0.9, 0.3
_REPORTED = (0, 1, 3, 10)
_LABELS = 150


@dataclass
class GraphSearch:
    """Share of starts improved, and FLOPs saved; larger is better."""

    name: str = "graph-search"
    methods: Sequence[str] = ("foretell", "random", "flops")
    _reach: dict[str, Reach] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one family."""
        families = ["transnasbench101"] if quick else list(_TASKS)
        return [Cell(m, f, _TASKS[f], _LABELS, s) for f in families for m in methods for s in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        if cell.family not in self._reach:
            self._reach[cell.family] = Reach(TABLES[cell.family]())
        reach = self._reach[cell.family]
        truth = reach.table.targets[cell.task]
        best = np.argsort(-truth, kind="stable")[: int(_BEST * len(truth))]
        starts = np.random.default_rng([cell.seed, 5]).choice(best, min(_STARTS, len(best)), replace=False)
        labelled = split(cell.family, len(truth), cell.n, cell.seed).train
        saved: list[Float[np.ndarray, " k"]] = []
        for start in starts.tolist():
            run = _Run(reach, truth, start, [*labelled.tolist(), start], cell.method)
            trained, judged = run.trained(np.random.default_rng([cell.seed, start]))
            free = [row for row in judged if row in set(labelled.tolist())]  # has its label already, for any method
            curve = [run.saved([*free, *trained[:k]]) for k in _REPORTED]
            saved.append(np.array([*curve, run.saved(judged)]))
        means, shares = np.mean(saved, axis=0), np.mean(np.array(saved) > 0, axis=0)
        names = [*map(str, _REPORTED), "all"]
        result = {f"share@{k}": (float(v), "") for k, v in zip(names, shares, strict=True)}
        return result | {f"saved@{k}": (float(v), "") for k, v in zip(names, means, strict=True)}


class Reach:
    """The architectures of a table with the edits that lead from one to another.

    Args:
        table: One of `foretell.benchmarks.tables.TABLES`.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = KnownColumns(PRESETS["foretell"]().encode, table.candidate)
        self._sizes: dict[int, tuple[str, float]] = {}
        if table.family == "nasbench101":
            self._neighbours: Callable[[int], Sequence[int]] = Neighbours101(table)
        else:
            self._rows = {tuple(spec): row for row, spec in enumerate(table.specs)}
            self._operators = 1 + max(max(spec) for spec in table.specs)
            self._neighbours = self._one_operator_changed

    def propose(self, row: int, rng: np.random.Generator) -> tuple[str, int] | None:
        """A random neighbour."""
        near = self._neighbours(row)
        return ("edit", int(near[int(rng.integers(len(near)))])) if near else None

    def digest(self, row: int) -> str:
        """Name of the network."""
        return self._size(row)[0]

    def flops(self, row: int) -> float:
        """FLOPs of the network."""
        return self._size(row)[1]

    def _size(self, row: int) -> tuple[str, float]:
        if row not in self._sizes:
            graph = self.table.build(self.table.specs[row])
            self._sizes[row] = graph.digest, float(graph.flops)
        return self._sizes[row]

    def _one_operator_changed(self, row: int) -> list[int]:
        spec = tuple(self.table.specs[row])
        others = [
            (*spec[:i], op, *spec[i + 1 :]) for i in range(len(spec)) for op in range(self._operators) if op != spec[i]
        ]
        return [self._rows[other] for other in others if other in self._rows]


@dataclass
class _Run:
    """One search from one start."""

    reach: Reach
    truth: Float[np.ndarray, " n"]
    start: int
    known: list[int]
    method: str

    def trained(self, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """Rows in the order in which they are trained, and all cheap enough ones that were judged."""
        done: list[int] = []
        pool = [self.start]
        for turn in range(_TRAINED):
            belief = self._belief() if self.method == "foretell" else None
            pool = self._searched(pool, _MORE if turn else _QUERIES, belief, rng)
            cheap = [row for row in pool if self.reach.flops(row) <= _CHEAPER * self.reach.flops(self.start)]
            left = [row for row in cheap if row not in done and (belief is None or row not in self.known)]
            if not left:
                continue
            if belief is not None:
                found = belief(left)
                chance = (found.latent.mean - found.warp.forward(self.truth[[self.start]])) / found.latent.std
                best = left[int(np.argmax(chance))]
            elif self.method == "flops":
                best = max(left, key=self.reach.flops)
            else:
                best = left[int(rng.integers(len(left)))]
            self.known.append(best)
            done.append(best)
        return done, cheap

    def saved(self, rows: Sequence[int]) -> float:
        """Share of the start's FLOPs that the cheapest one saves that is as accurate, 0 if there is none."""
        good = [self.reach.flops(row) for row in rows if self.truth[row] >= self.truth[self.start]]
        return 1.0 - min(good) / self.reach.flops(self.start) if good else 0.0

    def _searched(
        self, pool: Sequence[int], queries: int, belief: Callable[[Sequence[int]], WarpedPosterior] | None,
        rng: np.random.Generator,
    ) -> list[int]:  # fmt: skip
        """The pool and what a further search from it judges."""

        def judge(rows: Sequence[int]) -> list[Judged[int]]:
            if belief is not None:
                scores = belief(rows).mean.tolist()
            elif self.method == "flops":
                scores = [self.reach.flops(row) for row in rows]
            else:
                scores = rng.random(len(rows)).tolist()
            return [
                Judged(row, self.reach.digest(row), self.reach.flops(row), score)
                for row, score in zip(rows, scores, strict=True)
            ]

        search: FrontSearch[int] = FrontSearch(
            self.reach.propose, judge, queries, _LEAST, 1.0, digest=self.reach.digest, flops=self.reach.flops
        )
        return [one.item for batch in search.run(pool, rng) for one in batch]

    def _belief(self) -> Callable[[Sequence[int]], WarpedPosterior]:
        rows = np.array(self.known)
        predictor = PRESETS["foretell"]().fit_encoding(self.reach.columns.rows(rows.tolist()), self.truth[rows])

        def predict(wanted: Sequence[int]) -> WarpedPosterior:
            found = predictor.predict_encoding(self.reach.columns.rows(wanted))
            assert isinstance(found, WarpedPosterior)
            return found

        return predict
