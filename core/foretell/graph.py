"""A neural network as a computation graph: a directed acyclic graph with one node a primitive operator.

The representation of GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226, section 3): nothing is
fused, weights are features of their node, edges carry no features and follow the forward pass.

Notation: N nodes, E edges. Shapes are (channels, height, width) without the batch; a vector has height =
width = 1, a sequence has height = length and width = 1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.errors import InvalidArchitectureError
from foretell.operations import OPERATIONS, VOCABULARY_VERSION, operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import networkx
    import torch
    from jaxtyping import Int
    from torch_geometric.data import Data

Shape = tuple[int, int, int]

_DTYPES: dict[str, tuple[Any, int]] = {  # field -> dtype, columns (0 = a vector)
    "op": (np.int16, 0),
    "in_shape": (np.int32, 3),
    "out_shape": (np.int32, 3),
    "kernel": (np.int16, 2),
    "stride": (np.int16, 2),
    "dilation": (np.int16, 2),
    "groups": (np.int32, 0),
    "bias": (np.bool_, 0),
    "node_params": (np.int64, 0),
    "node_flops": (np.int64, 0),
}
_LEAST = {"in_shape": 0, "out_shape": 0, "groups": 1, "node_params": 0, "node_flops": 0}


@dataclass(frozen=True, slots=True)
class Node:
    """One operator with all that is known of it.

    Attributes:
        op: Name of the operator, see `foretell.operations.OPERATIONS`.
        in_shape: Shape of the first input, (channels, height, width).
        out_shape: Shape of the output, likewise.
        kernel: Window of a convolution or pooling, (0, 0) where there is none.
        stride: Step of the window.
        dilation: Spacing of the window's taps.
        groups: Groups of a convolution.
        bias: Whether a weighted operator adds a bias.
        params: Trainable numbers held by the operator.
        flops: Floating point operations for one example, a multiply-add counted as two; convolutions, matrix
            products and attention count, all else is 0 (the rule of `torch.utils.flop_counter`).
    """

    op: str
    in_shape: Shape
    out_shape: Shape
    kernel: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool = False
    params: int = 0
    flops: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class ComputationGraph:
    """A whole network, array-backed, immutable, equal to another when they differ only in the order of nodes.

    Build one with `from_nodes`, `from_module` or a function of `foretell.capture`. Nodes are in topological
    order.

    Args:
        op: Operator ids, N.
        in_shape: Shape of each node's first input, N x 3.
        out_shape: Shape of each node's output, N x 3.
        kernel: Windows, N x 2.
        stride: Strides, N x 2.
        dilation: Dilations, N x 2.
        groups: Convolution groups, N.
        bias: Bias flags, N.
        node_params: Trainable parameters a node, N.
        node_flops: Floating point operations a node, N.
        edges: Pairs (source, target), E x 2, source < target.

    Raises:
        InvalidArchitectureError: If the arrays disagree, an operator is unknown, an edge dangles or points
            backwards.

    >>> g = ComputationGraph.from_nodes(
    ...     [Node("Input", (3, 8, 8), (3, 8, 8)), Node("ReLU", (3, 8, 8), (3, 8, 8)),
    ...      Node("Output", (3, 8, 8), (3, 8, 8))], [(0, 1), (1, 2)])
    >>> g
    ComputationGraph(nodes=3, edges=2, depth=2, params=0, flops=0, ops={Input: 1, Output: 1, ReLU: 1})
    """

    op: Int[np.ndarray, " N"]
    in_shape: Int[np.ndarray, "N 3"]
    out_shape: Int[np.ndarray, "N 3"]
    kernel: Int[np.ndarray, "N 2"]
    stride: Int[np.ndarray, "N 2"]
    dilation: Int[np.ndarray, "N 2"]
    groups: Int[np.ndarray, " N"]
    bias: Int[np.ndarray, " N"]
    node_params: Int[np.ndarray, " N"]
    node_flops: Int[np.ndarray, " N"]
    edges: Int[np.ndarray, "E 2"]

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(self.op))
        for name, (dtype, columns) in _DTYPES.items():
            self._freeze(name, dtype, (n, columns) if columns else (n,))
        self._freeze("edges", np.int32, (len(self.edges), 2))
        if n == 0:
            msg = "a computation graph needs at least one node, but got none: give an Input node"
            raise InvalidArchitectureError(msg)
        unknown = set(np.unique(self.op).tolist()) - {spec.id for spec in OPERATIONS.values()}
        if unknown:
            operation(min(unknown))  # raises our error with the remedy
        source, target = self.edges[:, 0], self.edges[:, 1]
        if len(source) and not (source.min() >= 0 and target.max() < n and bool((source < target).all())):
            wrong = self.edges[(source < 0) | (target >= n) | (source >= target)][0].tolist()
            msg = (
                f"an edge must join two existing nodes, the source before the target, but got {wrong} among "
                f"{n} "
                "nodes: give nodes in topological order, or use ComputationGraph.from_nodes, which sorts them"
            )
            raise InvalidArchitectureError(msg)
        for name, least in _LEAST.items():
            if int(getattr(self, name).min()) < least:
                msg = f"`{name}` must be >= {least}, but got {int(getattr(self, name).min())}: check that node"
                raise InvalidArchitectureError(msg)
        for name in ("node_params", "node_flops"):
            if float(getattr(self, name).sum(dtype=np.float64)) >= 2.0**63:
                msg = f"the sum of `{name}` must be below 2^63, but it is not: check the largest of its numbers"
                raise InvalidArchitectureError(msg)

    def _freeze(self, name: str, dtype: type, shape: tuple[int, ...]) -> None:
        given = np.asarray(getattr(self, name))
        if given.size == 0 and 0 in shape:
            given = given.reshape(shape)
        with np.errstate(invalid="ignore"):  # nan and infinity are found by the comparison below
            try:
                array: np.ndarray = given.astype(dtype, copy=given.flags.writeable or given.dtype != dtype)
            except (OverflowError, TypeError, ValueError):  # a number beyond 64 bits, or none at all
                array = np.zeros(0)
        if array.shape != shape or (given.dtype != dtype and not np.array_equal(array, given)):
            msg = (
                f"`{name}` must have shape {shape} and fit {np.dtype(dtype).name}, but got shape "
                f"{given.shape} of "
                f"{given.dtype}: give one row a node"
            )
            raise InvalidArchitectureError(msg)
        array.flags.writeable = False
        object.__setattr__(self, name, array)

    @classmethod
    def from_nodes(cls, nodes: Sequence[Node], edges: Iterable[tuple[int, int]]) -> ComputationGraph:
        """Build a graph from nodes in any order.

        Args:
            nodes: The operators.
            edges: Pairs (source, target) of positions in `nodes`.

        Raises:
            InvalidArchitectureError: If there is a cycle or an edge dangles.
        """
        pairs = sorted({(int(a), int(b)) for a, b in edges})
        order = _topological_order(len(nodes), pairs)
        position = {old: new for new, old in enumerate(order)}
        rows = [nodes[i] for i in order]
        return cls(
            op=np.array([operation(r.op).id for r in rows]),
            in_shape=np.array([r.in_shape for r in rows]),
            out_shape=np.array([r.out_shape for r in rows]),
            kernel=np.array([r.kernel for r in rows]),
            stride=np.array([r.stride for r in rows]),
            dilation=np.array([r.dilation for r in rows]),
            groups=np.array([r.groups for r in rows]),
            bias=np.array([r.bias for r in rows]),
            node_params=np.array([r.params for r in rows]),
            node_flops=np.array([r.flops for r in rows]),
            edges=np.array(sorted((position[a], position[b]) for a, b in pairs)).reshape(-1, 2),
        )

    @classmethod
    def from_module(
        cls, module: torch.nn.Module, *example_inputs: object, **example_kwargs: object
    ) -> ComputationGraph:
        """Capture a module's forward pass, see `foretell.capture.module.capture_module`."""
        from foretell.capture.module import capture_module

        return capture_module(module, *example_inputs, **example_kwargs)

    @classmethod
    def from_onnx(
        cls, source: str | Path | bytes, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> ComputationGraph:
        """Read an ONNX model, see `foretell.capture.onnx_file.read_onnx`."""
        from foretell.capture.onnx_file import read_onnx

        return read_onnx(source, shapes)

    @property
    def params(self) -> int:
        """Trainable parameters of the network."""
        return int(self.node_params.sum())

    @property
    def flops(self) -> int:
        """Floating point operations of one forward pass of one example, a multiply-add counted as two."""
        return int(self.node_flops.sum())

    @cached_property
    def levels(self) -> Int[np.ndarray, " N"]:
        """Edges on the longest path from any source to each node."""
        level = np.zeros(len(self), dtype=np.int32)
        for a, b in self.edges[np.argsort(self.edges[:, 1], kind="stable")].tolist():
            level[b] = max(level[b], level[a] + 1)
        level.flags.writeable = False
        return level

    @property
    def depth(self) -> int:
        """Edges on the longest path."""
        return int(self.levels.max())

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The operators, in topological order."""
        names = [operation(i).name for i in self.op.tolist()]
        columns = (getattr(self, field).tolist() for field in list(_DTYPES)[1:])
        return tuple(
            Node(name, *(tuple(v) if isinstance(v, list) else v for v in row))  # type: ignore[arg-type]
            for name, *row in zip(names, *columns, strict=True)
        )

    @cached_property
    def digest(self) -> str:
        """A 128-bit name, the same for graphs that differ only in the order of nodes, and on any machine.

        Two sweeps: every node is named by its features and the multiset of its inputs' names, then by that
        and the multiset of its consumers' names; the digest hashes the multiset of all names.
        """
        table = np.column_stack([getattr(self, name).reshape(len(self), -1) for name in _DTYPES]).astype("<i8")
        forward = _sweep([row.tobytes() for row in table], self.edges[:, 0], self.edges[:, 1])
        reverse = _sweep(forward[::-1], len(self) - 1 - self.edges[:, 1], len(self) - 1 - self.edges[:, 0])
        tail = f"v{VOCABULARY_VERSION}".encode()
        return hashlib.blake2b(b"".join(sorted(reverse)) + tail, digest_size=16).hexdigest()

    def op_counts(self) -> dict[str, int]:
        """How often each operator occurs, by name."""
        ids, counts = np.unique(self.op, return_counts=True)
        return dict(sorted((operation(i).name, c) for i, c in zip(ids.tolist(), counts.tolist(), strict=True)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The graph as named arrays, for `numpy.savez` or safetensors; `from_arrays` is the inverse."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ComputationGraph:
        """Rebuild a graph from `to_arrays`.

        Raises:
            InvalidArchitectureError: If an array is missing or wrong.
        """
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            msg = f"a stored graph needs the arrays {[f.name for f in fields(cls)]}, but {missing} are missing"
            raise InvalidArchitectureError(msg)
        return cls(**{field.name: np.asarray(arrays[field.name]) for field in fields(cls)})

    def to_networkx(self) -> networkx.DiGraph[int]:
        """The graph for networkx; node attributes are the fields of `Node`."""
        import networkx

        graph = networkx.DiGraph()
        for i, node in enumerate(self.nodes):
            graph.add_node(i, **{field.name: getattr(node, field.name) for field in fields(node)})
        graph.add_edges_from(map(tuple, self.edges.tolist()))
        return graph

    def to_pyg(self) -> Data:
        """The graph for PyTorch Geometric, see `foretell.pyg_data`; `from_pyg` is the inverse."""
        from foretell.pyg_data import to_pyg

        return to_pyg(self)

    @classmethod
    def from_pyg(cls, data: Data) -> ComputationGraph:
        """The graph that `to_pyg` made, see `foretell.pyg_data`."""
        from foretell.pyg_data import from_pyg

        return from_pyg(data)

    def features(self) -> np.ndarray:
        """Numeric node features, N x 16 float32.

        log2(1 + shapes) 6, kernel 2, stride 2, dilation 2, log2 groups, bias, log10(1 + params), log10(1 + flops).
        """
        return np.column_stack(
            [
                np.log2(1.0 + self.in_shape),
                np.log2(1.0 + self.out_shape),
                self.kernel,
                self.stride,
                self.dilation,
                np.log2(self.groups),
                self.bias,
                np.log10(1.0 + self.node_params),
                np.log10(1.0 + self.node_flops),
            ]
        ).astype(np.float32)

    def __len__(self) -> int:
        return len(self.op)

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, ComputationGraph) else NotImplemented

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)

    def __repr__(self) -> str:
        ops = ", ".join(f"{name}: {count}" for name, count in self.op_counts().items())
        return (
            f"ComputationGraph(nodes={len(self)}, edges={len(self.edges)}, depth={self.depth}, "
            f"params={self.params:_}, "
            f"flops={self.flops:_}, ops={{{ops}}})"
        )


def _topological_order(n: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Kahn's algorithm; ties keep the given order."""
    import heapq

    children: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for a, b in pairs:
        if not (0 <= a < n and 0 <= b < n):
            msg = f"an edge must join two existing nodes, but got ({a}, {b}) among {n} nodes: drop it or add the node"
            raise InvalidArchitectureError(msg)
        children[a].append(b)
        waiting[b] += 1
    ready = [i for i in range(n) if waiting[i] == 0]
    order = []
    while ready:
        order.append(heapq.heappop(ready))
        for child in children[order[-1]]:
            waiting[child] -= 1
            if waiting[child] == 0:
                heapq.heappush(ready, child)
    if len(order) < n:
        stuck = next(i for i in range(n) if waiting[i])
        msg = f"a computation graph must be acyclic, but node {stuck} lies on or behind a cycle: unroll the loop"
        raise InvalidArchitectureError(msg)
    return order


def _sweep(labels: Sequence[bytes], source: np.ndarray, target: np.ndarray) -> list[bytes]:
    """Name nodes by label and the multiset of their inputs' names; every source precedes its target."""
    inputs: list[list[int]] = [[] for _ in labels]
    for a, b in zip(source.tolist(), target.tolist(), strict=True):
        inputs[b].append(a)
    names: list[bytes] = []
    for label, parents in zip(labels, inputs, strict=True):
        joined = b"".join(sorted(names[p] for p in parents))
        names.append(hashlib.blake2b(label + b"|" + joined, digest_size=16).digest())
    return names
