"""Information flow through a cell, gated by its operators, there and back: FLAN, the best published at few shots.

Akhauri and Abdelfattah, 2024, "Encodings for Prediction-based Neural Architecture Search" (FLAN),
https://arxiv.org/abs/2403.02484. Needs the columns of an adjacency encoder, see `dense_graphs`.
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

_HEAD = 3
_STEP = 0.1  # of the update of the operators, as released


@dataclass(frozen=True)
class FlowNetwork:
    """Settings; the defaults are those released with the paper.

    A layer is the mean of dense graph flow, g * (A X W) + X W + b, and of attention over predecessors, LayerNorm(g *
    (a X W')), with the gate g = sigmoid(W_o o) of the operators and a = softmax leaky(sum_k u_k (X W')_ik (X W')_jk).
    Two time steps: forward; the output node's state flows back along A^T; operators move by .1 MLP(operator, state,
    state back); forward again. Then the mean over nodes, the columns of the whole network through layers of their own,
    and an MLP.

    Ours: the state begins at nodes without predecessors, whatever their number; both halves of a layer share the gate;
    attention sees predecessors and the node itself alone, where the released code gives nodes without an edge the logit
    0; the mean takes all nodes; and scores become a posterior by `network_ensemble`. With 100 cells of 8 nodes a fit
    takes about half a minute of one core.

    Args:
        n_layers: Layers each way.
        width: Channels of each.
        embedding: Channels of operators and of the initial state.
        hidden: Channels of the state before the first layer forward.
        head_width: Width of the three layers after the mean.
        dropout_rate: Of these.
        margin: Of the pairwise hinge loss, in units of the score.
        learning_rate: First learning rate; falls to 1e-6.
        weight_decay: See `Training`.
        batch_size: Networks a step; all pairs within it are compared.
        n_epochs: Passes over the networks.
        n_members: Networks of the ensemble.
        held_out: Share of the rows that a member does not see.
        seed: Seed of weights, order and dropout.
    """

    name: ClassVar[str] = "flow_network"
    n_layers: int = 5
    width: int = 128
    embedding: int = 48
    hidden: int = 96
    head_width: int = 200
    dropout_rate: float = 0.1
    margin: float = 0.1
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    batch_size: int = 8
    n_epochs: int = 150
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
        weights = layers(self._sizes(columns), self.n_members, torch.Generator().manual_seed(self.seed))
        training = Training(
            self.n_epochs, self.batch_size, self.learning_rate, weight_decay=self.weight_decay,
            final_learning_rate=1e-6, seed=self.seed,
        )  # fmt: skip
        return NetworkEnsemble(training, self.score, self.loss, self.held_out).fit(columns, X, y, weights)

    def _sizes(self, columns: GraphColumns) -> dict[str, tuple[int, int]]:
        e, w = self.embedding, self.width
        sizes = {"operators": (columns.n_classes, e), "source": (1, e), "state": (e, self.hidden)}
        for way, n_in in (("forward", self.hidden), ("back", w)):
            sizes[f"{way}.gates"] = (e, self.n_layers * w)
            for i in range(self.n_layers):
                sizes |= {f"{way}{i}.both": (w if i else n_in, 2 * w), f"{way}{i}.attention": (w, 1)}
        sizes |= {"turn0": (w, w), "turn1": (w, w), "update0": (e + 2 * w, w), "update1": (w, e)}
        n_extras = len(columns.extras)
        if n_extras:
            sizes |= {"extras0": (n_extras, 128), "extras1": (128, 128), "extras2": (128, e)}
        n_in = w + (e if n_extras else 0)
        for i in range(_HEAD):
            sizes[f"head{i}"] = (self.head_width if i else n_in, self.head_width)
        return sizes | {"out": (self.head_width, 1)}

    def score(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """See `Scorer`."""
        import torch

        one_hot, adjacency, mask, extras = inputs
        heard = adjacency.transpose(-1, -2).contiguous()  # row i: who feeds node i, (E, B, N, N)
        present = mask[..., None]
        is_source = ((heard.sum(dim=-1) == 0) * mask)[..., None]
        after = mask.flip(-1).cumsum(dim=-1).flip(-1)
        is_output = ((after == 1) * mask)[..., None]  # the last node
        operators = affine(weights, "operators", one_hot)  # (E, B, N, embedding)
        start = affine(weights, "state", affine(weights, "source", is_source)) * present
        state = self._flow(weights, "forward", start, operators, heard, present)
        message = (state * is_output).sum(dim=2, keepdim=True)  # (E, B, 1, width)
        back = affine(weights, "turn1", torch.relu(affine(weights, "turn0", message))) * is_output
        back = self._flow(weights, "back", back, operators, adjacency, present)
        joined = torch.cat([operators.detach(), state.detach(), back], dim=-1)
        operators = operators + _STEP * affine(weights, "update1", torch.relu(affine(weights, "update0", joined)))
        state = self._flow(weights, "forward", start, operators, heard, present)
        features = (state * present).sum(dim=2) / present.sum(dim=2).clamp(min=1.0)
        if extras.shape[-1]:
            side = torch.relu(affine(weights, "extras0", extras))
            side = affine(weights, "extras2", torch.relu(affine(weights, "extras1", side)))
            features = torch.cat([features, side], dim=-1)
        for i in range(_HEAD):
            features = dropout(torch.relu(affine(weights, f"head{i}", features)), self.dropout_rate, generator)
        return affine(weights, "out", features)[..., 0]

    def _flow(
        self,
        weights: Mapping[str, torch.Tensor],
        way: str,
        state: Float[torch.Tensor, "E B N hidden"],
        operators: Float[torch.Tensor, "E B N embedding"],
        heard: Float[torch.Tensor, "E B N N"],
        present: Float[torch.Tensor, "E B N 1"],
    ) -> Float[torch.Tensor, "E B N width"]:
        import torch
        from torch.nn import functional as F

        silent = (heard + torch.eye(heard.shape[-1])) == 0
        gates = torch.sigmoid(affine(weights, f"{way}.gates", operators))
        for i, gate in enumerate(torch.split(gates, self.width, dim=-1)):
            sent, attended = torch.split(affine(weights, f"{way}{i}.both", state), self.width, dim=-1)
            axis = weights[f"{way}{i}.attention.weight"].transpose(-1, -2)[:, None]  # (E, 1, 1, width)
            alike = F.leaky_relu((attended * axis) @ attended.transpose(-1, -2))
            share = alike.masked_fill(silent, -1e9).softmax(dim=-1)
            flow = gate * (heard @ sent) + sent
            attention = F.layer_norm(gate * (share @ attended), (self.width,))
            state = 0.5 * (flow + attention)
            state = (state if i == self.n_layers - 1 else torch.relu(state)) * present
        return state

    def loss(self, scores: Float[torch.Tensor, "E B"], y: Float[torch.Tensor, "E B"]) -> torch.Tensor:
        """Pairwise hinge: mean over pairs of relu(margin - (better - worse)) of each member, summed over members."""
        import torch

        better = (y[:, :, None] > y[:, None, :]).to(scores.dtype)  # (E, B, B)
        losses = torch.relu(self.margin - (scores[:, :, None] - scores[:, None, :])) * better
        return (losses.sum(dim=(1, 2)) / better.sum(dim=(1, 2)).clamp(min=1.0)).sum()

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """See `Surrogate.from_arrays`."""
        columns = GraphColumns(arrays["operators"], arrays["edges"], arrays["extras"])
        return FittedEnsemble.from_arrays(self.score, columns, arrays)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)
