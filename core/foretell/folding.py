"""Repeated blocks of a network folded into one copy and a number, so that a person can look at it.

Two stretches of operators are the same block when their operators have the same features and each takes its inputs
from the same distance back. Stretches that follow one another are folded when each hands its results to the next alone;
within one copy it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from jaxtyping import Int

_LEAST_SAVED = 3  # a fold that hides fewer operators than this takes more to read than it saves
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of operators that stands for several.

    Attributes:
        first: Its first node in the folded graph.
        last: Its last node, included.
        times: How often it follows itself in the network.
    """

    first: int
    last: int
    times: int


@dataclass(frozen=True, eq=False, slots=True)
class Folding:
    """A network with its repeated blocks folded.

    Attributes:
        graph: One copy of each block; its sums are those of what is left, not of the network.
        blocks: The blocks, an outer one before the ones inside it.
        place: Node of `graph` that each node of the network is or is a copy of.
    """

    graph: ComputationGraph
    blocks: tuple[Block, ...]
    place: Int[np.ndarray, " N"]

    @classmethod
    def none(cls, graph: ComputationGraph) -> Folding:
        """The network as it is."""
        return cls(graph, (), np.arange(len(graph)))


def fold(graph: ComputationGraph) -> Folding:
    """Fold the repeated blocks of a network.

    >>> from foretell.capture import nasbench201
    >>> folded = fold(nasbench201.graph((2, 0, 0, 2, 0, 2)))
    >>> len(nasbench201.graph((2, 0, 0, 2, 0, 2))), len(folded.graph), [block.times for block in folded.blocks]
    (191, 59, [5, 5, 5])
    """
    labels = _labels(graph)
    repeats: list[tuple[int, int, int]] = []
    if len(graph) <= _LONGEST:
        reach = np.arange(len(graph))  # the last node that takes what a node gives
        np.maximum.at(reach, graph.edges[:, 0], graph.edges[:, 1])
        _find(labels, reach, 0, len(graph), repeats)
    stands_for = np.arange(len(graph))
    for start, period, times in reversed(repeats):  # inner ones first: an outer one repeats what they did
        inside = stands_for[start : start + period].copy()
        for copy in range(1, times):
            stands_for[start + copy * period : start + (copy + 1) * period] = inside
    kept = np.flatnonzero(stands_for == np.arange(len(graph)))
    position = np.zeros(len(graph), dtype=np.int64)
    position[kept] = np.arange(len(kept))
    where = position[stands_for]
    edges = where[graph.edges]
    edges = np.unique(edges[edges[:, 0] < edges[:, 1]], axis=0)  # an edge from one copy to the next closes a loop
    arrays = {name: array[kept] for name, array in graph.to_arrays().items() if name != "edges"}
    blocks = [Block(int(where[a]), int(where[a : a + p].max()), times) for a, p, times in repeats]
    return Folding(ComputationGraph.from_arrays({**arrays, "edges": edges}), tuple(blocks), where)


def _labels(graph: ComputationGraph) -> np.ndarray:
    """A number for each node, the same for the same features and the same distances to its inputs."""
    table = np.column_stack([a.reshape(len(graph), -1) for k, a in graph.to_arrays().items() if k != "edges"])
    parents: list[list[int]] = [[] for _ in range(len(graph))]
    for source, target in graph.edges.tolist():
        parents[target].append(target - source)
    known: dict[tuple[bytes, tuple[int, ...]], int] = {}
    rows = zip(table.astype(np.int64), parents, strict=True)
    return np.array([known.setdefault((row.tobytes(), tuple(sorted(back))), len(known)) for row, back in rows])


def _find(labels: np.ndarray, reach: np.ndarray, start: int, stop: int, repeats: list[tuple[int, int, int]]) -> None:
    """Add (start, period, times) of the repeat that hides most, then look on both sides of it and inside."""
    best = (_LEAST_SAVED - 1, 0, 0)
    part = labels[start:stop]
    for period in range(1, len(part) // 2 + 1):
        same = np.concatenate([[False], part[:-period] == part[period:], [False]])
        change = np.flatnonzero(same[1:] != same[:-1])
        for begin, end in zip(change[::2].tolist(), change[1::2].tolist(), strict=True):
            hidden = (end - begin) // period * period
            if hidden <= best[0]:
                continue
            turns = range(start + begin, start + end - hidden + 1)  # where the first copy may begin
            first = next((i for i in turns if _hands_on(reach, i, period, hidden)), None)
            if first is not None:
                best = (hidden, first, period)
    hidden, begin, period = best
    if not period:
        return
    repeats.append((begin, period, hidden // period + 1))
    _find(labels, reach, begin, begin + period, repeats)
    _find(labels, reach, start, begin, repeats)
    _find(labels, reach, begin + hidden + period, stop, repeats)


def _hands_on(reach: np.ndarray, begin: int, period: int, hidden: int) -> bool:
    """Whether all copies but the last give what they make to themselves and the next copy alone."""
    copies = np.arange(hidden) // period
    return bool((reach[begin : begin + hidden] < begin + (copies + 2) * period).all())
