"""`foretell bench motifs`: do motifs that a predictor calls helpful stand in better networks?

For each motif: the mean true accuracy of all networks of a table that have it, less that of those that have not. The
rank correlation with the effects that `nas-bowl` gives the motifs after some trained networks, over motifs that at
least ten of these have and two have not. What comes along with a motif is in the true difference too, so that an effect
that is right when all else is the same need not agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.protocol import split
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES, Table
from foretell.candidate import Candidate
from foretell.explain.motifs import Motif, motif_differences, motif_gradients, motif_removals
from foretell.metrics import spearman_rho
from foretell.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Bool, Float

    from foretell.encoders import Encoding
    from foretell.predictor import Predictor

_TRAINING_MEANS = "training-means"
_TASKS = {
    "nasbench201": ("cifar10", "cifar100"),
    "transnasbench101": ("class_scene", "jigsaw", "autoencoder", "room_layout"),
}
_SIZES = (100, 400)
_HAVE, _HAVE_NOT = 10, 2


@dataclass
class MotifEffects:
    """Agreement of motif effects with true differences; `training-means` are the same differences among trained ones.

    `gradients` and `removals` see the trained networks, `differences` the predictions of 2,000 random ones.
    """

    name: str = "motifs"
    methods: Sequence[str] = ("gradients", "removals", "differences", _TRAINING_MEANS)
    _tables: dict[str, tuple[Table, list[Candidate], Encoding]] = field(default_factory=dict)
    _fits: dict[Cell, Predictor] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task a family and 100 architectures."""
        return [
            Cell(method, family, task, n, seed)
            for family, tasks in _TASKS.items()
            for task in (tasks[:1] if quick else tasks)
            for n in (_SIZES[:1] if quick else _SIZES)
            for seed in range(seeds)
            for method in methods
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`: `rho`, and `sign`, the share of motifs where both have the same sign."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        if cell.family not in self._tables:
            table = TABLES[cell.family]()
            items = [Candidate(cells=table.cells(spec)) for spec in table.specs]
            self._tables[cell.family] = (table, items, PRESETS["nas-bowl"]().encode(items))
        table, items, rows = self._tables[cell.family]
        truth = table.targets[cell.task]
        train = split(cell.family, len(table), cell.n, cell.seed).train
        key = Cell("nas-bowl", cell.family, cell.task, cell.n, cell.seed)
        if key not in self._fits:
            self._fits = {key: PRESETS["nas-bowl"]().fit_encoding(rows.rows(train), truth[train])}
        predictor, known = self._fits[key], [items[i] for i in train.tolist()]
        found = _motifs(cell, predictor, known, items)
        column = {name: j for j, name in enumerate(rows.names)}
        have = {motif: rows.values[:, column[motif.columns[0]]] > 0 for motif in found}
        common = [m for m in found if _HAVE <= have[m][train].sum() <= len(train) - _HAVE_NOT]
        real = np.array([difference(truth, have[m]) for m in common])
        effects = np.array([m.effect for m in common])
        if cell.method == _TRAINING_MEANS:
            effects = np.array([difference(truth[train], have[m][train]) for m in common])
        return {
            "rho": (spearman_rho(real, effects), ""),
            "sign": (float(np.mean(np.sign(real) == np.sign(effects))), ""),
            "motifs": (float(len(common)), ""),
        }


def difference(truth: Float[np.ndarray, " n"], have: Bool[np.ndarray, " n"]) -> float:
    """Mean of those that have it less the mean of the others.

    >>> difference(np.array([1.0, 2.0, 6.0]), np.array([True, True, False]))
    -4.5
    """
    return float(truth[have].mean() - truth[~have].mean())


def _motifs(
    cell: Cell, predictor: Predictor, known: Sequence[Candidate], items: Sequence[Candidate]
) -> tuple[Motif, ...]:
    if cell.method == "removals":
        return motif_removals(predictor, known)
    if cell.method == "differences":
        some = np.random.default_rng(cell.seed).permutation(len(items))[:2000]
        return motif_differences(predictor, [items[i] for i in some.tolist()])
    return motif_gradients(predictor, known)
