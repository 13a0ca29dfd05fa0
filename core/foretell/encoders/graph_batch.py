"""Many computation graphs as one, reduced to the operators that differ between networks, for encoders that sweep them.

Convolutions, poolings, matrix products and attention are operators here; all else only passes tensors on. A node that
passes on a single tensor (normalisation, activation, a sum that lost its other terms) is left out, so that a network of
250 nodes has some 80, and what remains between operators are the places where paths meet.

Notation: N nodes, E edges, K operator classes, F features, G graphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders.joined_graphs import JoinedGraphs, Step, steps
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, Int

    from foretell.graph import ComputationGraph

CLASSES = (
    "conv1", "conv3", "conv5+", "depthwise3", "depthwise5+", "dilated3", "dilated5+", "matmul", "attention",
    "max_pool", "avg_pool", "skip", "other",
)  # fmt: skip
"""Classes of operators, by position."""
_BY_NAME = {
    "Conv": 0, "ConvTranspose": 0, "Depthwise": 3, "MatMul": 7, "BatchMatMul": 7, "Rnn": 7, "Attention": 8,
    "MaxPool": 9, "AvgPool": 10, "Identity": 11, "Unknown": 12,
}  # fmt: skip

_SKIP = CLASSES.index("skip")


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """Reduced graphs side by side.

    Args:
        kind: Class of each node, N; -1 for inputs, outputs and places where paths meet.
        kernel: Larger side of each node's window, N.
        params: Parameters of each node, N.
        owner: Graph of each node, N.
        edges: Pairs (source, target), E x 2, source < target.
        size: Number of graphs.
        ends: Output nodes, each graph's next to each other.
    """

    kind: Int[np.ndarray, " N"]
    kernel: Int[np.ndarray, " N"]
    params: Int[np.ndarray, " N"]
    owner: Int[np.ndarray, " N"]
    edges: Int[np.ndarray, "E 2"]
    size: int
    ends: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, graphs: Sequence[ComputationGraph]) -> GraphBatch:
        """Join and reduce graphs."""
        joined = JoinedGraphs(graphs)
        edges, parents = joined.edges.astype(np.int64), joined.fan_in
        op = np.concatenate([g.op for g in graphs])
        kernel = np.concatenate([g.kernel for g in graphs]).max(axis=1)
        params = np.concatenate([g.node_params for g in graphs])
        dilation = np.concatenate([g.dilation for g in graphs]).max(axis=1)
        stride = np.concatenate([g.stride for g in graphs]).max(axis=1)
        kind = classes(op, kernel, dilation)
        source = np.isin(op, [operation("Input").id, operation("Unknown").id])  # of the unknown nothing is known
        kind[(kind == _SKIP) & (stride == 1) & ~_joins(edges, parents, source)] = -1
        is_end = (op == operation("Output").id) | (joined.fan_out == 0)
        passing = (kind < 0) & (parents == 1) & ~is_end
        behind = np.arange(len(op))
        into = passing[edges[:, 1]]
        behind[edges[into, 1]] = edges[into, 0]
        while not np.array_equal(behind, further := behind[behind]):
            behind = further
        position = np.cumsum(~passing) - 1
        kept = np.stack([position[behind[edges[~into, 0]]], position[edges[~into, 1]]], axis=1)
        return cls(
            kind[~passing],
            kernel[~passing],
            params[~passing],
            joined.owner[~passing],
            kept,
            len(graphs),
            position[np.flatnonzero(is_end)],
        )

    @cached_property
    def levels(self) -> Int[np.ndarray, " N"]:
        """Edges on the longest path from any source to each node."""
        level = [0] * len(self.kind)
        for source, target in self.edges[np.argsort(self.edges[:, 1], kind="stable")].tolist():
            level[target] = max(level[target], level[source] + 1)
        return np.array(level, dtype=np.int64)

    @cached_property
    def steps(self) -> list[Step]:
        """Arrivals of each level from 1 on."""
        return steps(self.edges, self.levels)

    @cached_property
    def reverse(self) -> GraphBatch:
        """The same with every edge turned round, and nodes and graphs in reverse order."""
        last = len(self.kind) - 1
        sources = np.flatnonzero(self.levels == 0)
        return GraphBatch(
            self.kind[::-1], self.kernel[::-1], self.params[::-1], self.size - 1 - self.owner[::-1],
            last - self.edges[:, ::-1], self.size, (last - sources)[::-1],
        )  # fmt: skip

    def sweep(self, own: Float[np.ndarray, "N F"], join: np.ufunc) -> Float[np.ndarray, "N F"]:
        """What each node has itself plus the `join` of what its parents have, from inputs to outputs."""
        value = own.astype(np.float64)
        for step in self.steps:
            value[step.heads] += step.join(value[step.source], join)
        return value

    def walk(self, own: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "N F"]:
        """As `sweep`, with the mean of what the parents have."""
        value = own.astype(np.float64)
        for step in self.steps:
            value[step.heads] += step.join(value[step.source]) / step.fan_in
        return value

    def at_ends(self, value: Float[np.ndarray, "N F"], join: np.ufunc) -> Float[np.ndarray, "G F"]:
        """One row a graph: the `join` of what its outputs have."""
        owner = self.owner[self.ends]
        first = np.searchsorted(owner, np.arange(self.size))
        found: np.ndarray = join.reduceat(value[self.ends], first)
        return found

    def total(self, value: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "G F"]:
        """One row a graph: the sum over its nodes."""
        return np.asarray(np.add.reduceat(value, np.searchsorted(self.owner, np.arange(self.size))))

    @cached_property
    def one_hot(self) -> Float[np.ndarray, "N K"]:
        """Class of each node."""
        return np.asarray(self.kind[:, None] == np.arange(len(CLASSES)), dtype=np.float64)

    @cached_property
    def feeding(self) -> Float[np.ndarray, "N K_plus_1"]:
        """What each node hands on by itself: its own class, in the last column `input`; nothing where paths meet."""
        source = (self.levels == 0) & (self.kind < 0)
        return np.concatenate([self.one_hot, source[:, None].astype(np.float64)], axis=1)

    @cached_property
    def fed(self) -> Float[np.ndarray, "N K_plus_1"]:
        """What each node takes as: its own class, in the last column `output`; as nothing where paths meet."""
        end = np.zeros((len(self.kind), 1))
        end[self.ends] = 1.0
        return np.concatenate([self.one_hot, end * (self.kind < 0)[:, None]], axis=1)

    @cached_property
    def feeds(self) -> Float[np.ndarray, "G K_plus_1 K_plus_1"]:
        """How often an operator of one class feeds one of another; where paths meet, all that arrives is handed on."""
        reach, arriving = self.feeding.copy(), np.zeros((len(self.kind), len(CLASSES) + 1))
        passes = self.kind < 0
        for step in self.steps:
            heads = step.heads
            arriving[heads] = step.join(reach[step.source])
            through = heads[passes[heads]]
            reach[through] = arriving[through]
        steps = (arriving[:, :, None] * self.fed[:, None, :]).reshape(len(arriving), -1)
        return self.total(steps).reshape(-1, len(CLASSES) + 1, len(CLASSES) + 1)


def _joins(
    edges: Int[np.ndarray, "E 2"], parents: Int[np.ndarray, " N"], source: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Which nodes read the input or several others, and are read by such nodes only as read several.

    An identity that does so changes what is summed; any other one is the same as no operator.
    """
    from_join = parents > 1
    from_join[edges[source[edges[:, 0]], 1]] = True
    unread = np.iinfo(np.int64).max
    fan = np.full(len(parents), unread)
    np.minimum.at(fan, edges[:, 0], parents[edges[:, 1]])
    return np.asarray(from_join & (fan > 1) & (fan < unread))


def classes(
    op: Int[np.ndarray, " N"], kernel: Int[np.ndarray, " N"], dilation: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Class of each node by operator id, largest window size and largest dilation; -1 where it is no operator here."""
    kinds = np.full(op.max() + 1, -1, dtype=np.int64)
    for name, k in _BY_NAME.items():
        if operation(name).id < len(kinds):
            kinds[operation(name).id] = k
    found: np.ndarray = kinds[op]
    windowed = np.isin(found, [0, 3])
    large = kernel > 3
    found = np.where(windowed & (dilation > 1) & (kernel > 1), np.where(large, 6, 5), found)
    found = np.where(found == 0, np.select([kernel <= 1, kernel <= 3], [0, 1], 2), found)
    return np.asarray(np.where(found == 3, np.where(large, 4, 3), found))
