"""Edit: a copy of one segment of the network in place of another one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError
from foretell.search.draft import Draft
from foretell.search.shape_inference import CHANNEL_MAKERS

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class SegmentSwap:
    """Swaps segments that are chains, as AutoGO does with its mined ones (Salameh et al., NeurIPS 2023).

    Widths inside the copy are scaled by the ratio of what the two segments give.

    Args:
        longest: Most operators of a segment.
    """

    name: str = "segment"
    longest: int = 8

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """See `Edit.apply`; both segments change height and width alike."""
        nodes = graph.nodes
        draft = Draft(graph)
        out, donor = self._segment(draft, rng), self._segment(draft, rng)
        if out == donor or set(out) == set(donor):
            msg = "two segments must differ to be swapped, but the same one was drawn twice: draw again"
            raise InvalidArchitectureError(msg)
        goal, like = nodes[out[-1]].out_shape, nodes[donor[-1]].out_shape
        last = draft.steps[out[0]].sources[0]
        for i in donor:
            node = nodes[i]
            if node.op in CHANNEL_MAKERS:
                channels, rest = divmod(node.out_shape[0] * goal[0], like[0])
                if rest or not channels:
                    msg = f"a width must stay a whole number, but {node.out_shape[0]} x {goal[0]}/{like[0]} is none"
                    raise InvalidArchitectureError(f"{msg}: swap others")
                node = replace(node, out_shape=(channels, *node.out_shape[1:]))
            last = draft.put(node, [last])
        if draft.steps[last].node.out_shape != goal:
            msg = f"a segment must give {goal} here, but it gives {draft.steps[last].node.out_shape}: swap others"
            raise InvalidArchitectureError(msg)
        draft.redirect(out[-1], last)
        return f"segment of {len(donor)} for {len(out)}", draft.finish()

    def _segment(self, draft: Draft, rng: np.random.Generator) -> list[int]:
        """A chain: each operator but the last feeds the next only, each has one input."""
        numbers = sorted(i for i, s in draft.steps.items() if s.node.op not in {"Input", "Output", "Split"})
        at = numbers[int(rng.integers(len(numbers)))]
        length = int(rng.integers(1, self.longest + 1))
        chain: list[int] = []
        while len(chain) < length and len(draft.steps[at].sources) == 1:
            step = draft.steps[at]
            if step.node.op in {"Output", "Split"} or draft.steps[step.sources[0]].node.op == "Split":
                break
            chain.append(at)
            after = draft.consumers(at)
            if len(after) != 1:
                break
            at = after[0]
        if not chain:
            msg = "a segment must begin with an operator of one input, but a join was drawn: draw again"
            raise InvalidArchitectureError(msg)
        return chain
