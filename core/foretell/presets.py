"""The named predictors: each a few lines over encoders and surrogates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from foretell.encoders import Flow, GraphStatistics, OfCells, OperatorStatistics
from foretell.predictor import Predictor
from foretell.surrogates import Calibrated, CrossFitted, ExtraTrees, GaussianProcess, OnGroups, RandomForest, Stack

_CORE = ("sizes", "attributes", "fewest", "soft", "entry", "first", "flow *")
_WHOLE = ("sizes", "counts", "most", "fewest", "walks", "neighbours", "transitions", "depths")
_LENGTH_SCALE = 1.4  # of groups of standardised columns


def foretell() -> Predictor:
    """Ours: three Gaussian processes and trees, weighted by leave-one-out rank agreement, with calibrated intervals.

    One process sees a few strong groups of columns of the network, one those of its cells, one all of the network's.

    Blocks, length scale and members were chosen on TransNAS-Bench-101 micro and the NAS-Bench-301 sample.
    """
    cells = OperatorStatistics(("attributes", "fewest", "soft", "entry", "first"))
    gp = GaussianProcess(length_scale=_LENGTH_SCALE)
    members = (
        OnGroups(gp, _CORE),
        OnGroups(gp, ("cell *", "sizes")),
        OnGroups(gp, (*_WHOLE, *_CORE, "exit", "last")),
        OnGroups(CrossFitted(ExtraTrees(n_trees=10, max_features=0.3)), _WHOLE),
    )
    return Predictor((OperatorStatistics(), Flow(), OfCells(cells), OfCells(Flow())), Calibrated(Stack(members, 0.2)))


PRESETS: Mapping[str, Callable[[], Predictor]] = {
    "foretell": foretell,
    "statistics-gp": lambda: Predictor((GraphStatistics(),), GaussianProcess()),
    "graf": lambda: Predictor((OfCells(OperatorStatistics()),), RandomForest()),
}
"""Predictors by name."""
