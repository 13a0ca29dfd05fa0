"""Edit: one more convolution, normalisation and rectifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.graph import Node
from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class BlockInsertion:
    """Puts Conv-BN-ReLU of the same width behind an operator.

    Args:
        kernels: Windows to choose from.
    """

    name: str = "insert"
    kernels: tuple[int, ...] = (1, 3)

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`; never between a convolution and its normalisation."""
        nodes = graph.nodes
        held = {a for a, b in graph.edges.tolist() if nodes[b].op in {"BatchNorm", "Output"}}
        free = [
            i for i, n in enumerate(nodes)
            if i not in held and n.op not in {"Input", "Output", "Split"} and min(n.out_shape[1:]) > 1 < n.out_shape[0]
        ]  # fmt: skip
        sites = drawn_sites(graph, free, rng)
        kernel = self.kernels[int(rng.integers(len(self.kernels)))]
        draft = Draft(graph)
        for i in sites:
            c, h, w = shape = nodes[i].out_shape
            among = draft.consumers(i)
            conv = draft.put(Node("Conv", (c, h, w), shape, kernel=(kernel, kernel), params=1), [i])
            norm = draft.put(Node("BatchNorm", shape, shape, params=2 * c), [conv])
            draft.redirect(i, draft.put(Node("ReLU", shape, shape), [norm]), among)
        return f"insert conv {kernel} at {len(sites)}", draft.finish()
