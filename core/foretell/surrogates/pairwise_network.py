"""Which of two networks is better, by graph convolutions: the binary relation of BRP-NAS.

Dudziak, Chau, Abdelfattah, Lee, Kim and Lane, 2020, "BRP-NAS: Prediction-based NAS using GCNs",
https://arxiv.org/abs/2007.08668. Needs the columns of an adjacency encoder, see `dense_graphs`.
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
class PairwiseNetwork:
    """Settings; the defaults are those released with the paper.

    Graph convolutions V' = relu(A V W) hear from predecessors and themselves; a global node hears from all, and its
    features give the score. p(a better than b) = softmax over the scores of a and b. The paper's softmax layer sees
    the features of both and need not be transitive, hence their sort by comparisons; with one score a network the
    relation is, and m networks are ranked by m passes. All pairs within a batch are compared, not one pair an example.
    The spread is that of `network_ensemble`; the paper has none.

    Args:
        n_layers: Graph convolutions.
        width: Channels of each.
        dropout_rate: Of the convolutions.
        learning_rate: First learning rate; falls to 0.
        weight_decay: See `Training`.
        batch_size: Networks a step; each is compared with all others of the batch.
        n_epochs: Passes over the networks.
        n_members: Networks of the ensemble.
        held_out: Share of the rows that a member does not see.
        seed: Seed of weights, order and dropout.
    """

    name: ClassVar[str] = "pairwise_network"
    n_layers: int = 4
    width: int = 600
    dropout_rate: float = 0.2
    learning_rate: float = 3.5e-4
    weight_decay: float = 5e-4
    batch_size: int = 64
    n_epochs: int = 250
    n_members: int = 2
    held_out: float = 0.2
    seed: int = 0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedEnsemble:
        """See `Surrogate.fit`.

        Raises:
            InvalidDataError: If the groups do not hold graphs, see `GraphColumns`.
        """
        import torch

        columns = GraphColumns.of(groups)
        sizes = {f"convolution{i}": (self.width if i else columns.n_classes, self.width) for i in range(self.n_layers)}
        sizes["out"] = (self.width + len(columns.extras), 1)
        weights = layers(sizes, self.n_members, torch.Generator().manual_seed(self.seed))
        training = Training(
            self.n_epochs, self.batch_size, self.learning_rate, weight_decay=self.weight_decay, seed=self.seed
        )
        return NetworkEnsemble(training, self.score, relation_loss, self.held_out).fit(columns, X, y, weights)

    def score(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """See `Scorer`."""
        import torch
        from torch.nn import functional as F

        operators, adjacency, mask, extras = inputs
        V = F.pad(operators, (0, 0, 0, 1))  # the global node comes last and has no operator, (E, B, N + 1, K)
        heard = F.pad(adjacency.transpose(-1, -2), (0, 1, 0, 1)) + torch.eye(V.shape[2])
        heard[..., -1, :-1] = mask
        heard = heard / heard.sum(dim=-1, keepdim=True)
        for i in range(self.n_layers):
            V = dropout(torch.relu(affine(weights, f"convolution{i}", heard @ V)), self.dropout_rate, generator)
        return affine(weights, "out", torch.cat([V[:, :, -1], extras], dim=-1))[..., 0]

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """See `Surrogate.from_arrays`."""
        columns = GraphColumns(arrays["operators"], arrays["edges"], arrays["extras"])
        return FittedEnsemble.from_arrays(self.score, columns, arrays)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


def relation_loss(scores: Float[torch.Tensor, "E B"], y: Float[torch.Tensor, "E B"]) -> torch.Tensor:
    """Mean cross-entropy of each member over pairs that differ, summed over members; log(1 + exp(worse - better))."""
    from torch.nn import functional as F

    better = (y[:, :, None] > y[:, None, :]).to(scores.dtype)  # (E, B, B)
    losses = F.softplus(scores[:, None, :] - scores[:, :, None]) * better
    return (losses.sum(dim=(1, 2)) / better.sum(dim=(1, 2)).clamp(min=1.0)).sum()
