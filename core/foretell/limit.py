"""What a network may cost at most: one over a limit is never tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph

_OF_GRAPHS = ("flops", "params", "memory")


@dataclass(frozen=True)
class Limit:
    """A cost and its largest allowed value.

    Args:
        measure: `flops` (floating point operations for one example, a multiply-add counted as two), `params` or
            `memory` (see `peak_memory`), counted on the captured network; or a function from a sample, such as a table
            of latencies in milliseconds (`LatencyTable`); or an object whose `profile` is such a function.
        at_most: The largest value that is allowed, above 0.

    Raises:
        InvalidDataError: If the measure is none of those or `at_most` is not positive.

    >>> Limit(lambda sample: sample["width"] * 0.5, at_most=4.0).excess({"width": 10}, None)
    0.25
    """

    measure: str | Callable[[Mapping[str, Any]], float] | Any
    at_most: float

    def __post_init__(self) -> None:
        known = self.measure in _OF_GRAPHS if isinstance(self.measure, str) else self._function is not None
        if not known:
            msg = (
                f"a limit's measure must be one of {', '.join(_OF_GRAPHS)}, a function from a sample or a profiler, "
                f"but got {self.measure!r}: write e.g. Limit('flops', 3e8)"
            )
            raise InvalidDataError(msg)
        if isinstance(self.at_most, bool) or not isinstance(self.at_most, int | float) or not self.at_most > 0:
            msg = f"a limit must be a number above 0, but {self._name} got {self.at_most!r}: write e.g. 3.0e8"
            raise InvalidDataError(msg)

    @property
    def sees_network(self) -> bool:
        """Whether the cost is counted on the captured network."""
        return isinstance(self.measure, str)

    def excess(self, sample: Mapping[str, Any], graph: ComputationGraph | None) -> float:
        """By which share the cost is over the limit, 0 within; infinite where there is no network to count on.

        Raises:
            InvalidDataError: If the function gives no number.
        """
        return max(0.0, self.share(sample, graph) - 1.0)

    def share(self, sample: Mapping[str, Any], graph: ComputationGraph | None) -> float:
        """The cost as a share of what is allowed, infinite where there is no network to count on.

        Raises:
            InvalidDataError: If the function gives no number.
        """
        if self.sees_network:
            value = _counted(str(self.measure), graph) if graph is not None else math.inf
        else:
            found: Any = self._function(dict(sample))  # type: ignore[misc]
            try:
                value = float(found)
            except (TypeError, ValueError) as error:
                msg = f"a limit's measure must give a number, but {self._name} gave {found!r}: correct the function"
                raise InvalidDataError(msg) from error
        return value / self.at_most if value == value else math.inf

    @property
    def _function(self) -> Callable[[dict[str, Any]], Any] | None:
        profile = getattr(self.measure, "profile", None)
        found = profile if callable(profile) else self.measure
        return found if callable(found) else None

    @property
    def _name(self) -> str:
        return self.measure if isinstance(self.measure, str) else getattr(self.measure, "__name__", repr(self.measure))


def peak_memory(graph: ComputationGraph) -> int:
    """Bytes that inference on one example needs at least: parameters, and the results that are alive at once.

    Numbers of four bytes; operators run in the order of the graph, and a result lives until its last use. What a
    framework keeps beside is not counted.

    >>> from foretell.capture.builder import GraphBuilder
    >>> net = GraphBuilder()
    >>> peak_memory(net.graph(net.linear(net.input((8, 1, 1)), 2)))  # (8 2 + 2) weights, 8 in, 2 out
    112
    """
    sizes = [math.prod(node.out_shape) for node in graph.nodes]
    last = dict(enumerate(range(len(sizes))))
    for a, b in graph.edges.tolist():
        last[a] = max(last[a], b)
    alive, peak = 0, 0
    ends: dict[int, list[int]] = {}
    for i, size in enumerate(sizes):
        if graph.nodes[i].op == "Output":
            size = 0  # what it gives is its input
        alive += size
        peak = max(peak, alive)
        ends.setdefault(last[i], []).append(size)
        alive -= sum(ends.pop(i, []))
    return 4 * (graph.params + peak)


def _counted(measure: str, graph: ComputationGraph) -> float:
    return float(peak_memory(graph) if measure == "memory" else getattr(graph, measure))


def limits_of(given: Mapping[str, float] | Sequence[Limit]) -> tuple[Limit, ...]:
    """Limits given as such, or as a mapping such as `{"flops": 3e8}`.

    Raises:
        InvalidDataError: If one is no limit.
    """
    if isinstance(given, Mapping):
        return tuple(Limit(str(name), at_most) for name, at_most in given.items())
    if isinstance(given, str | Limit) or not all(isinstance(limit, Limit) for limit in given):
        msg = f"limits must be a mapping or a list of Limit, but got {given!r}: write e.g. {{'flops': 3e8}}"
        raise InvalidDataError(msg)
    return tuple(given)
