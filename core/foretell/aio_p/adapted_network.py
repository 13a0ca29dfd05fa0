"""An encoder with several adapters beside it, all of which see the same states of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from foretell.aio_p.k_adapter import KAdapter
    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.graph_encoder import GraphEncoder


class AdaptedNetwork(nn.Module):
    """Graphs to the outputs of each adapter.

    Args:
        encoder: The backbone.
        adapters: T of them, in the order of the outputs.
    """

    def __init__(self, encoder: GraphEncoder, adapters: Sequence[KAdapter]) -> None:
        super().__init__()
        self.encoder = encoder
        self._adapters = nn.ModuleList(adapters)

    @property
    def adapters(self) -> Iterator[KAdapter]:
        """The adapters."""
        return iter(self._adapters)  # type: ignore[arg-type]

    def forward(self, graphs: FoldedGraphs) -> torch.Tensor:
        """Outputs, G x T."""
        states = self.encoder.states(graphs)
        return torch.stack([adapter(self.encoder, graphs, states) for adapter in self.adapters], dim=1)

    def outputs(self, graphs: FoldedGraphs, *, chunk: int = 1024) -> Float[np.ndarray, "G T"]:
        """As `forward` without gradients, chunk by chunk."""
        found = []
        with torch.no_grad():
            for low in range(0, graphs.size, chunk):
                rows = np.arange(low, min(low + chunk, graphs.size))
                part = graphs if len(rows) == graphs.size else graphs.select(rows)
                found.append(self(part).cpu().numpy().astype(np.float64))
        return np.concatenate(found)
