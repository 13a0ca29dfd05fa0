"""`foretell bench transfer`: GENNAPE, pretrained on NAS-Bench-101 alone, on NAS-Bench-201 without labels and with 50.

Rank correlations with the CIFAR-10 test accuracy after 200 epochs, over all 15,625 networks and over the 4,096 that
have no edge `none`, as in the paper; with labels, over the networks that they are not of. A draw of 50 depends on the
seed alone. `gennape` votes by the tau of tuned members on what they were tuned on, the paper's rule, `gennape-held-
out` by theirs on folds held out. Beside it each member, votes that all count alike, and columns of the table:
parameters, FLOPs, naswot and the logarithm of synflow, where they are finite.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import load_201, read_parquet, some_rows
from foretell.metrics import kendall_tau, spearman_rho
from foretell.pretraining.member_votes import equal_votes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.pretraining.fine_tuning import FineTuning
    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.gennape import Gennape

_MEMBERS = ("cl+fcm+t", "cl+t", "cl+pairwise+fcm", "cl+pairwise", "k-gnn")
_COLUMNS = {"params": "cifar10_params", "naswot": "cifar10_naswot", "synflow": "cifar10_logsynflow"}
_TUNED = ("gennape", "gennape-whole", "gennape-held-out")  # heads; all weights; heads, votes of folds held out
_FAMILIES = ("nasbench201", "nasbench201-without-none")
_LABELS = 50
_NONE = 1  # digit of the edge `none`


@dataclass
class Transfer:
    """Kendall's tau and Spearman's rho; larger is better.

    Args:
        checkpoint: Name or folder of GENNAPE's weights.
    """

    name: str = "transfer"
    methods: Sequence[str] = (*_TUNED[:0:-1], _TUNED[0], "equal-votes", *_MEMBERS, "flops", *_COLUMNS)
    checkpoint: str = "gennape-nb101"
    _votes: dict[tuple[str, int, int], tuple[Gennape, np.ndarray, float]] = field(default_factory=dict)
    _loaded: _Loaded | None = None

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means no labels."""
        zero = [Cell(m, family, "cifar10", 0) for family in _FAMILIES for m in methods if m not in _TUNED[1:]]
        few = [
            Cell(method, family, "cifar10", _LABELS, seed)
            for seed in range(seeds)
            for method in methods
            for family in _FAMILIES
        ]
        return zero if quick else zero + few

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.n is not None
        loaded = self._loaded = self._loaded or _Loaded.of(self.checkpoint)
        labelled = some_rows(len(loaded.accuracy), cell.n, cell.seed)
        asked = np.setdiff1d(np.flatnonzero(loaded.complete) if cell.family == _FAMILIES[1] else loaded.rows, labelled)
        found: dict[str, tuple[float, str]] = {}
        if cell.method in loaded.columns:
            guess = loaded.columns[cell.method][asked]
            asked, guess = asked[np.isfinite(guess)], guess[np.isfinite(guess)]
        else:
            tuning = cell.method if cell.method in _TUNED else _TUNED[0]
            key = (tuning, cell.n, cell.seed)
            if key not in self._votes:
                self._votes = {key: loaded.judge(tuning, labelled)}  # the last one is enough
            fitted, scores, seconds = self._votes[key]
            if cell.method in fitted.names:
                guess = scores[asked, fitted.names.index(cell.method)]
            else:
                voting = fitted if cell.method in _TUNED else replace(fitted, votes=equal_votes(scores.shape[1]))
                guess = voting.vote(scores[asked])
            found = {"fit": (seconds, "s")} if cell.method in _TUNED and cell.n else {}
        truth = loaded.accuracy[asked]
        return {"tau": (kendall_tau(truth, guess), ""), "rho": (spearman_rho(truth, guess), ""), **found}


@dataclass(frozen=True, eq=False)
class _Loaded:
    """The table in the form that the predictor reads."""

    gennape: Gennape
    graphs: FoldedGraphs
    gflops: Float[np.ndarray, " n"]
    accuracy: Float[np.ndarray, " n"]
    complete: np.ndarray
    columns: Mapping[str, Float[np.ndarray, " n"]]

    @property
    def rows(self) -> np.ndarray:
        """All of them."""
        return np.arange(len(self.accuracy))

    @classmethod
    def of(cls, checkpoint: str) -> _Loaded:
        from foretell.predictor import Predictor
        from foretell.pretraining.gennape import Gennape

        gennape, table = Predictor.from_pretrained(checkpoint), load_201()
        assert isinstance(gennape, Gennape)
        graphs, gflops = gennape.fold([table.build(spec) for spec in table.specs])
        stored = read_parquet("nasbench201/nb201.parquet")
        columns = {name: np.array(stored[column], dtype=np.float64) for name, column in _COLUMNS.items()}
        complete = np.array([_NONE not in spec for spec in table.specs])
        accuracy = table.targets["cifar10"] / 100.0
        return cls(gennape, graphs, gflops, accuracy, complete, {**columns, "flops": gflops})

    def judge(self, tuning: str, labelled: np.ndarray) -> tuple[Gennape, Float[np.ndarray, "n M"], float]:
        """The ensemble as it is after fine-tuning, its members' scores of all networks, and the seconds of tuning."""
        from foretell.pretraining.fine_tuning import HeadsOnly, WholeNetwork

        how: FineTuning = WholeNetwork() if tuning == "gennape-whole" else HeadsOnly()
        start, fitted = time.process_time(), self.gennape
        if len(labelled):
            known = self.graphs.select(labelled)
            fitted = self.gennape.fit_folded(
                known, self.gflops[labelled], self.accuracy[labelled], how, held_out=tuning == "gennape-held-out"
            )
        seconds = time.process_time() - start
        return fitted, fitted.folded_scores(self.graphs, self.gflops), seconds
