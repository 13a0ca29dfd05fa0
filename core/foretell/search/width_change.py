"""Edit: more or fewer channels, for all operators that must have as many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError
from foretell.search.channel_group import channel_group
from foretell.search.draft import Draft
from foretell.search.shape_inference import CHANNEL_MAKERS
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class WidthChange:
    """Multiplies the width of a channel group; every width must stay a whole number.

    Args:
        factors: Factors to choose from, each a pair (numerator, denominator).
    """

    name: str = "width"
    factors: tuple[tuple[int, int], ...] = ((1, 2), (3, 4), (5, 4), (2, 1))

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        draft = Draft(graph)
        sites = drawn_sites(graph, [i for i, n in enumerate(graph.nodes) if n.op in CHANNEL_MAKERS], rng)
        group: set[int] = set()
        for i in sites:
            if i not in group:
                group |= channel_group(draft, i)
        up, down = self.factors[int(rng.integers(len(self.factors)))]
        for i in sorted(group):
            node = draft.steps[i].node
            channels, rest = divmod(node.out_shape[0] * up, down)
            if rest or not channels:
                msg = f"a width must stay a whole number, but {node.out_shape[0]} x {up}/{down} is none: scale another"
                raise InvalidArchitectureError(msg)
            draft.change(i, replace(node, out_shape=(channels, *node.out_shape[1:])))
        return f"width x {up / down:g} of {len(group)}", draft.finish()
