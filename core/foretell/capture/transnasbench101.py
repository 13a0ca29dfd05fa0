"""TransNAS-Bench-101 micro cells (Duan et al., 2021, https://arxiv.org/abs/2105.11871) as whole networks.

The network: two 3x3 convolutions of stride 2 to 64 channels, five modules of two cells, global average
pooling, a linear layer. Modules 1, 3 and 5 double the channels and halve the size in their first cell. A cell
is one of NAS-Bench-201 without pooling; edges that leave its input carry the stride.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.capture import nasbench201
from foretell.capture.builder import GraphBuilder
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import ComputationGraph

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
"""The operators of an edge; their positions are the digits of a specification."""
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The (source, target) of each digit: ordered by target, unlike `foretell.capture.nasbench201.EDGES`."""


def graph(
    spec: str | Sequence[int],
    *,
    channels: int = 64,
    modules: str = "41414",
    classes: int = 75,
    size: int = 256,
) -> ComputationGraph:
    """The classification network of one micro cell.

    Edges that are `none`, and nodes that are on no path from input to output, are left out with their
    weights.

    Args:
        spec: The benchmark's string, such as `64-41414-1_33_220`, or six positions in `OPERATIONS`, in the
            order of `EDGES`.
        channels: Channels of the stem.
        modules: A digit a module: 1 keeps shape, 2 doubles channels, 3 halves the size, 4 does both.
        classes: Outputs of the classifier; the same for all cells, so that it changes no ranking.
        size: Height and width of the RGB image.

    Returns:
        The graph. Where no path leads through the cell, each cell is a `Zero` operator.

    Raises:
        InvalidArchitectureError: If the specification is not of either form.

    >>> graph("64-41414-3_33_333").params > graph((2, 2, 2, 2, 2, 2)).params
    True
    """
    net = GraphBuilder()
    return net.graph(net.linear(net.mean(body(net, spec, channels=channels, modules=modules, size=size)), classes))


def body(
    net: GraphBuilder, spec: str | Sequence[int], *, channels: int = 64, modules: str = "41414", size: int = 256
) -> int:
    """Write all that comes before a task's head, see `graph`; returns the handle of its features."""
    digits = parse(spec)
    x = net.batch_norm(net.conv(net.input((3, size, size)), channels // 2, 3, stride=2))
    x = net.relu_conv_bn(x, channels, 3, stride=2)
    for module in map(int, modules):
        channels *= 2 if module in {2, 4} else 1
        x = _cell(net, x, digits, channels, stride=2 if module > 2 else 1)
        x = _cell(net, x, digits, channels, stride=1)
    return x


def cells(spec: str | Sequence[int]) -> tuple[ComputationGraph, ...]:
    """The cell alone, as `foretell.capture.nasbench201.cells`; strides, which differ from cell to cell, are left out.

    Raises:
        InvalidArchitectureError: As `graph`.

    >>> cells("64-41414-1_03_002") == nasbench201.cells((0, 1, 1, 2, 1, 3))
    True
    """
    return nasbench201.cells(_in_order_of_201(parse(spec)))


def parse(spec: str | Sequence[int]) -> tuple[int, ...]:
    """Read a specification as six positions in `OPERATIONS`, in the order of `EDGES`.

    Raises:
        InvalidArchitectureError: If it is neither the benchmark's string nor six such positions.

    >>> parse("64-41414-1_30_213")
    (1, 3, 0, 2, 1, 3)
    """
    given = spec.rsplit("-", 1)[-1].split("_") if isinstance(spec, str) else None
    if given is None or [len(part) for part in given] == [1, 2, 3]:
        digits: Sequence[int | str] = spec if given is None else "".join(given)
        if len(digits) == len(EDGES) and all(str(int(digit)) in "0123" for digit in digits):
            return tuple(int(digit) for digit in digits)
    msg = (
        "a TransNAS-Bench-101 micro cell must be `64-41414-a_bc_def` with digits 0 to 3, or six such digits "
        f"({OPERATIONS}), but got {spec!r}: correct the digit that differs"
    )
    raise InvalidArchitectureError(msg)


def sample(rng: np.random.Generator) -> tuple[int, ...]:
    """Six positions in `OPERATIONS`, uniformly drawn from all 4,096 cells."""
    return tuple(rng.integers(len(OPERATIONS), size=len(EDGES)).tolist())


def _cell(net: GraphBuilder, entry: int, digits: Sequence[int], channels: int, stride: int) -> int:
    _, h, w = net.shape(entry)
    names = {edge: OPERATIONS[digit] for edge, digit in zip(EDGES, digits, strict=True)}
    live = {nasbench201.EDGES[i] for i in nasbench201.live_edges(_in_order_of_201(digits))}
    if not live:
        return net.zero(entry, (channels, -(-h // stride), -(-w // stride)))
    made = {0: entry}
    for node in (1, 2, 3):
        incoming = [
            _operator(net, made[source], names[source, node], channels, stride if source == 0 else 1)
            for source in range(node)
            if (source, node) in live
        ]
        if incoming:
            made[node] = net.add(incoming)
    return made[3]


def _in_order_of_201(digits: Sequence[int]) -> list[int]:
    """The same cell as positions in NAS-Bench-201's lists of operators and edges."""
    names = {edge: OPERATIONS[digit] for edge, digit in zip(EDGES, digits, strict=True)}
    return [nasbench201.OPERATIONS.index(names[edge]) for edge in nasbench201.EDGES]


def _operator(net: GraphBuilder, source: int, op: str, channels: int, stride: int) -> int:
    c, h, w = net.shape(source)
    if op != "skip_connect":
        return net.relu_conv_bn(source, channels, 3 if op == "nor_conv_3x3" else 1, stride)
    if stride == 1 and c == channels:
        return source
    x = net.relu(source)
    shifted = net.slice(net.pad(x, (c, h + 1, w + 1)), (c, h, w))
    halves = [net.conv(part, channels // 2, 1, stride=stride) for part in (x, shifted)]
    return net.batch_norm(net.concat(halves))
