"""Edit: another activation in place of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class ActivationSwap:
    """Swaps activations without parameters.

    Args:
        among: Operators that are swapped for each other.
    """

    name: str = "activation"
    among: tuple[str, ...] = ("ReLU", "ReLU6", "Swish", "GELU", "HardSwish", "ELU", "LeakyReLU")

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        nodes = graph.nodes
        sites = drawn_sites(graph, [i for i, n in enumerate(nodes) if n.op in self.among and not n.params], rng)
        others = [op for op in self.among if op != nodes[sites[0]].op]
        chosen = others[int(rng.integers(len(others)))]
        draft = Draft(graph)
        for i in sites:
            draft.change(i, replace(nodes[i], op=chosen))
        return f"{nodes[sites[0]].op} -> {chosen} at {len(sites)}", draft.finish()
