"""Edits: one skip connection more or less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError
from foretell.graph import Node
from foretell.search.draft import Draft
from foretell.search.sites import drawn_sites

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class SkipAddition:
    """Adds the result of an earlier operator to that of a later one of the same shape.

    Args:
        reach: Most levels between the two.
    """

    name: str = "add skip"
    reach: int = 12

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        nodes, level = graph.nodes, graph.levels.tolist()
        inner = [
            i for i, n in enumerate(nodes) if n.op not in {"Input", "Output", "Split"} and min(n.out_shape[1:]) > 1
        ]
        (late,) = drawn_sites(graph, inner, rng)[:1]
        early = [
            i for i in inner
            if nodes[i].out_shape == nodes[late].out_shape and 0 < level[late] - level[i] <= self.reach
        ]  # fmt: skip
        draft = Draft(graph)
        early = [i for i in early if i not in draft.steps[late].sources or nodes[late].op not in {"Add", "Concat"}]
        if not early:
            msg = f"a skip needs an earlier operator of shape {nodes[late].out_shape}, but there is none: try elsewhere"
            raise InvalidArchitectureError(msg)
        source = early[int(rng.integers(len(early)))]
        among = draft.consumers(late)
        shape = nodes[late].out_shape
        draft.redirect(late, draft.put(Node("Add", shape, shape), [late, source]), among)
        return f"skip over {level[late] - level[source]} levels", draft.finish()


@dataclass(frozen=True)
class SkipRemoval:
    """Takes one input out of a sum, and with it what led only there."""

    name: str = "remove skip"

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`."""
        draft = Draft(graph)
        sums = [i for i, n in enumerate(graph.nodes) if n.op == "Add" and len(draft.steps[i].sources) > 1]
        sites = drawn_sites(graph, sums, rng)
        which = int(rng.integers(1 << 16))
        for i in sites:
            sources = draft.steps[i].sources
            del sources[which % len(sources)]
        return f"sum without one input at {len(sites)}", draft.finish()
