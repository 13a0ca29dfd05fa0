"""The k-GNN encoder: a stack of graph convolutions from a network's graph to a vector.

h_v <- tanh(W_1 h_v + W_2 sum_{u -> v} h_u), the first of the higher-order convolutions of Morris et al., 2019,
"Weisfeiler and Leman Go Neural", https://arxiv.org/abs/1810.02244 (`GraphConv` of PyTorch Geometric), six times, then
the mean over the nodes: what GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226) and AIO-P build on. The
paper's encoder reads `v1` labels with messages along the edges only; ours reads `v2` labels with messages both ways, a
residual connection, mean beside maximum, and statistics of the whole graph. Both are settings of `GraphEncoder`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from foretell.errors import InvalidDataError
from foretell.pretraining.folded_convolution import FoldedConvolution
from foretell.pretraining.folded_graphs import STATISTICS, WAYS, FoldedGraphs
from foretell.pretraining.gathered_sums import gathered_sums
from foretell.pretraining.named_dropout import named_dropout
from foretell.pretraining.node_embedding import EMBEDDED, EMBEDDINGS
from foretell.pretraining.node_labels import LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.graph import ComputationGraph
    from foretell.pretraining.folded_graphs import Hop

POOLS = ("mean", "max")
"""How a graph's vector is made of its nodes'."""
MOST_WIDTH, MOST_HOPS = 4096, 64
"""Largest shape, so that a settings file of a few bytes cannot ask for any amount of memory."""


@dataclass(frozen=True)
class EncoderSettings:
    """Shape of an encoder; the defaults are the paper's k-GNN.

    Args:
        labels: Vocabulary, `v1` or `v2`, see `node_labels`.
        width: Numbers a node after each hop.
        hops: Graph convolutions.
        ways: Where messages go, of `WAYS`; each has weights of its own.
        residual: Whether a hop adds to what a node had before, from the second hop on.
        pools: Of `POOLS`, side by side.
        dropout_rate: Share of the numbers that a view for contrastive training loses after each hop.
        statistics: Whether a graph's vector ends with `folded_graphs.STATISTICS`.

    Raises:
        InvalidDataError: If a name is unknown or a size below 1.
    """

    labels: str = "v1"
    width: int = 32
    hops: int = 6
    ways: tuple[str, ...] = ("forward",)
    residual: bool = False
    pools: tuple[str, ...] = ("mean",)
    dropout_rate: float = 0.1
    statistics: bool = False

    def __post_init__(self) -> None:
        known = self.labels in LABELS and set(self.ways) <= set(WAYS) and set(self.pools) <= set(POOLS)
        known = known and 0 < len(self.ways) == len(set(self.ways)) and 0 < len(self.pools) == len(set(self.pools))
        sized = (
            type(self.width) is int is type(self.hops) and 0 < self.width <= MOST_WIDTH and 0 < self.hops <= MOST_HOPS
        )
        if not known or not sized or not 0.0 <= self.dropout_rate < 1.0:
            msg = (
                f"an encoder needs labels of {sorted(LABELS)}, ways of {WAYS}, pools of {POOLS}, width and hops from 1 "
                f"to {MOST_WIDTH} and {MOST_HOPS}, a dropout rate in [0, 1), but got {self}: correct it"
            )
            raise InvalidDataError(msg)

    @property
    def pooled_width(self) -> int:
        """Numbers a graph that come from its nodes."""
        return self.width * len(self.pools)

    @property
    def out_width(self) -> int:
        """Numbers a graph."""
        return self.pooled_width + self.statistics * len(STATISTICS)

    def fold(self, graphs: Sequence[ComputationGraph], *, extra_hops: int = 0) -> FoldedGraphs:
        """Fold graphs for an encoder of this shape; `extra_hops` for modules that go on where it ends."""
        return FoldedGraphs.of(graphs, LABELS[self.labels], hops=self.hops + extra_hops, ways=self.ways)

    def to_config(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> EncoderSettings:
        """Inverse of `to_config`."""
        return cls(**{**config, "ways": tuple(config["ways"]), "pools": tuple(config["pools"])})


class GraphEncoder(nn.Module):
    """Graphs to vectors.

    Args:
        settings: Its shape.

    >>> from foretell.capture import nasbench201
    >>> encoder = GraphEncoder(EncoderSettings())
    >>> encoder(encoder.settings.fold([nasbench201.graph((2, 0, 2, 2, 3, 2))])).shape
    torch.Size([1, 32])
    """

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.settings = settings
        self.embedding = EMBEDDINGS[settings.labels]()
        widths = [EMBEDDED] + [settings.width] * settings.hops
        self.convolutions = nn.ModuleList(
            nn.ModuleList(FoldedConvolution(a, b) for _ in settings.ways) for a, b in pairwise(widths)
        )

    def states(self, graphs: FoldedGraphs, generator: torch.Generator | None = None) -> list[torch.Tensor]:
        """State of every colour after 0 to `hops` hops, U_l x width each; see `carry` for comparing them.

        Args:
            graphs: Folded with at least as many hops; those beyond are left to others.
            generator: Source of dropout, for a view; without it there is none.

        Raises:
            InvalidDataError: If they were folded for an encoder of another shape.
        """
        hops, ways = self.settings.hops, {len(self.settings.ways)}
        if len(graphs.hops) < hops or {len(hop.source) for hop in graphs.hops[:hops]} != ways:
            given = sorted({len(hop.source) for hop in graphs.hops})
            msg = f"graphs must be folded for {self.settings}, but have {len(graphs.hops)} hops of {given} ways"
            raise InvalidDataError(f"{msg}: fold them with its settings")
        x = self.embedding(torch.from_numpy(graphs.labels).to(self._device))
        found = [x]
        for i, layer in enumerate(self.convolutions):
            hop = graphs.hops[i]
            new = torch.tanh(pass_messages(cast("nn.ModuleList", layer), x, hop))
            if self.settings.residual and i:
                new = new + _own(x, hop)
            rate, names = self.settings.dropout_rate, graphs.keys[i + 1]
            x = new if generator is None else named_dropout(new, names, rate, generator)
            found.append(x)
        return found

    def pool(self, graphs: FoldedGraphs, x: torch.Tensor) -> torch.Tensor:
        """Vector of each graph from the states of the colours after the last hop, G x pooled_width."""
        return torch.cat([_POOL[name](graphs, x) for name in self.settings.pools], dim=1)

    def view(self, graphs: FoldedGraphs, generator: torch.Generator | None = None) -> torch.Tensor:
        """What contrastive training sees, G x pooled_width: no statistics, by which it would know a graph again."""
        return self.pool(graphs, self.states(graphs, generator)[-1])

    def forward(self, graphs: FoldedGraphs) -> torch.Tensor:
        """Vector of each graph, G x out_width."""
        pooled = self.view(graphs)
        if not self.settings.statistics:
            return pooled
        return torch.cat([pooled, torch.from_numpy(graphs.statistics).to(pooled)], dim=1)

    def encode(self, graphs: FoldedGraphs, *, chunk: int = 1024) -> Float[np.ndarray, "G out_width"]:
        """As `forward` without gradients, chunk by chunk; the chunks change nothing but memory."""
        found = []
        with torch.no_grad():
            for low in range(0, graphs.size, chunk):
                rows = np.arange(low, min(low + chunk, graphs.size))
                part = graphs if len(rows) == graphs.size else graphs.select(rows)
                found.append(self(part).cpu().numpy())
        return np.concatenate(found)

    @property
    def _device(self) -> torch.device:
        return next(self.parameters()).device


def pass_messages(layer: nn.ModuleList, x: torch.Tensor, hop: Hop) -> torch.Tensor:
    """One hop of graph convolutions, one a way, their results added: U_{l-1} x inputs to U_l x outputs."""
    made = [conv(x, hop.own, *edges) for conv, *edges in zip(layer, hop.source, hop.target, hop.times, strict=True)]
    return torch.stack(made).sum(dim=0) if len(made) > 1 else made[0]


def carry(graphs: FoldedGraphs, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """States after `first` hops, handed on unchanged to the colours after `last` hops, U_first x d to U_last x d."""
    for hop in graphs.hops[first:last]:
        x = _own(x, hop)
    return x


def _own(x: torch.Tensor, hop: Hop) -> torch.Tensor:
    """What each new colour had before the hop, U_{l-1} x d to U_l x d."""
    new = np.arange(len(hop.own))
    return gathered_sums(x, hop.own, new, np.ones(len(new)), len(new))


def mean_of_nodes(graphs: FoldedGraphs, x: torch.Tensor) -> torch.Tensor:
    """Mean over each graph's nodes of what the colours after the last hop have, G x d."""
    return gathered_sums(x, graphs.colour, graphs.owner, graphs.share, graphs.size)


def largest_of_nodes(graphs: FoldedGraphs, x: torch.Tensor) -> torch.Tensor:
    """Maximum over each graph's nodes, G x d."""
    owner, colour = (torch.from_numpy(a).to(x.device) for a in (graphs.owner, graphs.colour))
    start = torch.full((graphs.size, x.shape[1]), -torch.inf, dtype=x.dtype, device=x.device)
    return start.scatter_reduce(0, owner[:, None].expand(-1, x.shape[1]), x[colour], "amax")


_POOL = {"mean": mean_of_nodes, "max": largest_of_nodes}
