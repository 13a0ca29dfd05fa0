"""Many graphs as one that is not connected, so that an encoder sweeps over all of them at once.

Notation: G graphs, N nodes and E edges of all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from foretell.encoders.operator_class import operator_classes
from foretell.encoders.stable_hash import hash_text

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt64

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_NODES = 32_768  # nodes in one sweep: bounds memory, and is enough for the loops in Python not to matter


@dataclass(frozen=True, eq=False)
class JoinedGraphs:
    """The nodes of all graphs, one graph after the other, and their edges.

    Args:
        graphs: The graphs, at least one.

    >>> from foretell.capture import nasbench201
    >>> joined = JoinedGraphs([nasbench201.cells((0, 0, 0, 0, 0, 0))[0], nasbench201.cells((1, 1, 2, 1, 1, 1))[0]])
    >>> joined.sizes.tolist(), joined.owner.tolist(), joined.edges[-2:].tolist()
    ([8, 3], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], [[8, 9], [9, 10]])
    """

    graphs: Sequence[ComputationGraph]

    def __len__(self) -> int:
        return len(self.graphs)

    @cached_property
    def sizes(self) -> Int[np.ndarray, " G"]:
        """Nodes of each graph."""
        return np.array([len(g) for g in self.graphs])

    @cached_property
    def starts(self) -> Int[np.ndarray, " G"]:
        """Where each graph's nodes begin."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def owner(self) -> Int[np.ndarray, " N"]:
        """The graph of each node."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @cached_property
    def edges(self) -> Int[np.ndarray, "E 2"]:
        """Pairs (source, target)."""
        shift = np.repeat(self.starts, [len(g.edges) for g in self.graphs])
        return np.asarray(np.concatenate([g.edges for g in self.graphs]) + shift[:, None])

    @cached_property
    def levels(self) -> Int[np.ndarray, " N"]:
        """Edges on the longest path from any source to each node."""
        return np.concatenate([g.levels for g in self.graphs])

    @cached_property
    def fan_in(self) -> Int[np.ndarray, " N"]:
        """How many edges arrive at each node."""
        return np.bincount(self.edges[:, 1], minlength=len(self.owner))

    @cached_property
    def fan_out(self) -> Int[np.ndarray, " N"]:
        """How many edges leave each node."""
        return np.bincount(self.edges[:, 0], minlength=len(self.owner))

    @cached_property
    def classes(self) -> tuple[tuple[str, ...], Int[np.ndarray, " N"]]:
        """The operator classes that occur, and the position of each node's among them."""
        return operator_classes(self.graphs)

    @cached_property
    def class_hashes(self) -> UInt64[np.ndarray, " N"]:
        """The hash of each node's operator class."""
        texts, index = self.classes
        return np.asarray(np.array([hash_text(text) for text in texts], dtype=np.uint64)[index])


class Step(NamedTuple):
    """The edges that arrive at one level.

    Attributes:
        source: Where they come from, in the order of their targets.
        heads: The targets.
        first: Where each target's edges begin.
        fan_in: How many each target has, one row a target.
    """

    source: Int[np.ndarray, " e"]
    heads: Int[np.ndarray, " h"]
    first: Int[np.ndarray, " h"]
    fan_in: Int[np.ndarray, "h 1"]

    def join(self, values: np.ndarray, ufunc: np.ufunc = np.add) -> np.ndarray:
        """Sum, or what another function makes, over the edges of each target; most levels have an edge for each."""
        return values if len(self.heads) == len(self.source) else np.asarray(ufunc.reduceat(values, self.first))


def steps(edges: Int[np.ndarray, "E 2"], levels: Int[np.ndarray, " N"]) -> list[Step]:
    """The levels at which edges arrive, in order; an edge leads to a higher level.

    >>> [(s.source.tolist(), s.heads.tolist()) for s in steps(np.array([[0, 1], [1, 2], [0, 2]]), np.arange(3))]
    [([0], [1]), ([1, 0], [2])]
    """
    if not len(edges):
        return []
    level = levels[edges[:, 1]]
    order = np.lexsort((edges[:, 1], level))
    source, target, level = edges[order, 0], edges[order, 1], level[order]
    first = np.flatnonzero(np.diff(target, prepend=-1))
    heads, fan_in = target[first], np.diff(first, append=len(target))[:, None]
    own = np.flatnonzero(np.diff(level[first], prepend=-1))  # where each level's heads begin
    found = []
    for low, high in pairwise([*own.tolist(), len(first)]):
        begin, end = first[low], first[high] if high < len(first) else len(target)
        found.append(Step(source[begin:end], heads[low:high], first[low:high] - begin, fan_in[low:high]))
    return found


def sweeps(graphs: Sequence[ComputationGraph]) -> Iterator[tuple[int, int]]:
    """Cut a list of graphs into runs [low, high) that fit one sweep; a graph that is too large is alone."""
    if not graphs:
        return iter(())
    cuts = np.flatnonzero(np.diff((np.cumsum([len(g) for g in graphs]) - 1) // _NODES)) + 1
    return pairwise([0, *cuts.tolist(), len(graphs)])


def encode_graphs(
    candidates: Sequence[Candidate],
    columns: int,
    encode: Callable[[Sequence[ComputationGraph]], Float[np.ndarray, "graphs columns"]],
) -> Float[np.ndarray, "candidates columns"]:
    """Encode the graphs of candidates sweep by sweep; a candidate without one is `nan`."""
    values = np.full((len(candidates), columns), np.nan)
    rows = [i for i, c in enumerate(candidates) if c.graph is not None]
    graphs = [g for i in rows if (g := candidates[i].graph) is not None]
    for low, high in sweeps(graphs):
        values[rows[low:high]] = encode(graphs[low:high])
    return values
