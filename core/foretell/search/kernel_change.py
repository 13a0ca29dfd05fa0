"""Edit: another window of a convolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class KernelChange:
    """Changes square windows of convolutions; the padding follows, so that the output's size stays.

    Args:
        sizes: Sizes to choose from.
    """

    name: str = "kernel"
    sizes: tuple[int, ...] = (1, 3, 5, 7)

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        nodes = graph.nodes
        square = [i for i, n in enumerate(nodes) if n.op in {"Conv", "Depthwise"} and n.kernel[0] == n.kernel[1]]
        spread = [i for i in square if min(nodes[i].in_shape[1:]) > 1]
        sites = drawn_sites(graph, spread, rng)
        before = nodes[sites[0]].kernel[0]
        others = [size for size in self.sizes if size != before]
        size = others[int(rng.integers(len(others)))]
        draft = Draft(graph)
        for i in sites:
            draft.change(i, replace(nodes[i], kernel=(size, size)))
        return f"kernel {before} -> {size} at {len(sites)}", draft.finish()
