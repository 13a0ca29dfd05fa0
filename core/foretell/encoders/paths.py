"""Encoder of graphs: which sequences of operators lie on paths from input to output, and how often.

White, Neiswanger and Savani, 2021, "BANANAS: Bayesian Optimization with Neural Architectures for Neural
Architecture Search", https://arxiv.org/abs/1910.11858, section 3. For cells of up to about eight nodes, such as
`Family.cells` gives; on deep networks it tells which operators follow each other. `WeisfeilerLehman` sees how
branches meet, which paths do not.

Notation: G graphs, N nodes of all of them together, w walks in hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs, encode_graphs
from foretell.encoders.stable_hash import mix
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt64

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_WALKS = 64  # walks in hand a node of the graph, different ones; far above what any cell has


@dataclass(frozen=True)
class Paths:
    """log2(1 + how often) for every sequence of operator classes that a path shows, hashed.

    The sequences are all paths from a source to a sink of at most `length` nodes, which in a cell are all
    there are; and, where paths are longer, every stretch of `length` nodes of one. BANANAS says 1 where we say
    log2(1 + count), the same for one path, and drops long paths; it gives each sequence a column of its own,
    for which it must know the operators beforehand.

    Walks are counted, not listed: those with the same last node and the same sequence so far are one with a
    count. Where the different ones exceed 64 a node of their graph, longer stretches are given up and the
    graph is described by stretches of the length reached. Memory is so bounded for any graph.

    Args:
        length: Nodes of a sequence at most, input and output included; 7 is all of a NAS-Bench-101 cell.
        buckets: Columns; with m sequences about m^2 / 2b pairs share one.

    Raises:
        InvalidDataError: If the length is below 2 or there are no buckets.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> cells = [nasbench201.cells(spec)[0] for spec in ((2, 1, 2, 1, 2, 2), (2, 2, 1, 1, 3, 3))]
    >>> values = Paths().encode([Candidate(g) for g in cells]).values
    >>> [row[row > 0].round(2).tolist() for row in values]  # conv3 and conv3-conv3; conv3-conv1 twice
    [[1.0, 1.0], [1.58]]
    """

    name: ClassVar[str] = "paths"
    length: int = 7
    buckets: int = 512

    def __post_init__(self) -> None:
        if self.length < 2 or self.buckets < 1:
            msg = (
                "`length >= 2` and `buckets >= 1` must hold for a path encoding, but got "
                f"{self.length=}, {self.buckets=}: 7 and 512 suit cells"
            )
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        names = tuple(f"path {k}" for k in range(self.buckets))
        values = encode_graphs(candidates, self.buckets, self._log_counts)
        return Encoding(values, names, ("paths",) * self.buckets, np.ones(self.buckets, dtype=bool))

    def to_config(self) -> dict[str, object]:
        """Length and buckets."""
        return {"length": self.length, "buckets": self.buckets}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> Paths:
        """Inverse of `to_config`."""
        return cls(length=int(config["length"]), buckets=int(config["buckets"]))

    def _log_counts(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G buckets"]:
        joined = JoinedGraphs(graphs)
        counts = np.zeros(len(graphs) * self.buckets)
        for done in _sequences(joined, self.length):
            bucket = (mix(done.sequence, salt=1) % np.uint64(self.buckets)).astype(np.int64)
            counts += np.bincount(joined.owner[done.node] * self.buckets + bucket, done.count, len(counts))
        return np.log2(1.0 + counts).reshape(len(graphs), self.buckets)


@dataclass(frozen=True, eq=False)
class _Walks:
    """Walks, those that share all of this but the count being one.

    Args:
        node: Last node.
        sequence: Hash of the operator classes so far.
        whole: Whether the first node is a source.
        count: How many.
    """

    node: Int[np.ndarray, " w"]
    sequence: UInt64[np.ndarray, " w"]
    whole: Bool[np.ndarray, " w"]
    count: Float[np.ndarray, " w"]

    def __getitem__(self, rows: np.ndarray) -> _Walks:
        return _Walks(self.node[rows], self.sequence[rows], self.whole[rows], self.count[rows])

    def merged(self) -> _Walks:
        order = np.lexsort((self.sequence, self.node, self.whole))
        w = self[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(w.node) != 0) | (w.sequence[1:] != w.sequence[:-1]) | (w.whole[1:] != w.whole[:-1])
        first = np.flatnonzero(new)
        counts = np.add.reduceat(w.count, first) if len(first) else w.count
        return _Walks(w.node[first], w.sequence[first], w.whole[first], counts)


def _sequences(joined: JoinedGraphs, length: int) -> Iterator[_Walks]:
    """Whole paths of at most `length` nodes, and stretches of so many or as many as the bound allows."""
    n = len(joined.owner)
    by_source = joined.edges[np.argsort(joined.edges[:, 0], kind="stable"), 1]
    first_edge = np.cumsum(joined.fan_out) - joined.fan_out
    walks = _Walks(np.arange(n), mix(joined.class_hashes), joined.fan_in == 0, np.ones(n))
    for _ in range(length - 1):
        fan_out = joined.fan_out[walks.node]
        ended = walks.whole & (fan_out == 0)
        yield walks[ended]
        ahead = np.bincount(joined.owner[walks.node], fan_out, len(joined))
        given_up = (ahead > _WALKS * joined.sizes)[joined.owner[walks.node]]
        yield walks[given_up & ~ended]
        walks = walks[~given_up & (fan_out > 0)]
        fan_out = joined.fan_out[walks.node]
        row = np.repeat(np.arange(len(fan_out)), fan_out)
        within = np.arange(len(row)) - np.repeat(np.cumsum(fan_out) - fan_out, fan_out)
        node = by_source[first_edge[walks.node[row]] + within]
        sequence = mix(walks.sequence[row] + mix(joined.class_hashes[node], salt=2), salt=3)
        walks = _Walks(node, sequence, walks.whole[row], walks.count[row]).merged()
    yield walks
