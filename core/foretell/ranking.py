"""Networks of any kind in the order of their predicted accuracy, with what the prediction rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import as_candidate
from foretell.errors import InvalidDataError
from foretell.judge import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.aio_p.aio_p import AioP
    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor
    from foretell.pretraining.gennape import Gennape

_ENOUGH = 5  # measured networks from which a slope can be told
_LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Ranked:
    """One network of a ranking.

    Attributes:
        name: As it was given.
        predicted: Median of the predicted accuracy.
        low: Lower end of the 90 % interval.
        high: Its upper end.
        distance: Distance to the nearest training network, 1 being where the outermost 5 % of training begin; `nan` if
            unknown.
        params: Parameters.
        flops: FLOPs of one forward pass.
        measured: The accuracy that was measured, None if it was not.
    """

    name: str
    predicted: float
    low: float
    high: float
    distance: float
    params: int
    flops: int
    measured: float | None = None

    @property
    def in_domain(self) -> bool | None:
        """Whether it is like what the predictor learnt from, None if that is unknown."""
        return None if np.isnan(self.distance) else self.distance <= 1.0


def rank_graphs(
    predictor: Predictor | Gennape | AioP,
    graphs: Mapping[str, ComputationGraph | Candidate],
    measured: Mapping[str, float] | None = None,
) -> list[Ranked]:
    """Rank networks, best first; a measured one stands where its measurement puts it.

    Measurements correct the predictions: one to four shift them by the mean error, from five on a line is fitted, which
    never turns the order round; then the intervals are at least as wide as the errors that are left.

    Args:
        predictor: A fitted or shipped one.
        graphs: Networks by name; a candidate may bring its cells and must have a graph.
        measured: Accuracies of some of them, in the units of the predictor's training.
    """
    measured = {} if measured is None else measured
    names = list(graphs)
    known = {name: graph for name, g in graphs.items() if (graph := as_candidate(g).graph) is not None}
    if len(known) < len(graphs):
        lacking = next(name for name in names if name not in known)
        msg = f"a ranking is of networks, but {lacking!r} has no graph: leave it out"
        raise InvalidDataError(msg)
    posterior, distances = judge(predictor, list(graphs.values()))
    columns = [posterior.quantile(0.5), posterior.quantile(0.5 - _LEVEL / 2), posterior.quantile(0.5 + _LEVEL / 2)]
    middle, low, high = _corrected(columns, {i: measured[name] for i, name in enumerate(names) if name in measured})
    rows = [
        Ranked(name, float(middle[i]), float(low[i]), float(high[i]), float(distances[i]), g.params, g.flops,
               measured.get(name))
        for i, (name, g) in enumerate(known.items())
    ]  # fmt: skip
    return sorted(rows, key=lambda row: -(row.predicted if row.measured is None else row.measured))


def _corrected(columns: Sequence[np.ndarray], measured: Mapping[int, float]) -> tuple[np.ndarray, ...]:
    middle, low, high = columns
    if not measured:
        return middle, low, high
    at, truth = np.array(list(measured)), np.array(list(measured.values()))
    slope = 1.0
    if len(at) >= _ENOUGH and np.ptp(middle[at]) > 0:
        centred = middle[at] - middle[at].mean()
        slope = max(float(centred @ (truth - truth.mean()) / (centred @ centred)), 1e-3)
    shift = float(truth.mean() - slope * middle[at].mean())
    corrected = slope * middle + shift
    left = 1.645 * float(np.sqrt(np.mean((truth - corrected[at]) ** 2))) if len(at) > 1 else 0.0
    return (
        corrected,
        np.minimum(slope * low + shift, corrected - left),
        np.maximum(slope * high + shift, corrected + left),
    )
