"""How GENNAPE is pretrained: what its members are, and how much of everything, as named settings of one code path."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from foretell.pretraining.graph_encoder import EncoderSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class MemberPlan:
    """What one member is.

    Args:
        objective: Name in `OBJECTIVES`.
        fuzzy: Whether it has heads for each cluster, or one for all.
        dropout_rate: Share of an embedding's numbers that its heads do not see while they are trained. A tenth costs
            pairwise members a little of their agreement on the family they are trained on and wins much on others;
            regression on accuracy per FLOPs, which has to guess FLOPs exactly, loses more than it wins.
    """

    objective: str
    fuzzy: bool
    dropout_rate: float = 0.0


PLANS: dict[str, MemberPlan] = {
    "cl+fcm+t": MemberPlan("accuracy_per_flops", fuzzy=True),
    "cl+t": MemberPlan("accuracy_per_flops", fuzzy=False),
    "cl+pairwise+fcm": MemberPlan("better", fuzzy=True, dropout_rate=0.1),
    "cl+pairwise": MemberPlan("better", fuzzy=False, dropout_rate=0.1),
}
"""The paper's members with a contrastive encoder, in its order; the k-GNN and FLOPs follow."""


@dataclass(frozen=True)
class PretrainSettings:
    """How much of everything.

    Args:
        encoder: Shape of the contrastive encoder.
        plans: The members with a contrastive encoder; others than `PLANS` for ablations.
        projected: Numbers that the contrastive loss sees.
        spectral_temperature: Of the contrastive weights. At 0.05 they are nearly flat over NAS-Bench-101, half of
            whose spectra are within 0.09 of each other; at 0.01 a network's other view has a third.
        contrast_epochs: Passes for the contrastive encoder.
        clusters: Fuzzy clusters.
        fuzzifier: Of the clusters.
        head_epochs: Passes for heads over the frozen encoder.
        whole_epochs: Passes for heads and encoder together, the members of one objective with one encoder: of one for
            all objectives each gets worse.
        pair_epochs: Likewise for members that learn pairs: a batch has more pairs than networks.
        baseline_epochs: Passes for the k-GNN.
        batch: Networks a step.
        baseline_batch: Likewise for the k-GNN.
        head_batch: Likewise for heads over the frozen encoder.
        learning_rate: Of the contrastive encoder; the k-GNN has twice of it.
        head_learning_rate: Of heads over the frozen encoder.
        whole_learning_rate: Of heads and encoder together.
        seed: Seed of split, weights, order and dropout.
    """

    encoder: EncoderSettings = field(default_factory=lambda: EncoderSettings(width=64))
    plans: Mapping[str, MemberPlan] = field(default_factory=lambda: PLANS)
    projected: int = 32
    spectral_temperature: float = 0.01
    contrast_epochs: int = 3
    clusters: int = 10
    fuzzifier: float = 1.5
    head_epochs: int = 10
    whole_epochs: int = 14
    pair_epochs: int = 7
    baseline_epochs: int = 10
    batch: int = 256
    baseline_batch: int = 64
    head_batch: int = 512
    learning_rate: float = 1e-3
    head_learning_rate: float = 3e-3
    whole_learning_rate: float = 2e-3
    seed: int = 0


_FULL = EncoderSettings(
    labels="v2", width=64, ways=("forward", "backward"), residual=True, pools=("mean", "max"), statistics=True
)
PRETRAIN_SETTINGS: dict[str, PretrainSettings] = {
    "gennape-nb101": PretrainSettings(),
    "gennape-nb101-v2": replace(PretrainSettings(), encoder=_FULL),
}
"""By the name of what `foretell pretrain` makes: the paper's graphs and encoder, and ours, which reads all that a
graph knows, with messages both ways and statistics of the whole."""
