"""Many graphs as the few different neighbourhoods that occur in them: what a message-passing network really computes.

After l rounds of message passing, two nodes have the same state if they have the same label and, l rounds back, the
same multisets of neighbours: they have the same colour of the Weisfeiler-Lehman refinement (Xu et al., 2019, "How
Powerful are Graph Neural Networks?", https://arxiv.org/abs/1810.00826, lemma 2). A network of nine equal cells, and a
benchmark of thousands that share a stem, repeat their colours by the dozen. So each is computed once, and the mean over
a graph's nodes is a mean of colours weighted by how often they occur. That is exact, gradients included, wherever
states are functions of colours. Dropout would break it between nodes, so its mask is drawn once a colour: all nodes of
one colour lose the same numbers in one view.

Notation: G graphs, L hops, U_l colours after l hops. Colours are named by 64-bit hashes: among ten million of them two
would be confused with a probability of 3 in a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from foretell.encoders.joined_graphs import JoinedGraphs, sweeps
from foretell.errors import InvalidDataError
from foretell.pretraining.check_folded import check_folded
from foretell.pretraining.mixed_bits import mixed_bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jaxtyping import Float, Int, UInt64

    from foretell.graph import ComputationGraph
    from foretell.pretraining.node_labels import NodeLabels

WAYS = ("forward", "backward")
"""Directions of messages: along the edges, and against them."""
STATISTICS = ("log10 FLOPs", "log10 parameters", "log2 nodes", "log2 depth")
"""What a mean over nodes cannot tell of a graph as a whole: each of 1 + the number, but for the nodes."""


@dataclass(frozen=True, eq=False)
class Hop:
    """One round: how colours after l hops are made of those after l - 1.

    Args:
        own: What each new colour was before, U_l.
        source: Senders among the old colours, by way, e each.
        target: Receivers among the new colours, by way, ascending.
        times: How often the receiver hears the sender, by way.
    """

    own: Int[np.ndarray, " U_l"]
    source: tuple[Int[np.ndarray, " e"], ...]
    target: tuple[Int[np.ndarray, " e"], ...]
    times: tuple[Float[np.ndarray, " e"], ...]


@dataclass(frozen=True, eq=False)
class FoldedGraphs:
    """Graphs as colours.

    Args:
        labels: Label of each colour before the first hop, U_0 x columns, see `node_labels`.
        hops: The rounds, L of them.
        owner: Graph of each entry of the pooling, k, ascending.
        colour: Colour after the last hop of each entry.
        share: Part of the graph's nodes that have it; sums to 1 a graph.
        size: G.
        keys: Names of the colours after 0 to L hops; what `join` recognises them by.
        statistics: Of each graph as a whole, see `STATISTICS`, G x 4.
    """

    labels: Int[np.ndarray, "U_0 columns"]
    hops: tuple[Hop, ...]
    owner: Int[np.ndarray, " k"]
    colour: Int[np.ndarray, " k"]
    share: Float[np.ndarray, " k"]
    size: int
    keys: tuple[UInt64[np.ndarray, " U"], ...]
    statistics: Float[np.ndarray, "G 4"]

    @classmethod
    def of(
        cls, graphs: Sequence[ComputationGraph], labels: NodeLabels, *, hops: int, ways: Sequence[str] = ("forward",)
    ) -> FoldedGraphs:
        """Fold graphs.

        Args:
            graphs: At least one.
            labels: What is told of a node.
            hops: Rounds of message passing.
            ways: Where messages go, of `WAYS`.

        Raises:
            InvalidDataError: If there is no graph, or a way is unknown.

        >>> from foretell.capture import nasbench201
        >>> from foretell.pretraining.node_labels import PaperLabels
        >>> graph = nasbench201.graph((2, 0, 2, 2, 3, 2))
        >>> len(graph), len(FoldedGraphs.of([graph], PaperLabels(), hops=2).keys[-1])
        (281, 57)
        """
        if not graphs or not ways or not set(ways) <= set(WAYS):
            msg = f"folding needs at least one graph, and ways among {WAYS}, but got {len(graphs)} and {ways}: add them"
            raise InvalidDataError(msg)
        read = [labels.rewrite(graph) for graph in graphs]
        return cls.join([unfolded(read[a:b], labels, hops=hops, ways=ways)._merged() for a, b in sweeps(read)])

    @classmethod
    def join(cls, parts: Sequence[FoldedGraphs]) -> FoldedGraphs:
        """The graphs of all parts, in order; colours that several have become one."""
        if len(parts) == 1:
            return parts[0]
        sizes = np.array([[len(k) for k in part.keys] for part in parts])
        shift = np.concatenate([np.zeros((1, sizes.shape[1]), dtype=np.int64), np.cumsum(sizes, axis=0)[:-1]])
        hops = []
        for i, rounds in enumerate(zip(*(part.hops for part in parts), strict=True)):
            old, new = shift[:, i], shift[:, i + 1]
            hops.append(
                Hop(
                    _concatenate(hop.own + s for hop, s in zip(rounds, old, strict=True)),
                    _each_way([tuple(a + s for a in hop.source) for hop, s in zip(rounds, old, strict=True)]),
                    _each_way([tuple(a + s for a in hop.target) for hop, s in zip(rounds, new, strict=True)]),
                    _each_way([hop.times for hop in rounds]),
                )
            )
        graphs = np.cumsum([0, *(part.size for part in parts)])
        return cls(
            np.concatenate([part.labels for part in parts]),
            tuple(hops),
            _concatenate(part.owner + s for part, s in zip(parts, graphs[:-1], strict=True)),
            _concatenate(part.colour + s for part, s in zip(parts, shift[:, -1], strict=True)),
            np.concatenate([part.share for part in parts]),
            int(graphs[-1]),
            _each_way([part.keys for part in parts]),
            np.concatenate([part.statistics for part in parts]),
        )._merged()

    def select(self, rows: Int[np.ndarray, " n"]) -> FoldedGraphs:
        """Some of the graphs, in the order of `rows`, with the colours that they need."""
        rows = np.asarray(rows)
        first = self._starts[0][rows]
        count = self._starts[0][rows + 1] - first
        entries = _ranges(first, count)
        kept, colour = _numbered_anew(self.colour[entries], len(self.keys[-1]))
        keys, hops = [self.keys[-1][kept]], []
        for i in range(len(self.hops) - 1, -1, -1):
            hop, new = self.hops[i], kept
            edges = []
            for starts in self._starts[1][i]:
                low = starts[new]
                n = starts[new + 1] - low
                edges.append((_ranges(low, n), np.repeat(np.arange(len(new)), n)))
            needed = [hop.own[new], *(s[where] for s, (where, _) in zip(hop.source, edges, strict=True))]
            kept, position = _numbered_anew(np.concatenate(needed), len(self.keys[i]))
            cuts = np.split(position, np.cumsum([len(part) for part in needed])[:-1])
            times = tuple(t[where] for t, (where, _) in zip(hop.times, edges, strict=True))
            hops.append(Hop(cuts[0], tuple(cuts[1:]), tuple(target for _, target in edges), times))
            keys.append(self.keys[i][kept])
        owner = np.repeat(np.arange(len(rows)), count)
        labels = self.labels[kept]
        return FoldedGraphs(
            labels, tuple(hops[::-1]), owner, colour, self.share[entries], len(rows), tuple(keys[::-1]),
            self.statistics[rows],
        )  # fmt: skip

    @cached_property
    def _starts(self) -> tuple[np.ndarray, list[list[np.ndarray]]]:
        """Where each graph's entries begin, and each colour's edges, by hop and way; one more for the end."""
        hops = zip(self.hops, self.keys[1:], strict=True)
        edges = [[np.searchsorted(target, np.arange(len(key) + 1)) for target in hop.target] for hop, key in hops]
        return np.searchsorted(self.owner, np.arange(self.size + 1)), edges

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All as named arrays, positions in 32 bits; `from_arrays` is the inverse."""
        arrays: dict[str, np.ndarray] = {"labels": self.labels, "size": np.array(self.size), "share": self.share}
        arrays["statistics"] = self.statistics
        arrays |= {"owner": self.owner.astype(np.uint32), "colour": self.colour.astype(np.uint32)}
        arrays |= {f"keys.{i}": key for i, key in enumerate(self.keys)}
        for i, hop in enumerate(self.hops):
            arrays[f"own.{i}"] = hop.own.astype(np.uint32)
            for w in range(len(hop.source)):
                arrays[f"source.{i}.{w}"] = hop.source[w].astype(np.uint32)
                arrays[f"target.{i}.{w}"] = hop.target[w].astype(np.uint32)
                arrays[f"times.{i}.{w}"] = hop.times[w]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Inverse of `to_arrays`.

        Raises:
            InvalidDataError: If an array is missing, of another type or size, or points to what is not there.
        """
        check_folded(arrays)
        n_hops = sum(name.startswith("own.") for name in arrays)
        n_ways = sum(name.startswith("source.0.") for name in arrays)
        hops = [
            Hop(
                arrays[f"own.{i}"].astype(np.int64),
                tuple(arrays[f"source.{i}.{w}"].astype(np.int64) for w in range(n_ways)),
                tuple(arrays[f"target.{i}.{w}"].astype(np.int64) for w in range(n_ways)),
                tuple(arrays[f"times.{i}.{w}"] for w in range(n_ways)),
            )
            for i in range(n_hops)
        ]
        return cls(
            arrays["labels"], tuple(hops), arrays["owner"].astype(np.int64), arrays["colour"].astype(np.int64),
            arrays["share"], int(arrays["size"].reshape(())), tuple(arrays[f"keys.{i}"] for i in range(n_hops + 1)),
            arrays["statistics"],
        )  # fmt: skip

    def _merged(self) -> FoldedGraphs:
        """The same with one colour a key."""
        old, first, position = _unique(self.keys[0])
        labels, keys, hops = self.labels[first], [old], []
        for hop, key in zip(self.hops, self.keys[1:], strict=True):
            new, first, place = _unique(key)
            chosen = np.zeros(len(key), dtype=bool)
            chosen[first] = True
            lists = []
            for source, target, times in zip(hop.source, hop.target, hop.times, strict=True):
                kept = chosen[target]
                pair = place[target[kept]] * len(keys[-1]) + position[source[kept]]
                pairs, which = np.unique(pair, return_inverse=True)
                summed = np.bincount(which, weights=times[kept], minlength=len(pairs)).astype(np.float32)
                lists.append((pairs % len(keys[-1]), pairs // len(keys[-1]), summed))
            hops.append(Hop(position[hop.own[first]], *(tuple(part) for part in zip(*lists, strict=True))))
            keys.append(new)
            position = place
        pair = self.owner * len(keys[-1]) + position[self.colour]
        pairs, which = np.unique(pair, return_inverse=True)
        share = np.bincount(which, weights=self.share, minlength=len(pairs)).astype(np.float32)
        owner, colour = np.divmod(pairs, len(keys[-1]))
        return FoldedGraphs(labels, tuple(hops), owner, colour, share, self.size, tuple(keys), self.statistics)


def unfolded(
    graphs: Sequence[ComputationGraph], labels: NodeLabels, *, hops: int, ways: Sequence[str] = ("forward",)
) -> FoldedGraphs:
    """The plain graphs in the same form, every node a colour of its own; what folding is tested against."""
    joined = JoinedGraphs(graphs)
    table = labels.table(graphs)
    n = len(table)
    key = np.zeros(n, dtype=np.uint64)
    for column in range(table.shape[1]):
        key = mixed_bits(key ^ table[:, column].astype(np.uint64), column)
    lists = []
    for way in ways:
        a, b = joined.edges.T if way == "forward" else joined.edges[:, ::-1].T
        order = np.argsort(b, kind="stable")
        lists.append((WAYS.index(way), a[order].astype(np.int64), b[order].astype(np.int64)))
    keys = [key]
    for _ in range(hops):
        heard = mixed_bits(key, 101)
        for number, source, target in lists:
            total = np.zeros(n, dtype=np.uint64)
            np.add.at(total, target, mixed_bits(key[source], 102 + number))  # a sum, so that order does not matter
            heard = mixed_bits(heard ^ mixed_bits(total, 104 + number), 106)
        key = heard
        keys.append(key)
    hop = Hop(
        np.arange(n),
        tuple(source for _, source, _ in lists),
        tuple(target for _, _, target in lists),
        tuple(np.ones(len(source), dtype=np.float32) for _, source, _ in lists),
    )
    share = (1.0 / joined.sizes)[joined.owner].astype(np.float32)
    statistics = np.array(
        [[np.log10(1.0 + g.flops), np.log10(1.0 + g.params), np.log2(len(g)), np.log2(1.0 + g.depth)] for g in graphs]
    )
    return FoldedGraphs(table, (hop,) * hops, joined.owner, np.arange(n), share, len(graphs), tuple(keys), statistics)


def _unique(keys: UInt64[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.unique(keys, return_index=True, return_inverse=True)


def _numbered_anew(values: Int[np.ndarray, " n"], size: int) -> tuple[np.ndarray, np.ndarray]:
    """As `np.unique` with its inverse, for whole numbers below `size`, without sorting."""
    there = np.zeros(size, dtype=bool)
    there[values] = True
    kept = np.flatnonzero(there)
    position = np.empty(size, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    return kept, position[values]


def _ranges(first: Int[np.ndarray, " n"], count: Int[np.ndarray, " n"]) -> Int[np.ndarray, " k"]:
    """first[0], first[0] + 1, ..., then first[1], ..., so many of each as `count` says."""
    return np.asarray(np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count))


def _concatenate(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(parts))


def _each_way(parts: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
