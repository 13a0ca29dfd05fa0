"""Edit: one convolution less, with the normalisation and activation that follow or precede it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph

_WITH_IT = frozenset({"BatchNorm", "ReLU", "ReLU6", "Swish", "GELU", "HardSwish", "ELU", "LeakyReLU"})


@dataclass(frozen=True)
class BlockRemoval:
    """Takes out a convolution whose output has its input's shape, and what belongs to it.

    That is the chain of normalisation and activation behind it, at most one of each, and, where no activation follows,
    the one in front of it (ReLU-Conv-BN).
    """

    name: str = "remove"

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        nodes = graph.nodes
        keeps = [i for i, n in enumerate(nodes) if n.op in {"Conv", "Depthwise"} and n.in_shape == n.out_shape]
        sites = drawn_sites(graph, keeps, rng)
        draft = Draft(graph)
        for i in sites:
            gone, last = [i], i
            while len(after := draft.consumers(last)) == 1:
                op = draft.steps[after[0]].node.op
                if op not in _WITH_IT or any(draft.steps[g].node.op == op for g in gone):
                    break
                if op != "BatchNorm" and any(draft.steps[g].node.op in _WITH_IT - {"BatchNorm"} for g in gone):
                    break
                last = after[0]
                gone.append(last)
            before = draft.steps[i].sources[0]
            alone = draft.consumers(before) == [i] and draft.steps[before].node.op in _WITH_IT - {"BatchNorm"}
            if alone and not any(draft.steps[g].node.op in _WITH_IT - {"BatchNorm"} for g in gone):
                gone.append(before)
            for g in gone:
                draft.splice(g)
        return f"remove conv at {len(sites)}", draft.finish()
