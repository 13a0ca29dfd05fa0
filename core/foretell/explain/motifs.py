"""Which motifs help and which hurt: the effects of the neighbourhoods that Weisfeiler-Lehman columns count.

Three ways to ask, each an average over networks. `motif_gradients` is the published one, the derivative of a Gaussian
process's mean, in closed form: what one more occurrence would change, all else the same. `motif_removals` is for any
surrogate: what the prediction loses when the column is set to 0. `motif_differences` compares networks that have the
motif with those that have not, so that a motif shares the praise of what comes along with it.

`foretell bench motifs`: rank correlation with the same difference among the true accuracies of all NAS-Bench-201
(CIFAR-10, `nas-bowl` after 100 networks, mean of 5 seeds): gradients .55, removals .43, differences .99; differences
among the 100 trained networks alone .93.

Notation: c_j: how often a network has motif j, phi = c / |c|: its columns, mu: posterior mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import Candidate, as_candidate
from foretell.encoders import Encoding, OfCells, WeisfeilerLehman
from foretell.errors import InvalidDataError
from foretell.explain.columns import NORMAL_SCORE, TARGET
from foretell.surrogates.gaussian_process import FittedGaussianProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float, Int

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Motif:
    """A neighbourhood and what it does to the prediction.

    Attributes:
        text: An operator and in parentheses what feeds it, `Conv3x3(Conv1x1, Identity)`; motifs that share a column are
            joined by ` | `.
        effect: Change of the prediction that is due to it; positive helps.
        unit: Of the effect, `TARGET` or `NORMAL_SCORE`.
        networks: How many of the networks looked at have it.
        occurrences: How often it occurs in them.
        cell: Number of the cell in which it is counted; None for the network.
        columns: Its columns among those of `encoder`: one for each depth at which it looks the same.
        encoder: What counts it.
    """

    text: str
    effect: float
    unit: str
    networks: int
    occurrences: int
    cell: int | None
    columns: tuple[str, ...]
    encoder: WeisfeilerLehman

    def nodes(self, item: Candidate | ComputationGraph) -> tuple[int, ...]:
        """The nodes at which it is rooted, in that cell of a candidate, or in the network."""
        graph = _graph(self.encoder, self.cell, as_candidate(item))
        return () if graph is None else tuple(self.encoder.roots(graph).get(self.columns[0], ()))


def motif_gradients(
    predictor: Predictor, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]
) -> tuple[Motif, ...]:
    """What one more occurrence of each motif does to the normal score, best first: the mean of (d mu / d phi_j) / |c|.

    Ru, Wan, Dong and Osborne, 2021, "Interpretable Neural Architecture Search via Bayesian Optimisation with
    Weisfeiler-Lehman Kernels", https://arxiv.org/abs/2006.07556, section 3.2. Theirs is a linear kernel, ours
    Matern-5/2. The length |c| is held. The mean is over all networks: over those alone that have the motif it agrees
    less with true accuracies (Spearman .27 and .33 instead of .45 and .54 on class_scene and
    room_layout of TransNAS-Bench-101, 100 networks, 3 seeds).

    Args:
        predictor: Fitted, with `WeisfeilerLehman` among its encoders and a Gaussian process, such as `nas-bowl`.
        items: Networks over which is averaged, such as those it was fitted on.

    Returns:
        Motifs that occur in the networks and whose count varied in training.

    Raises:
        InvalidDataError: If there are no such columns or networks, or the surrogate is another one.
        NotFittedError: If the predictor is not fitted.
    """
    process = predictor.fitted.surrogate
    if not isinstance(process, FittedGaussianProcess):
        msg = f"gradients of motifs need a Gaussian process, but {predictor!r} has another: use motif_removals"
        raise InvalidDataError(msg)
    scaler = predictor.fitted.scaler
    candidates, rows = _encoded(predictor, items)
    gradient = np.zeros(rows.values.shape)
    inner = process.mean_gradient(scaler.transform(rows))[:, : int(scaler.keep.sum())]
    gradient[:, scaler.keep] = inner / scaler.scale[scaler.keep]

    def effect(columns: Int[np.ndarray, " k"], norms: Float[np.ndarray, " n"]) -> float:
        return float((gradient[:, columns].sum(axis=1) / norms).mean())

    return _motifs(predictor, candidates, rows, effect, NORMAL_SCORE)


def motif_removals(
    predictor: Predictor, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]
) -> tuple[Motif, ...]:
    """What the prediction loses when the column of each motif is set to 0, best first; for any surrogate.

    Args:
        predictor: Fitted, with `WeisfeilerLehman` among its encoders.
        items: Networks over which is averaged; each motif over those that have it.

    Returns:
        Motifs that occur in the networks and whose count varied in training; effects in units of the target.

    Raises:
        InvalidDataError: If there are no such columns or networks.
        NotFittedError: If the predictor is not fitted.
    """
    candidates, rows = _encoded(predictor, items)
    whole = predictor.predict_encoding(rows).mean

    def effect(columns: Int[np.ndarray, " k"], norms: Float[np.ndarray, " n"]) -> float:
        del norms
        have = np.flatnonzero(rows.values[:, columns[0]] > 0)
        values = rows.values[have]
        values[:, columns] = 0.0
        return float((whole[have] - predictor.predict_encoding(replace(rows, values=values)).mean).mean())

    return _motifs(predictor, candidates, rows, effect, TARGET)


def motif_differences(
    predictor: Predictor, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]
) -> tuple[Motif, ...]:
    """Mean prediction of the networks that have a motif less that of those that have not, best first.

    Args:
        predictor: Fitted, with `WeisfeilerLehman` among its encoders and any surrogate.
        items: Networks that stand for the space, the more the better; no targets are needed.

    Returns:
        Motifs that some of the networks have and some have not; effects in units of the target.

    Raises:
        InvalidDataError: If there are no such columns or networks.
        NotFittedError: If the predictor is not fitted.
    """
    candidates, rows = _encoded(predictor, items)
    mean = predictor.predict_encoding(rows).mean

    def effect(columns: Int[np.ndarray, " k"], norms: Float[np.ndarray, " n"]) -> float:
        del norms
        found = rows.values[:, columns[0]] > 0
        return float(mean[found].mean() - mean[~found].mean()) if not found.all() else np.nan

    return _motifs(predictor, candidates, rows, effect, TARGET)


def _encoded(
    predictor: Predictor, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]
) -> tuple[list[Candidate], Encoding]:
    candidates = [as_candidate(item) for item in items]
    if not candidates:
        msg = "effects of motifs are averages over networks, but got none: give those the predictor was fitted on"
        raise InvalidDataError(msg)
    return candidates, predictor.encode(candidates)


@dataclass(frozen=True, slots=True)
class _View:
    """Where the columns of one counting of motifs are, and which cell of a candidate they describe."""

    encoder: WeisfeilerLehman
    cell: int | None
    columns: slice


def _motifs(
    predictor: Predictor,
    candidates: Sequence[Candidate],
    rows: Encoding,
    effect: Callable[[Int[np.ndarray, " k"], Float[np.ndarray, " n"]], float],
    unit: str,
) -> tuple[Motif, ...]:
    """Find the motifs of all views, and ask for the effect of the columns of each; `nan` leaves it out."""
    found = []
    keep = predictor.fitted.scaler.keep
    for view in _views(predictor, candidates[0]):
        graphs = [_graph(view.encoder, view.cell, candidate) for candidate in candidates]
        phi = np.nan_to_num(rows.values[:, view.columns])
        sizes = np.array([len(graph) if graph is not None else 0 for graph in graphs])
        once = phi[:, : view.encoder.buckets].sum(axis=1)  # at depth 0 each node counts once
        norms = np.divide(sizes, once, out=np.ones(len(sizes)), where=sizes > 0)
        own = {name.rpartition(": ")[2]: view.columns.start + j for j, name in enumerate(rows.names[view.columns])}
        same: dict[str, list[str]] = {}  # a motif that ends at inputs looks the same at all greater depths
        for column, text in sorted(view.encoder.motifs([graph for graph in graphs if graph is not None]).items()):
            if keep[own[column]]:
                same.setdefault(text, []).append(column)
        for text, columns in same.items():
            where = np.array([own[column] for column in columns])
            value = effect(where, norms)
            counts = np.rint(np.nan_to_num(rows.values[:, where[0]]) * norms)
            often = int(np.count_nonzero(counts)), int(counts.sum())
            if not np.isnan(value):
                found.append(Motif(text, value, unit, *often, view.cell, tuple(columns), view.encoder))
    return tuple(sorted(found, key=lambda motif: (-motif.effect, motif.text)))


def _views(predictor: Predictor, example: Candidate) -> list[_View]:
    """All countings of motifs among the predictor's encoders."""
    found: list[_View] = []
    start = 0
    for encoder in predictor.encoders:
        width = encoder.encode([example]).values.shape[1]
        if isinstance(encoder, WeisfeilerLehman):
            found.append(_View(encoder, None, slice(start, start + width)))
        elif isinstance(encoder, OfCells) and isinstance(encoder.encoder, WeisfeilerLehman):
            each = width // encoder.number
            for k in range(encoder.number):
                columns = slice(start + k * each, start + (k + 1) * each)
                found.append(_View(encoder.encoder, k, columns))
        start += width
    if not found:
        names = [encoder.name for encoder in predictor.encoders]
        msg = f"motifs need weisfeiler_lehman among the encoders, but got {names}: use the preset nas-bowl"
        raise InvalidDataError(msg)
    return found


def _graph(encoder: WeisfeilerLehman, cell: int | None, candidate: Candidate) -> ComputationGraph | None:
    return candidate.graph if cell is None else OfCells(encoder, cell + 1).cell(candidate, cell)
