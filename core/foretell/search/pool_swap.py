"""Edit: the mean in place of the maximum over a window, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph

_OTHER = {"MaxPool": "AvgPool", "AvgPool": "MaxPool"}


@dataclass(frozen=True)
class PoolSwap:
    """Swaps pooling operators; the window stays."""

    name: str = "pool"

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`; a dilated maximum has no counterpart."""
        nodes = graph.nodes
        sites = drawn_sites(graph, [i for i, n in enumerate(nodes) if n.op in _OTHER and max(n.dilation) == 1], rng)
        draft = Draft(graph)
        for i in sites:
            draft.change(i, replace(nodes[i], op=_OTHER[nodes[i].op]))
        return f"{nodes[sites[0]].op} -> {_OTHER[nodes[sites[0]].op]} at {len(sites)}", draft.finish()
