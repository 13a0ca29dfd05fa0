"""A K-Adapter: layers beside a frozen encoder that learn one task from what each of its layers gives.

a_0 = node embeddings, a_i = tanh(GraphConv([a_{i-1}, h_i])) for the encoder's i-th layer h_i; the means over nodes of
the last a and the last h, side by side, go through an MLP of five linear layers with one rectifier. This is what AIO-P
learns (Mills et al., 2023, "AIO-P: Expanding Neural Performance Predictors Beyond Image Classification",
https://arxiv.org/abs/2211.17228), after the K-Adapters of language models (Wang et al., 2021,
https://arxiv.org/abs/2002.01808). Since a_i hears what h_i has heard one hop further away, graphs are folded for one
hop more than the encoder has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import nn

from foretell.pretraining.folded_convolution import FoldedConvolution
from foretell.pretraining.graph_encoder import carry, pass_messages
from foretell.pretraining.node_embedding import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.graph import ComputationGraph
    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.graph_encoder import GraphEncoder

_EXTRA_HOPS = 1  # rounds of message passing beyond the encoder's own


class KAdapter(nn.Module):
    """Graphs and the states of an encoder to one number a graph.

    Args:
        encoder: The encoder beside which it stands; only its shape is kept.
        seed: Seed of the first weights.

    >>> from foretell.capture import nasbench201
    >>> from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
    >>> encoder = GraphEncoder(EncoderSettings())
    >>> graphs, gflops = fold(encoder, [nasbench201.graph((2, 0, 2, 2, 3, 2))])
    >>> KAdapter(encoder)(encoder, graphs, encoder.states(graphs)).shape
    torch.Size([1])
    """

    def __init__(self, encoder: GraphEncoder, *, seed: int = 0) -> None:
        super().__init__()
        shape = encoder.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convolutions = nn.ModuleList(
                nn.ModuleList(
                    FoldedConvolution((shape.width if i else EMBEDDED) + shape.width, shape.width) for _ in shape.ways
                )
                for i in range(shape.hops)
            )
            width = shape.out_width
            first = [nn.Linear(2 * width, width), nn.Linear(width, width), nn.ReLU()]
            self.heads = nn.Sequential(*first, nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1))

    def forward(self, encoder: GraphEncoder, graphs: FoldedGraphs, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """Outputs, one a graph.

        Args:
            encoder: For its pooling.
            graphs: From `fold`, that is with one hop more than the encoder has.
            states: What `encoder.states` gave for them.
        """
        last = len(self.convolutions)
        x = carry(graphs, states[0], 0, 1)
        for i, layer in enumerate(self.convolutions, start=1):
            seen = torch.cat([x, states[i]], dim=1)
            x = torch.tanh(pass_messages(cast("nn.ModuleList", layer), seen, graphs.hops[i]))
        pooled = [encoder.pool(graphs, carry(graphs, states[last], last, last + 1)), encoder.pool(graphs, x)]
        out: torch.Tensor = self.heads(torch.cat(pooled, dim=1))[:, 0]
        return out


def fold(encoder: GraphEncoder, graphs: Sequence[ComputationGraph]) -> tuple[FoldedGraphs, Float[np.ndarray, " n"]]:
    """Graphs in the form that adapters of an encoder read, and their GFLOPs, a multiply-add counted as two."""
    return encoder.settings.fold(graphs, extra_hops=_EXTRA_HOPS), np.array([g.flops for g in graphs]) / 1e9
