"""Graphs in the vocabulary of GENNAPE's release: 32 operators, labelled by operator, resolution, kernel and bias.

For comparison with the paper (Mills et al., 2023, https://arxiv.org/abs/2211.17226) and for its settings; everything
else uses `ComputationGraph` as captured. A v1 graph is a `ComputationGraph` too, with all that v1 cannot say taken out,
so that two are equal when a Weisfeiler-Lehman refinement over these labels and directed edges cannot tell them apart.

What v1 cannot say: stride, dilation, groups, pool windows (they show as resolutions at most), parameters, FLOPs. Sums
keep the order in which they were written: `a + b + c` is two nodes.
"""

from __future__ import annotations

import ast
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from foretell.capture.meta_copy import meta_copy
from foretell.capture.module import capture_as_written
from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph, Node
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import torch

_LAST_ID = 31
_KERNEL_OPS = frozenset({"Conv", "Depthwise", "MatMul"})


def to_v1(graph: ComputationGraph) -> ComputationGraph:
    """What a graph looks like in the paper's vocabulary.

    `HardSwish` becomes `ReLU6` and `Mul`, `HardSigmoid` becomes `ReLU6`, a dilated convolution stands between
    `SpaceToBatch` and `BatchToSpace`, as TensorFlow writes them; other later operators become `Unknown`.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.nn.Hardswish())
    >>> to_v1(capture_as_written(net, torch.zeros(1, 3, 8, 8))).op_counts()
    {'Conv': 1, 'Input': 1, 'Mul': 1, 'Output': 1, 'ReLU6': 1}
    """
    nodes: list[Node] = []
    edges: list[tuple[int, int]] = []
    first: list[int] = []  # where a node's inputs go, by its old position
    last: list[int] = []  # where its output comes from
    skips: dict[int, int] = {}  # a second way in: the factor of a HardSwish
    for node in graph.nodes:
        parts = _parts(node)
        first.append(len(nodes))
        edges += [(len(nodes) + i, len(nodes) + i + 1) for i in range(len(parts) - 1)]
        nodes += parts
        last.append(len(nodes) - 1)
        if node.op == "HardSwish":
            skips[len(first) - 1] = len(nodes) - 1
    for a, b in graph.edges.tolist():
        edges.append((last[a], first[b]))
        if b in skips:
            edges.append((last[a], skips[b]))
    return ComputationGraph.from_nodes(nodes, edges)


def capture_v1(module: nn.Module, *example_inputs: torch.Tensor) -> ComputationGraph:
    """Capture a module as the paper would: `torch.nn.Identity` is an operator, and all else goes through `to_v1`.

    Raises:
        CaptureError: As `capture_module`.
    """
    twin = meta_copy(module)
    for path, sub in list(twin.named_modules()):
        if type(sub) is nn.Identity and path:
            twin.set_submodule(path, _Visible())
    return to_v1(capture_as_written(twin, *example_inputs))


def read_released(path: str | Path) -> ComputationGraph:
    """Read a graph that GENNAPE's authors released, as JSON with `nodes` and `edges`.

    A node holds `op_type_idx`, `resolution` (height in and out, width in and out, channels in and out) and, where it is
    weighted, `shape` (its last two numbers are the kernel) and `metadata` with `use_bias`.

    Raises:
        InvalidDataError: If the file is none.
        InvalidArchitectureError: If its graph has a cycle or a dangling edge.
    """
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        nodes = [_released_node(node) for node in stored["nodes"]]
        edges = [(int(a), int(b)) for a, b in stored["edges"]]
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        MemoryError,
        SyntaxError,
        RecursionError,
    ) as e:
        msg = f"a released graph must be JSON with `nodes` and `edges` in GENNAPE's format, but {path} is not ({e!r})"
        raise InvalidDataError(msg) from e
    return ComputationGraph.from_nodes(nodes, edges)


