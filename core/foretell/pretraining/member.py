"""One network of the ensemble: an encoder, heads over what it gives, an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from foretell.pretraining.fuzzy_heads import FuzzyHeads

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.graph_encoder import GraphEncoder
    from foretell.pretraining.objectives import Objective, Scale

_LEAST_UNIT = 1e-6  # a number of the embedding that never changes is not blown up


class PaperReadout(nn.Module):
    """Linear, Linear, ReLU, Linear, Linear, Linear to one number: what follows the k-GNN in GENNAPE's released code."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first = [nn.Linear(width, width), nn.Linear(width, width), nn.ReLU()]
        self.layers = nn.Sequential(*first, nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1))

    def forward(self, h: torch.Tensor, memberships: torch.Tensor) -> torch.Tensor:
        """Outputs, n; memberships are for others."""
        del memberships
        out: torch.Tensor = self.layers(h)[:, 0]
        return out


class Member(nn.Module):
    """A member of the ensemble.

    Args:
        encoder: Its encoder, which others may share.
        heads: From embeddings (standardised, n x e) and memberships (n x C) to outputs.
    """

    def __init__(self, encoder: GraphEncoder, heads: FuzzyHeads | PaperReadout) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = heads
        self.centre: torch.Tensor
        self.unit: torch.Tensor
        self.register_buffer("centre", torch.zeros(encoder.settings.out_width))
        self.register_buffer("unit", torch.ones(encoder.settings.out_width))

    def standardise(self, h: Float[np.ndarray, "n e"]) -> None:
        """Take mean and deviation of embeddings as zero and unit of what the heads see."""
        self.centre.copy_(torch.from_numpy(h.mean(axis=0)))
        self.unit.copy_(torch.from_numpy(np.maximum(h.std(axis=0), _LEAST_UNIT)))

    def see(self, h: torch.Tensor) -> torch.Tensor:
        """Embeddings as the heads see them, standardised."""
        return (h - self.centre) / self.unit

    def read(self, h: torch.Tensor, memberships: torch.Tensor) -> torch.Tensor:
        """Outputs from embeddings, n."""
        out: torch.Tensor = self.heads(self.see(h), memberships)
        return out

    def forward(self, graphs: FoldedGraphs, memberships: torch.Tensor) -> torch.Tensor:
        """Outputs, one a graph."""
        return self.read(self.encoder(graphs), memberships)

    def outputs(self, h: Float[np.ndarray, "G e"], memberships: Float[np.ndarray, "G C"]) -> Float[np.ndarray, " G"]:
        """As `read`, without gradients."""
        given = torch.from_numpy(h).to(self.centre)
        with torch.no_grad():
            return np.asarray(self.read(given, torch.from_numpy(memberships).to(given)).cpu().numpy(), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A member with its objective and the constants of its target.

    Args:
        module: The network.
        objective: What it learnt.
        scale: Constants of its target.
    """

    module: Member
    objective: Objective
    scale: Scale

    def score(
        self, h: Float[np.ndarray, "G e"], memberships: Float[np.ndarray, "G C"], gflops: Float[np.ndarray, " G"]
    ) -> Float[np.ndarray, " G"]:
        """What it says of accuracies, from embeddings by its encoder; larger is better."""
        return self.objective.score(self.module.outputs(h, memberships), gflops, self.scale)
