"""A computation graph under edit: nodes are taken out, put in and changed, then all shapes follow.

A draft keeps of each node what its author chose (operator, window, output channels, padding) and forgets what follows
(sizes, parameters, FLOPs). `finish` infers it again, node by node (`foretell.search.shape_inference`), and refuses what
does not fit: that is the repair after an edit, and its limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.capture.sums import merge_sums
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph, Node
from foretell.search.shape_inference import JOINS, Step, inferred, reshaped, sides_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Draft:
    """A graph under edit; `steps` are by number, new ones get new numbers.

    Args:
        graph: The graph, which stays as it is.
    """

    def __init__(self, graph: ComputationGraph) -> None:
        self.steps: dict[int, Step] = {i: Step(node, [], sides_of(node)) for i, node in enumerate(graph.nodes)}
        self._shape_before = {i: node.out_shape for i, node in enumerate(graph.nodes)}
        for a, b in sorted(graph.edges.tolist()):
            self.steps[b].sources.append(a)
        for step in self.steps.values():  # the one whose shape the node calls its input's comes first
            step.sources.sort(key=lambda a, s=step: self.steps[a].node.out_shape != s.node.in_shape)  # type: ignore[misc]

    def consumers(self, number: int) -> list[int]:
        """Numbers of the steps that a step feeds."""
        return [i for i, step in self.steps.items() if number in step.sources]

    def put(self, node: Node, sources: Sequence[int]) -> int:
        """Add a step like a node that fits somewhere else; its shapes follow from its sources.

        Raises:
            InvalidArchitectureError: If it does not fit here.
        """
        number = 1 + max(self.steps)
        step = Step(node, list(dict.fromkeys(sources)), sides_of(node))
        feeding = [self.steps[a].node for a in step.sources]
        step.node = inferred(step, feeding[0].out_shape, feeding)
        self.steps[number] = step
        self._shape_before[number] = step.node.out_shape
        return number

    def redirect(self, old: int, new: int, among: Sequence[int] | None = None) -> None:
        """Let all that a step feeds, or some of it, take another step instead."""
        for i in self.consumers(old) if among is None else among:
            if i != new:
                taken = [new if a == old else a for a in self.steps[i].sources]
                self.steps[i].sources = list(dict.fromkeys(taken))

    def splice(self, number: int) -> None:
        """Take a step out and join its source to what it fed.

        Raises:
            InvalidArchitectureError: If it has not one source.
        """
        sources = self.steps[number].sources
        if len(sources) != 1:
            msg = (
                f"only an operator of one input can be taken out, but node {number} has {len(sources)}: choose another"
            )
            raise InvalidArchitectureError(msg)
        self.redirect(number, sources[0])
        del self.steps[number]

    def change(self, number: int, node: Node) -> None:
        """Give a step another node; a window that changed its size keeps what it gives by another padding."""
        step = self.steps[number]
        before, step.node = step.node, node
        if node.kernel != before.kernel or node.dilation != before.dilation:
            grown = zip(node.kernel, node.dilation, before.kernel, before.dilation, step.sides, strict=True)
            step.sides = tuple(  # type: ignore[assignment]
                None if p is None or (d * (k - 1) - e * (j - 1)) % 2 else p + (d * (k - 1) - e * (j - 1)) // 2
                for k, d, j, e, p in grown
            )

    def finish(self) -> ComputationGraph:
        """Infer all shapes, parameters and FLOPs again, without what no longer leads to the output.

        Raises:
            InvalidArchitectureError: If shapes do not fit, there is a cycle, or the network does not lead from the
                inputs that it had to the outputs that it had.
        """
        order = self._order()
        made: dict[int, Node] = {}
        for i in order:
            step = self.steps[i]
            made[i] = self._inferred(step, [made[a] for a in step.sources])
        position = {i: k for k, i in enumerate(order)}
        edges = [(position[a], position[i]) for i in order for a in self.steps[i].sources]
        return merge_sums(ComputationGraph.from_nodes([made[i] for i in order], edges))

    def _order(self) -> list[int]:
        """Steps that lead to an output, sources first."""
        self._drop_trivial_joins()
        order: list[int] = []
        state: dict[int, int] = {}  # 1 on the way, 2 done
        for root in sorted(i for i, step in self.steps.items() if step.node.op in {"Output", "Input"}):
            stack = [root]
            while stack:
                i = stack[-1]
                if state.get(i) == 2:
                    stack.pop()
                    continue
                state[i] = 1
                waiting = [a for a in self.steps[i].sources if state.get(a) != 2]
                if any(state.get(a) == 1 for a in waiting):
                    msg = "an edit must not make a cycle, but this one did: reconnect from earlier to later operators"
                    raise InvalidArchitectureError(msg)
                stack += waiting
                if not waiting:
                    state[i] = 2
                    order.append(i)
                    stack.pop()
        fed = {a for i in order for a in self.steps[i].sources}
        loose = [i for i in order if self.steps[i].node.op == "Input" and i not in fed]
        if loose:
            msg = f"an edit must keep input and output connected, but input {loose[0]} feeds nothing: keep one path"
            raise InvalidArchitectureError(msg)
        return order

    def _drop_trivial_joins(self) -> None:
        """A sum or concatenation that lost all inputs but one is that input."""
        for i in sorted(self.steps):
            step = self.steps[i]
            if step.node.op in JOINS | {"Concat"} and len(step.sources) == 1 and not step.node.params:
                self.splice(i)

    def _inferred(self, step: Step, sources: list[Node]) -> Node:
        node = step.node
        if node.op == "Input":
            return node
        if not sources:
            msg = f"every operator needs an input, but {node.op} lost its last one: take it out too"
            raise InvalidArchitectureError(msg)
        if node.op not in JOINS | {"Concat"} and len(sources) > 1:
            fixed = [s.out_shape for s in sources] == [self._shape_before[a] for a in step.sources]
            if fixed:  # attention and the like: as long as nothing changes
                return node
            msg = f"{node.op} of several inputs cannot be repaired when they change: edit elsewhere"
            raise InvalidArchitectureError(msg)
        return inferred(step, reshaped(node, sources[0].out_shape, self._shape_before[step.sources[0]]), sources)