def graph_of_records(weighted: Sequence[Any], regular: Sequence[Any], edges: Iterable[Any]) -> ComputationGraph:
    """A graph from the fields of its nodes, as `read_released` and the release's own caches have them.

    Args:
        weighted: Fields of the nodes with weights, which come first.
        regular: Fields of the others.
        edges: Pairs of positions.

    Raises:
        InvalidArchitectureError: If they form no graph.
        TypeError: If a field has another type; likewise `ValueError`, `LookupError`.
    """
    nodes = [_released_node({**n, "kind": "weighted"}) for n in weighted]
    nodes += [_released_node({**n, "kind": "regular"}) for n in regular]
    return ComputationGraph.from_nodes(nodes, [(_position(a), _position(b)) for a, b in edges])


def _position(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"a position is a whole number, not {value!r}")
    return value


def completed(graph: ComputationGraph) -> ComputationGraph:
    """A v1 graph with what v1 does not say filled in, so that `foretell.compile` makes a network of it.

    Strides follow from the resolutions; a pooling has a window of 3, or of the whole tensor where it takes that away;
    `Depthwise` has a group a channel. Parameters and FLOPs follow. `to_v1` takes it all out again.

    >>> v1 = ComputationGraph.from_nodes(
    ...     [Node("Input", (3, 8, 8), (3, 8, 8)), Node("Conv", (3, 8, 8), (4, 4, 4), kernel=(3, 3)),
    ...      Node("Output", (4, 4, 4), (4, 4, 4))], [(0, 1), (1, 2)])
    >>> completed(v1).nodes[1].stride, completed(v1).params, to_v1(completed(v1)) == v1
    ((2, 2), 108, True)
    """
    return ComputationGraph.from_nodes([_completed(node) for node in graph.nodes], graph.edges.tolist())


def _completed(node: Node) -> Node:
    channels, out = node.in_shape[0], node.out_shape[0]
    if node.op == "BatchNorm":
        return replace(node, params=2 * channels)
    if node.op not in _KERNEL_OPS | {"MaxPool", "AvgPool"}:
        return node
    if node.op == "MatMul":
        return replace(node, kernel=(0, 0), params=(channels + node.bias) * out, flops=2 * channels * out)
    sizes = list(zip(node.in_shape[1:], node.out_shape[1:], strict=True))
    stride = (max(round(sizes[0][0] / sizes[0][1]), 1), max(round(sizes[1][0] / sizes[1][1]), 1))
    if node.op not in _KERNEL_OPS:
        high, wide = (3 if step < 3 else size for (size, _), step in zip(sizes, stride, strict=True))
        return replace(node, kernel=(high, wide), stride=stride)
    groups = channels if node.op == "Depthwise" else 1
    weights = out * (channels // groups) * math.prod(node.kernel)
    flops = 2 * weights * math.prod(node.out_shape[1:])
    return replace(node, stride=stride, groups=groups, params=weights + out * node.bias, flops=flops)


class _Visible(nn.Module):
    """An identity that leaves a call behind."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.positive()


def _parts(node: Node) -> list[Node]:
    """The v1 operators that stand for one of ours, in order."""
    plain = Node(node.op, node.in_shape, node.out_shape)
    if node.op == "HardSwish":
        return [replace(plain, op="ReLU6"), replace(plain, op="Mul")]
    if node.op == "HardSigmoid":
        return [replace(plain, op="ReLU6")]
    if operation(node.op).id > _LAST_ID:
        return [replace(plain, op="Unknown")]
    if node.op not in _KERNEL_OPS:
        return [plain]
    weighted = replace(plain, kernel=node.kernel, bias=node.bias)
    if max(node.dilation) == 1:
        return [weighted]
    return [
        Node("SpaceToBatch", node.in_shape, node.in_shape),
        weighted,
        Node("BatchToSpace", node.out_shape, node.out_shape),
    ]


def _released_node(stored: dict[str, Any]) -> Node:
    h_in, h_out, w_in, w_out, c_in, c_out = (int(v) for v in stored["resolution"])
    op = operation(int(stored["op_type_idx"])).name
    plain = Node(op, (c_in, h_in, w_in), (c_out, h_out, w_out))
    if stored["kind"] != "weighted":
        return plain
    k1, k2 = (int(v) for v in stored["shape"][-2:])
    metadata = stored.get("metadata") or {}
    if isinstance(metadata, str):
        metadata = ast.literal_eval(metadata)
    return replace(plain, kernel=(k1, k2), bias=bool(metadata.get("use_bias", False)))
