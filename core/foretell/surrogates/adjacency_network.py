"""Graph convolutions over small cells, both ways along the edges: the Neural Predictor.

Wen, Liu, Chen, Li, Bender and Kindermans, 2020, "Neural Predictor for Neural Architecture Search",
https://arxiv.org/abs/1912.00848. Needs the columns of an adjacency encoder, see `dense_graphs`; its
filter of bad networks is `TwoStage`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from foretell.surrogates.dense_graphs import GraphColumns
from foretell.surrogates.network_ensemble import FittedEnsemble, NetworkEnsemble
from foretell.surrogates.training import Training, affine, dropout, layers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from jaxtyping import Float


@dataclass(frozen=True)
class AdjacencyNetwork:
    """Settings; the defaults are those published for NAS-Bench-101, with AdamW in place of Adam.

    A layer is V' = 1/2 relu(A V W+) + 1/2 relu(A^T V W-), with A the adjacency matrix plus identity, its
    rows divided by their sums. Ours: the mean over nodes leaves padding out, columns of the whole network join it, and
    members that leave rows out give a spread (`network_ensemble`), where the paper has one network and a point.

    Args:
        n_layers: Graph convolutions.
        width: Channels of each.
        head_width: Width of the layer after the mean over nodes.
        dropout_rate: Of convolutions and head.
        learning_rate: First learning rate; falls to 0.
        weight_decay: See `Training`.
        batch_size: Networks a step.
        n_epochs: Passes over the networks.
        n_members: Networks of the ensemble.
        held_out: Share of the rows that a member does not see.
        seed: Seed of weights, order and dropout.

    """

    name: ClassVar[str] = "adjacency_network"
    n_layers: int = 3
    width: int = 144
    head_width: int = 128
    dropout_rate: float = 0.1
    learning_rate: float = 2e-4
    weight_decay: float = 1e-3
    batch_size: int = 10
    n_epochs: int = 300
    n_members: int = 5
    held_out: float = 0.2
    seed: int = 0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedEnsemble:
        """See `Surrogate.fit`.

        Raises:
            InvalidDataError: If the groups do not hold graphs, see `GraphColumns`.
        """
        import torch

        columns = GraphColumns.of(groups)
        sizes: dict[str, tuple[int, int]] = {}
        for i in range(self.n_layers):
            n_in = columns.n_classes if i == 0 else self.width
            sizes |= {f"along{i}": (n_in, self.width), f"against{i}": (n_in, self.width)}
        sizes |= {"head": (self.width + len(columns.extras), self.head_width), "out": (self.head_width, 1)}
        weights = layers(sizes, self.n_members, torch.Generator().manual_seed(self.seed))
        training = Training(
            self.n_epochs, self.batch_size, self.learning_rate, weight_decay=self.weight_decay, seed=self.seed
        )
        return NetworkEnsemble(training, self.score, squared_error, self.held_out).fit(columns, X, y, weights)

    def score(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """See `Scorer`."""
        import torch

        V, adjacency, mask, extras = inputs
        along = adjacency + torch.eye(adjacency.shape[-1])
        along = along / along.sum(dim=-1, keepdim=True)  # (E, B, N, N)
        against = along.transpose(-1, -2)
        for i in range(self.n_layers):
            V = 0.5 * (
                torch.relu(affine(weights, f"along{i}", along @ V))
                + torch.relu(affine(weights, f"against{i}", against @ V))
            )
            V = dropout(V, self.dropout_rate, generator)  # (E, B, N, width)
        pooled = (V * mask[..., None]).sum(dim=2) / mask.sum(dim=2).clamp(min=1.0)[..., None]
        hidden = torch.relu(affine(weights, "head", torch.cat([pooled, extras], dim=-1)))
        return affine(weights, "out", dropout(hidden, self.dropout_rate, generator))[..., 0]

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """See `Surrogate.from_arrays`."""
        columns = GraphColumns(arrays["operators"], arrays["edges"], arrays["extras"])
        return FittedEnsemble.from_arrays(self.score, columns, arrays)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


def squared_error(scores: Float[torch.Tensor, "E B"], y: Float[torch.Tensor, "E B"]) -> torch.Tensor:
    """Mean squared error of each member, summed over members."""
    return ((scores - y) ** 2).mean(dim=1).sum()
