"""Columns of the networks that configurations make: each network encoded once, and found again by its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.candidate import Candidate
from foretell.encoders import Encoding, OperatorStatistics, SignalPropagation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.network_expectation import NetworkExpectation
    from foretell.search_memory import SearchMemory

_ENCODERS = (OperatorStatistics(("sizes", "attributes", "fewest", "soft", "entry", "first")), SignalPropagation())


def network_columns(
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None],
    memory: SearchMemory,
    configs: Sequence[Mapping[str, Value]],
    expectation: NetworkExpectation | None = None,
) -> Encoding:
    """What is seen of networks: sizes, operators, what signals do in them, and what is expected of them.

    Args:
        graph: The network of a configuration, None where it has none.
        memory: Where columns are found again; always asked with the same expectation.
        configs: Configurations, one row each.
        expectation: What weights that learnt on other networks expect of these; its columns come last.
    """
    graphs = [graph(c) for c in configs]
    digests = [g.digest if g is not None else "" for g in graphs]
    unknown = memory.unknown_networks(digests)
    new = {d: g for d, g in zip(digests, graphs, strict=True) if d in unknown}
    if new:
        fresh = Encoding.side_by_side([e.encode([Candidate(g) for g in new.values()]) for e in _ENCODERS])
        if expectation is not None and any(new.values()):
            fresh = Encoding.side_by_side(
                [fresh, expectation.read(fresh, next(g for g in new.values() if g is not None))]
            )
        memory.remember_networks(list(new), fresh)
    return memory.network_columns(digests)
