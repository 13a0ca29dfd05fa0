"""The named predictors: published systems and ours, each a few lines over encoders and surrogates.

    predictor = Predictor.preset("foretell")

Where a system's published input is the cell alone, it sees the first cell of a candidate (`Candidate.cells`). Settings
are the papers' where known and named in the surrogates; what we changed is said there. Search schedules are not part of
a predictor: a preset is what ranks, `foretell.acquisition` and the adapters decide what is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from foretell.encoders import (
    Adjacency,
    Encoder,
    Flow,
    LearningCurve,
    OfCells,
    OperatorStatistics,
    Paths,
    Pretrained,
    SignalPropagation,
    WeisfeilerLehman,
)
from foretell.predictor import Predictor
from foretell.surrogates import (
    BayesianNetwork,
    Calibrated,
    CrossFitted,
    ExtraTrees,
    FlowNetwork,
    FreeLabelNetwork,
    GaussianProcess,
    GradientBoosting,
    MlpEnsemble,
    OnGroups,
    OnTrend,
    PairwiseNetwork,
    RandomForest,
    Stack,
    SupportVectors,
    Surrogate,
    TwoStage,
)

CELL_CLASSES = (
    "AvgPool3x3", "AvgPool3x3/2", "Conv1x1", "Conv3x3", "Depthwise3x3", "Depthwise3x3/2", "Depthwise3x3/2d2",
    "Depthwise3x3d2", "Depthwise5x5", "Depthwise5x5/2", "Depthwise5x5/2d2", "Depthwise5x5d2", "Identity", "Identity/2",
    "Input", "MaxPool3x3", "MaxPool3x3/2", "Output", "Unknown",
)  # fmt: skip
"""Operators of the cells of NAS-Bench-101, 201, 301 and TransNAS-Bench-101, for their adjacency encoding."""
CELL_NODES = 11
"""Nodes of the largest of these cells."""

_CORE = ("sizes", "attributes", "fewest", "soft", "entry", "first", "flow *")
_COUNTING = ("sizes", "counts", "most", "fewest", "walks", "neighbours", "transitions", "depths")
_SIGNAL = "signal *"
_TRUST = 40.0  # labels by which the members' own spread counts, chosen for coverage with the rest
_LENGTH_SCALE = 1.4  # of groups of standardised columns
_OF_CELLS = ("attributes", "fewest", "soft", "entry", "first")
_ON_TRENDS = (
    _CORE,
    ("cell *", "sizes"),
    (_SIGNAL, "attributes", *(f"cell *: {block}" for block in _OF_CELLS), "sizes"),
)


def foretell() -> Predictor:
    """Ours: three Gaussian processes and trees, weighted by leave-one-out rank agreement, with calibrated intervals.

    One process sees a few strong groups of columns of the network, one those of its cells, one all of the network's;
    what signals do in the network joins the first, the last and the trees. Blocks, length scale and members were chosen
    on TransNAS-Bench-101 micro and the NAS-Bench-301 sample; the cells' columns after a look at NAS-Bench-201, where
    they help most.
    """
    encoders, members = _foretell()
    return Predictor(encoders, Calibrated(Stack(members, temperature=0.2), _TRUST))


def foretell_pretrained(checkpoint: str = "foretell-pretrained", without: Sequence[str] = ()) -> Predictor:
    """Ours with the checkpoint: beside the members of `foretell`, Gaussian processes on a trend in pretrained columns.

    What a trend leaves over is small and smooth, so that the prior of these processes counts ten times. Together they
    have the say while labels are few, and are one member among five when there are many. This was chosen on
    TransNAS-Bench-101 micro and the NAS-Bench-301 sample. Where the weights do not know a network, or do not agree with
    its family's labels, the trend is 0.

    Args:
        checkpoint: Name of a shipped checkpoint, or a folder, see `foretell.encoders.Pretrained`.
        without: Families or sources whose weights are left out, for measuring on what they know.
    """
    encoders, members = _foretell()
    gp = GaussianProcess(length_scale=_LENGTH_SCALE, fit_rows=500, noise=0.15, prior_weight=10.0)
    trends = Stack(tuple(OnTrend(OnGroups(gp, groups)) for groups in _ON_TRENDS), temperature=0.2)
    prior = (*[0.0] * len(members), 1.0)
    stack = Stack((*members, trends), temperature=0.2, prior=prior, prior_count=30.0)
    return Predictor((*encoders, Pretrained(checkpoint, tuple(without))), Calibrated(stack, _TRUST))


def _foretell() -> tuple[tuple[Encoder, ...], tuple[Surrogate, ...]]:
    cells = OperatorStatistics(_OF_CELLS)
    gp = GaussianProcess(length_scale=_LENGTH_SCALE, fit_rows=500)
    members = (
        OnGroups(gp, (*_CORE, _SIGNAL)),
        OnGroups(gp, ("cell *", "sizes")),
        OnGroups(gp, (*_COUNTING, *_CORE, "exit", "last", _SIGNAL)),
        OnGroups(CrossFitted(ExtraTrees(n_trees=10, max_features=0.3)), (*_COUNTING, _SIGNAL)),
    )
    return (OperatorStatistics(), Flow(), SignalPropagation(), OfCells(cells), OfCells(Flow())), members


def _of_cell(encoder: Encoder, surrogate: Surrogate) -> Predictor:
    return Predictor((OfCells(encoder, number=1),), surrogate)


def _of_matrix(surrogate: Surrogate) -> Predictor:
    return _of_cell(Adjacency(CELL_NODES, CELL_CLASSES), surrogate)


PRESETS: Mapping[str, Callable[[], Predictor]] = MappingProxyType(
    {
        "foretell": foretell,
        "foretell-pretrained": foretell_pretrained,
        # Kadlecova et al., 2024, https://arxiv.org/abs/2404.16551
        "graf": lambda: _of_cell(OperatorStatistics(), RandomForest()),
        # Luo et al., 2020, https://arxiv.org/abs/2007.04785
        "gbdt-nas": lambda: _of_matrix(GradientBoosting()),
        # Ru et al., 2021, https://arxiv.org/abs/2006.07556
        "nas-bowl": lambda: _of_cell(WeisfeilerLehman(), GaussianProcess(length_scale=_LENGTH_SCALE)),
        # Wen et al., 2020, https://arxiv.org/abs/1912.00848
        "neural-predictor": lambda: _of_matrix(TwoStage()),
        # Akhauri and Abdelfattah, 2024, https://arxiv.org/abs/2403.02484
        "flan": lambda: _of_matrix(FlowNetwork()),
        # Dudziak et al., 2020, https://arxiv.org/abs/2007.08668
        "brp-nas": lambda: _of_matrix(PairwiseNetwork()),
        # White et al., 2021, https://arxiv.org/abs/1910.11858
        "bananas": lambda: _of_cell(Paths(), MlpEnsemble()),
        # Tuli et al., 2022, https://arxiv.org/abs/2205.11656
        "boshnas": lambda: Predictor((OperatorStatistics(),), BayesianNetwork()),
        # Dai et al., 2021, https://arxiv.org/abs/2006.02049; sizes are its free labels, no input
        "nars": lambda: Predictor(
            (OfCells(Adjacency(CELL_NODES, CELL_CLASSES)), OperatorStatistics(("sizes",))), FreeLabelNetwork()
        ),
        # Baker et al., 2017, https://arxiv.org/abs/1705.10823
        "baker": lambda: Predictor((LearningCurve(), OperatorStatistics(("sizes",))), SupportVectors()),
    }
)
"""Predictors by name."""
