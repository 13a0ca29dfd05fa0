"""What an operator gives when its input changes: shapes, parameters and FLOPs inferred again, or refused.

An operator keeps what its author chose (window, output channels, padding); sizes, parameters and FLOPs follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.compile.windows import padding
from foretell.errors import InvalidArchitectureError
from foretell.graph import Node

if TYPE_CHECKING:
    from foretell.graph import Shape

WINDOWED = frozenset({"Conv", "Depthwise", "MaxPool", "AvgPool"})
CHANNEL_MAKERS = frozenset({"Conv", "MatMul", "ConvTranspose"})
"""Operators that choose how many channels they give; all others follow their input."""
JOINS = frozenset({"Add", "Mul", "Sub", "Div", "Max", "Min"})
_KEEPERS = frozenset({
    "BatchNorm", "ReLU", "ReLU6", "Sigmoid", "Tanh", "Swish", "GELU", "HardSwish", "HardSigmoid", "LeakyReLU", "ELU",
    "Softplus", "Identity", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm", "Softmax",
})  # fmt: skip


@dataclass(slots=True)
class Step:
    """One node under edit: the node as it was, its sources in order, and its paddings."""

    node: Node
    sources: list[int]
    sides: tuple[int | None, int | None] = (None, None)


def inferred(step: Step, taken: Shape, sources: list[Node]) -> Node:
    """The node of a step that takes a shape from its first source.

    Args:
        step: Its node as it was, and its paddings.
        taken: What the first source gives, as the node takes it, see `reshaped`.
        sources: The nodes that feed it, the first one first.

    Raises:
        InvalidArchitectureError: If it does not fit there.
    """
    return _INFER.get(step.node.op, _fixed)(step.node, taken, sources, step)


def sides_of(node: Node) -> tuple[int | None, int | None]:
    """Paddings of a window in height and width, None where there is no window or its padding is unknown."""
    if node.op not in WINDOWED:
        return (None, None)
    half = node.op in {"MaxPool", "AvgPool"}
    found = [
        padding(*sizes, most=sizes[2] // 2 if half else None) if sizes[2] else None
        for sizes in zip(node.in_shape[1:], node.out_shape[1:], node.kernel, node.stride, node.dilation, strict=True)
    ]
    return (found[0], found[1])


def reshaped(node: Node, now: Shape, before: Shape) -> Shape:
    """What a node takes when its source gives `now` where it gave `before`."""
    if before == node.in_shape:
        return now
    if now == before:
        return node.in_shape
    if node.in_shape == (math.prod(before), 1, 1):
        return (math.prod(now), 1, 1)
    if node.in_shape == (before[0], before[1] * before[2], 1):
        return (now[0], now[1] * now[2], 1)
    msg = f"a reshape from {before} to {node.in_shape} cannot be repaired for {now}: edit elsewhere"
    raise InvalidArchitectureError(msg)


def _kept(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources, step
    if node.in_shape != node.out_shape:
        return _fixed(node, taken, [], Step(node, []))
    if node.params % node.in_shape[0] or (node.params and node.params // node.in_shape[0] > 2):
        return _fixed(node, taken, [], Step(node, []))
    scale = node.params // node.in_shape[0]
    if node.op == "LeakyReLU" and node.params == 1:
        return replace(node, in_shape=taken, out_shape=taken)
    return replace(node, in_shape=taken, out_shape=taken, params=scale * taken[0])


def _window(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources
    sizes = []
    for size, k, s, d, p, was, out in zip(
        taken[1:], node.kernel, node.stride, node.dilation, step.sides, node.in_shape[1:], node.out_shape[1:],
        strict=True,
    ):  # fmt: skip
        if p is None:
            if size != was:
                msg = f"a window of unknown padding cannot be repaired, but its input grew from {was} to {size}"
                raise InvalidArchitectureError(msg)
            sizes.append(out)
            continue
        reach = d * (k - 1)
        if size + 2 * p <= reach or p < 0:
            msg = f"a window must fit in its input, but {k} does not in {size}: take a smaller one"
            raise InvalidArchitectureError(msg)
        sizes.append((size + 2 * p - reach - 1) // s + 1)
    channels, groups = node.out_shape[0], node.groups
    if node.op == "Depthwise":
        if channels % node.in_shape[0]:
            msg = f"a depthwise convolution gives a multiple of its channels, but got {node.in_shape[0]} -> {channels}"
            raise InvalidArchitectureError(msg)
        channels, groups = channels // node.in_shape[0] * taken[0], taken[0]
    elif node.op != "Conv":
        channels = taken[0]
    shape = (channels, sizes[0], sizes[1])
    if node.op in {"MaxPool", "AvgPool"}:
        return replace(node, in_shape=taken, out_shape=shape)
    if taken[0] % groups or channels % groups:
        msg = f"groups must divide the channels, but got {groups} for {taken[0]} -> {channels}: scale by another factor"
        raise InvalidArchitectureError(msg)
    op = "Depthwise" if groups == taken[0] > 1 else "Conv"
    weights = channels * (taken[0] // groups) * math.prod(node.kernel)
    params = weights + channels * node.bias if node.params else 0
    flops = 2 * weights * sizes[0] * sizes[1]
    return replace(node, op=op, in_shape=taken, out_shape=shape, groups=groups, params=params, flops=flops)


def _linear(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources, step
    out = (node.out_shape[0], taken[1], taken[2])
    params = (taken[0] + node.bias) * out[0] if node.params else 0
    return replace(node, in_shape=taken, out_shape=out, params=params, flops=2 * taken[0] * math.prod(out))


def _mean(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources, step
    if node.out_shape != (node.in_shape[0], 1, 1):
        return _fixed(node, taken, [], Step(node, []))
    return replace(node, in_shape=taken, out_shape=(taken[0], 1, 1))


def _joined(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    if len(sources) == 1:
        return _fixed(node, taken, sources, step)
    shapes = [taken, *(s.out_shape for s in sources[1:])]
    out = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    equal = len(set(shapes)) == 1
    broadcasts = len(shapes) == 2 and all(s in {1, o} for shape in shapes for s, o in zip(shape, out, strict=True))
    if not equal and (not broadcasts or (node.in_shape == node.out_shape != taken == out and node.op == "Add")):
        msg = f"{node.op} needs inputs of one shape, but got {shapes}: change the others' widths too"
        raise InvalidArchitectureError(msg)
    if not equal and out[0] != taken[0]:
        msg = f"{node.op} must not widen its first input, but got {shapes}: change the others' widths too"
        raise InvalidArchitectureError(msg)
    return replace(node, in_shape=taken, out_shape=out)  # type: ignore[arg-type]


def _concatenated(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    if node.params or node.out_shape[1:] != node.in_shape[1:]:
        return _fixed(node, taken, sources, step)
    shapes = [taken, *(s.out_shape for s in sources[1:])]
    if len({shape[1:] for shape in shapes}) > 1:
        msg = f"a concatenation needs inputs of one height and width, but got {shapes}: change their strides together"
        raise InvalidArchitectureError(msg)
    return replace(node, in_shape=taken, out_shape=(sum(s[0] for s in shapes), *taken[1:]))


def _sliced(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    """A slice takes as many rows and columns away as before; its channels are all, or a number of its own."""
    del sources, step
    cut = [a - b for a, b in zip(node.in_shape, node.out_shape, strict=True)]
    if any(c < 0 for c in cut):
        return _fixed(node, taken, [], Step(node, []))
    channels = node.out_shape[0] if cut[0] else taken[0]
    out = (channels, taken[1] - cut[1], taken[2] - cut[2])
    if min(out) < 1 or channels > taken[0] or out == taken:
        msg = f"a slice must be a part of its input, but got {taken} -> {out}: change both widths"
        raise InvalidArchitectureError(msg)
    return replace(node, in_shape=taken, out_shape=out)


def _padded(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources, step
    grown = tuple(t + b - a for t, a, b in zip(taken, node.in_shape, node.out_shape, strict=True))
    return replace(node, in_shape=taken, out_shape=grown)  # type: ignore[arg-type]


def _fixed(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    del sources, step
    if taken != node.in_shape:
        msg = f"{node.op} cannot be repaired when its input changes from {node.in_shape} to {taken}: edit elsewhere"
        raise InvalidArchitectureError(msg)
    return node


def _output(node: Node, taken: Shape, sources: list[Node], step: Step) -> Node:
    """What a network gives stays."""
    del sources, step
    if taken != node.out_shape:
        msg = f"an edit must keep the output's shape, but got {taken} for {node.out_shape}: leave the last layer"
        raise InvalidArchitectureError(msg)
    return node


_INFER = {
    **dict.fromkeys(_KEEPERS, _kept), **dict.fromkeys(WINDOWED, _window), **dict.fromkeys(JOINS, _joined),
    "MatMul": _linear, "Mean": _mean, "Global": _mean, "Concat": _concatenated, "Slice": _sliced, "Pad": _padded,
    "Output": _output,
}  # fmt: skip
