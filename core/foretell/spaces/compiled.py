"""Whole networks whose specification says their graph: the graph is made at once, the module compiled from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foretell.compile import compile_graph
from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from foretell.graph import ComputationGraph
    from foretell.spaces.part import Part, Scope, Shape


@dataclass(frozen=True)
class Compiled:
    """A network by its graph.

    Args:
        draw: From a scope to a specification.
        graph: From a specification to the graph of the whole network.
        count: How many specifications can be drawn.
        classes: Outputs.
    """

    draw: Callable[[Scope], Any]
    graph: Callable[[Any], ComputationGraph]
    count: float
    classes: int = 10

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`; the graph decides what enters."""
        del shape
        spec = self.draw(scope)
        return Plan((self.classes,), lambda: compile_graph(self.graph(spec)), str(spec), graph=lambda: self.graph(spec))

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return ()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        del symbols
        return self.count
