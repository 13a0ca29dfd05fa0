"""NAS-Bench-201 cells (Dong and Yang, 2020, https://arxiv.org/abs/2001.00326) as whole networks.

The network: a 3x3 convolution to 16 channels, three stages of five cells with a residual block of stride 2
between them, normalisation, rectifier, global average pooling, a linear layer. A cell has four nodes, each
the sum of what its incoming edges make of the earlier nodes; an edge is one of five operators.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from foretell.capture.builder import GraphBuilder
from foretell.capture.cell_graph import cell_node, cell_of_edges
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import ComputationGraph, Shape

OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""The operators of an edge; their positions are the digits of a specification."""
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""The (source, target) of each digit of a specification."""

_NODES = {
    "skip_connect": cell_node("Identity"),
    "nor_conv_3x3": cell_node("Conv", 3),
    "nor_conv_1x1": cell_node("Conv", 1),
    "avg_pool_3x3": cell_node("AvgPool", 3),
}


def graph(
    spec: str | Sequence[int],
    *,
    channels: int = 16,
    cells: int = 5,
    classes: int = 10,
    image: Shape = (3, 32, 32),
) -> ComputationGraph:
    """The network of one cell.

    Edges that are `none`, and nodes that are on no path from input to output, are left out with their
    weights; the benchmark's own parameter count includes such weights.

    Args:
        spec: The benchmark's string, such as `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|...|`, or six
            positions in `OPERATIONS`, in the order of `EDGES`.
        channels: Channels of the first stage.
        cells: Cells a stage.
        classes: Outputs of the classifier: 10, 100 or 120 in the benchmark.
        image: Channels, height and width of what enters.

    Returns:
        The graph. Where no path leads through the cell, each cell is a `Zero` operator.

    Raises:
        InvalidArchitectureError: If the specification is not of either form.

    >>> graph((0, 0, 0, 0, 0, 0)).params
    73306
    """
    digits = parse(spec)
    net = GraphBuilder()
    x = net.batch_norm(net.conv(net.input(image), channels, 3))
    for stage in range(3):
        if stage:
            channels *= 2
            x = _residual(net, x, channels)
        start, entry = len(net), x
        x = net.repeat(start, entry, _cell(net, entry, digits), cells - 1)
    x = net.mean(net.relu(net.batch_norm(x)))
    return net.graph(net.linear(x, classes))


def cells(spec: str | Sequence[int]) -> tuple[ComputationGraph, ...]:
    """The cell alone, see `foretell.capture.cell_graph`: a node a live edge, a skip connection `Identity`.

    Raises:
        InvalidArchitectureError: As `graph`.

    >>> cells((2, 1, 0, 1, 4, 3))[0].op_counts()
    {'AvgPool': 1, 'Conv': 1, 'Identity': 1, 'Input': 1, 'Output': 1}
    """
    digits = parse(spec)
    return (cell_of_edges([(*EDGES[i], _NODES[OPERATIONS[digits[i]]]) for i in live_edges(digits)], last=3),)


def parse(spec: str | Sequence[int]) -> tuple[int, ...]:
    """Read a specification as six positions in `OPERATIONS`, in the order of `EDGES`.

    Raises:
        InvalidArchitectureError: If it is neither the benchmark's string nor six such positions.

    >>> parse("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|none~1|skip_connect~2|")
    (4, 3, 3, 0, 1, 0)
    """
    if isinstance(spec, str):
        found = {
            (int(source), target): op
            for target, node in enumerate(spec.split("+"), start=1)
            for op, source in re.findall(r"(\w+)~(\d)", node)
        }
        if set(found) == set(EDGES) and set(found.values()) <= set(OPERATIONS):
            return tuple(OPERATIONS.index(found[edge]) for edge in EDGES)
    elif len(spec) == len(EDGES) and all(0 <= int(digit) < len(OPERATIONS) for digit in spec):
        return tuple(int(digit) for digit in spec)
    msg = (
        f"a NAS-Bench-201 cell must be `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|` with operators of {OPERATIONS}, "
        f"or six positions in that list, but got {spec!r}: correct the edge that differs"
    )
    raise InvalidArchitectureError(msg)


def sample(rng: np.random.Generator) -> tuple[int, ...]:
    """Six positions in `OPERATIONS`, uniformly drawn from all 15,625 cells."""
    return tuple(rng.integers(len(OPERATIONS), size=len(EDGES)).tolist())


def live_edges(digits: Sequence[int]) -> list[int]:
    """Positions in `EDGES` of the edges on some path from input to output.

    >>> live_edges((0, 1, 1, 1, 2, 3))
    [0, 4]
    """
    ahead, back = {0}, {3}
    real = [i for i, digit in enumerate(digits) if OPERATIONS[digit] != "none"]
    for i in real:  # EDGES is sorted by source, so one pass in this order and one in reverse suffice
        if EDGES[i][0] in ahead:
            ahead.add(EDGES[i][1])
    for i in reversed(real):
        if EDGES[i][1] in back:
            back.add(EDGES[i][0])
    return [i for i in real if EDGES[i][0] in ahead and EDGES[i][1] in back]


def _cell(net: GraphBuilder, entry: int, digits: Sequence[int]) -> int:
    shape = net.shape(entry)
    live = live_edges(digits)
    if not live:
        return net.zero(entry, shape)
    made = {0: entry}
    for node in (1, 2, 3):
        incoming = []
        for i in live:
            source, target = EDGES[i]
            if target != node:
                continue
            op = OPERATIONS[digits[i]]
            if op == "skip_connect":
                incoming.append(made[source])
            elif op == "avg_pool_3x3":
                incoming.append(net.avg_pool(made[source]))
            else:
                incoming.append(net.relu_conv_bn(made[source], shape[0], 3 if op == "nor_conv_3x3" else 1))
        if incoming:
            made[node] = net.add(incoming)
    return made[3]


def _residual(net: GraphBuilder, entry: int, channels: int) -> int:
    deep = net.relu_conv_bn(net.relu_conv_bn(entry, channels, 3, stride=2), channels, 3)
    return net.add([net.conv(net.avg_pool(entry, 2, 2), channels, 1), deep])
