"""A small language for writing whole networks as computation graphs, shapes, parameters and FLOPs included.

The cell builders (`foretell.capture.nasbench101` and its siblings) use it instead of capturing a module: it
allocates nothing and takes well under a millisecond for a network of three hundred operators. Equal operators
share one row, and a cell that repeats is copied, not written again.

>>> net = GraphBuilder()
>>> x = net.relu(net.batch_norm(net.conv(net.input((3, 8, 8)), 16, 3)))
>>> net.graph(net.linear(net.mean(x), 10)).params
634
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.capture.sums import merge_sums
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import Shape

_COLUMNS: dict[str, int | slice] = {  # field of ComputationGraph -> its columns in a row
    "op": 0,
    "in_shape": slice(1, 4),
    "out_shape": slice(4, 7),
    "kernel": slice(7, 9),
    "stride": slice(9, 11),
    "dilation": slice(11, 13),
    "groups": 13,
    "bias": 14,
    "node_params": 15,
    "node_flops": 16,
}


class GraphBuilder:
    """Writes one network operator by operator; every method returns the new operator's handle.

    Windows are padded so that the output's height and width are the input's divided by the stride, rounded
    up. As in a captured module, a skip connection is an edge and no node: hand its source on.
    """

    def __init__(self) -> None:
        self._ids: list[int] = []  # the row of each node
        self._shapes: list[Shape] = []  # what each node gives
        self._rows: dict[tuple[int, ...], int] = {}
        self._edges: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._ids)

    def shape(self, source: int) -> Shape:
        """Shape of a handle's output, (channels, height, width)."""
        return self._shapes[source]

    def input(self, shape: Shape) -> int:
        """The network's input."""
        return self._node("Input", (), shape, shape)

    def conv(
        self,
        source: int,
        channels: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> int:
        """A convolution to `channels`; with a group for each channel it is a `Depthwise` one."""
        c, h, w = self._shapes[source]
        if c % groups or channels % groups or channels < 1:
            msg = (
                f"groups must divide the channels on both sides, but got {groups} for {c} -> {channels} "
                "channels: choose a common divisor"
            )
            raise InvalidArchitectureError(msg)
        out = (channels, -(-h // stride), -(-w // stride))
        weights = channels * (c // groups) * kernel * kernel
        op = "Depthwise" if groups == c > 1 else "Conv"
        window = (kernel, kernel, stride, stride, dilation, dilation, groups, int(bias))
        params = weights + channels * bias
        return self._node(op, (source,), (c, h, w), out, window, params, 2 * weights * out[1] * out[2])

    def conv_transpose(self, source: int, channels: int, kernel: int, *, stride: int = 2) -> int:
        """A transposed convolution with bias, whose output is `stride` times as high and wide."""
        c, h, w = self._shapes[source]
        out = (channels, h * stride, w * stride)
        weights = c * channels * kernel * kernel
        window = (kernel, kernel, stride, stride, 1, 1, 1, 1)
        return self._node("ConvTranspose", (source,), (c, h, w), out, window, weights + channels, 2 * weights * h * w)

    def linear(self, source: int, features: int) -> int:
        """A matrix product with bias over a vector."""
        shape = self._shapes[source]
        c = shape[0]
        window = (0, 0, 1, 1, 1, 1, 1, 1)
        return self._node("MatMul", (source,), shape, (features, 1, 1), window, (c + 1) * features, 2 * c * features)

    def batch_norm(self, source: int) -> int:
        """Batch normalisation with scale and shift."""
        shape = self._shapes[source]
        return self._node("BatchNorm", (source,), shape, shape, params=2 * shape[0])

    def relu(self, source: int) -> int:
        """Rectifier."""
        return self._activation("ReLU", source)

    def leaky_relu(self, source: int) -> int:
        """Rectifier that lets a little of what is negative through."""
        return self._activation("LeakyReLU", source)

    def tanh(self, source: int) -> int:
        """Hyperbolic tangent."""
        return self._activation("Tanh", source)

    def hard_swish(self, source: int) -> int:
        """The product x relu6(x + 3) / 6 in one operator, as `torch.nn.Hardswish` is."""
        return self._activation("HardSwish", source)

    def hard_sigmoid(self, source: int) -> int:
        """The gate relu6(x + 3) / 6 in one operator, as `torch.nn.Hardsigmoid` is."""
        return self._activation("HardSigmoid", source)

    def max_pool(self, source: int, kernel: int = 3, stride: int = 1) -> int:
        """Maximum over a window."""
        return self._pool("MaxPool", source, kernel, stride)

    def avg_pool(self, source: int, kernel: int = 3, stride: int = 1) -> int:
        """Mean over a window."""
        return self._pool("AvgPool", source, kernel, stride)

    def mean(self, source: int) -> int:
        """Global average pooling to a vector."""
        shape = self._shapes[source]
        return self._node("Mean", (source,), shape, (shape[0], 1, 1))

    def slice(self, source: int, shape: Shape) -> int:
        """A part of a tensor: fewer channels, or a border cut off."""
        return self._node("Slice", (source,), self._shapes[source], shape)

    def pad(self, source: int, shape: Shape) -> int:
        """A tensor with a border of zeros."""
        return self._node("Pad", (source,), self._shapes[source], shape)

    def zero(self, source: int, shape: Shape) -> int:
        """Zeros of a shape, where a cell has no path; the edge keeps the network in one piece."""
        return self._node("Zero", (source,), self._shapes[source], shape)

    def add(self, sources: Sequence[int]) -> int:
        """Sum of equal shapes, one node for any number; a source counts once, a single one is handed back."""
        sources = list(dict.fromkeys(sources))
        if len(sources) == 1:
            return sources[0]
        shapes = {self._shapes[s] for s in sources}
        if len(shapes) != 1:
            msg = f"`add` needs sources of one shape, but got {sorted(shapes)}: project or slice them first"
            raise InvalidArchitectureError(msg)
        shape = shapes.pop()
        return self._node("Add", sources, shape, shape)

    def beside_others(self, source: int, times: int) -> int:
        """Channels beside those of the other inputs that pass through the same network, `times` in all."""
        c, h, w = self._shapes[source]
        return self._node("Concat", (source,), (c, h, w), (c * times, h, w))

    def concat(self, sources: Sequence[int]) -> int:
        """Channels side by side, one node for any number; a single source is handed back."""
        if len(sources) == 1:
            return sources[0]
        shapes = [self._shapes[s] for s in sources]
        if len({shape[1:] for shape in shapes}) != 1:
            msg = f"`concat` needs sources of one height and width, but got {shapes}: pool or slice them first"
            raise InvalidArchitectureError(msg)
        return self._node("Concat", sources, shapes[0], (sum(shape[0] for shape in shapes), *shapes[0][1:]))

    def scale(self, source: int, gate: int) -> int:
        """Each channel of `source` times its number in the vector `gate`."""
        shape = self._shapes[source]
        if self._shapes[gate] != (shape[0], 1, 1):
            msg = (
                f"a gate needs one number for each of {shape[0]} channels, but got shape {self._shapes[gate]}: "
                "pool it, and project it to these channels"
            )
            raise InvalidArchitectureError(msg)
        return self._node("Mul", (source, gate), shape, shape)

    def conv_bn_relu(self, source: int, channels: int, kernel: int) -> int:
        """Convolution, normalisation, rectifier."""
        return self.relu(self.batch_norm(self.conv(source, channels, kernel)))

    def relu_conv_bn(self, source: int, channels: int, kernel: int, stride: int = 1) -> int:
        """Rectifier, convolution, normalisation."""
        return self.batch_norm(self.conv(self.relu(source), channels, kernel, stride=stride))

    def repeat(self, start: int, entry: int, last: int, times: int) -> int:
        """Append copies of the cell made of nodes `start` onwards, each fed by the one before.

        Args:
            start: First node of the cell, which is the last one written so far.
            entry: The cell's only source outside itself.
            last: The cell's result, of the same shape as `entry`'s.
            times: Number of copies.

        Returns:
            The result of the last copy.
        """
        if self._shapes[entry] != self._shapes[last]:
            msg = (
                f"a cell that repeats must give the shape that it takes, but got {self._shapes[entry]} -> "
                f"{self._shapes[last]}: write the first cell of a stage by itself"
            )
            raise InvalidArchitectureError(msg)
        size = len(self._ids) - start
        if last < start:  # the cell is empty: its result is its entry
            return last
        inner = [(a, b) for a, b in self._edges if b >= start]
        ids, shapes = self._ids[start:], self._shapes[start:]
        before = last
        for shift in range(size, (times + 1) * size, size):
            self._ids += ids
            self._shapes += shapes
            self._edges += [(a + shift if a >= start else before, b + shift) for a, b in inner]
            before = last + shift
        return before

    def graph(self, result: int) -> ComputationGraph:
        """End the network at `result`."""
        shape = self._shapes[result]
        self._node("Output", (result,), shape, shape)
        table = np.array(list(self._rows), dtype=np.int64)[self._ids]
        columns = {name: table[..., where] for name, where in _COLUMNS.items()}
        return merge_sums(ComputationGraph(**columns, edges=np.array(self._edges, dtype=np.int32)))

    def _activation(self, op: str, source: int) -> int:
        shape = self._shapes[source]
        return self._node(op, (source,), shape, shape)

    def _pool(self, op: str, source: int, kernel: int, stride: int) -> int:
        c, h, w = self._shapes[source]
        window = (kernel, kernel, stride, stride, 1, 1, 1, 0)
        return self._node(op, (source,), (c, h, w), (c, -(-h // stride), -(-w // stride)), window)

    def _node(
        self,
        op: str,
        sources: Sequence[int],
        in_shape: Shape,
        out_shape: Shape,
        window: tuple[int, ...] = (0, 0, 1, 1, 1, 1, 1, 0),
        params: int = 0,
        flops: int = 0,
    ) -> int:
        row = (operation(op).id, *in_shape, *out_shape, *window, params, flops)
        here = len(self._ids)
        self._ids.append(self._rows.setdefault(row, len(self._rows)))
        self._shapes.append(out_shape)
        self._edges += [(source, here) for source in sources]
        return here
