"""NAS-Bench-301 cells (Zela et al., 2022, https://arxiv.org/abs/2008.09777) as whole networks.

The space and the network are those of DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055): a 3x3
convolution, normal cells with reduction cells at one and two thirds of the depth, global average pooling, a
linear layer. A cell sees the results of the two cells before it; each of its four nodes sums two operators,
and the four are concatenated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.capture.builder import GraphBuilder
from foretell.capture.cell_graph import cell_node
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import Node

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operators of an edge; their positions serve as short names."""


def graph(
    genotype: Sequence[Sequence[Sequence[int | str]]],
    *,
    channels: int = 32,
    cells: int = 8,
    classes: int = 10,
) -> ComputationGraph:
    """The network of a pair of cells, with 3 x 32 x 32 images.

    Args:
        genotype: The normal and the reduction cell, each eight pairs (input, operator), two for each of four
            nodes. Inputs 0 and 1 are the cell before last and the last one, 2 to 4 the nodes before. An
            operator is a name of `OPERATIONS` or its position.
        channels: Channels of the first cells; NAS-Bench-301 trained 32, supernets often have 16.
        cells: Number of cells; NAS-Bench-301 trained 8.
        classes: Outputs of the classifier.

    Returns:
        The graph, without the auxiliary head that only training uses.

    Raises:
        InvalidArchitectureError: If the genotype is not of that form.

    >>> cell = [(0, "skip_connect"), (1, "skip_connect")] * 4
    >>> graph([cell, cell]).op_counts()["Add"]
    32
    """
    normal, reduction = parse(genotype)
    net = GraphBuilder()
    stem = net.batch_norm(net.conv(net.input((3, 32, 32)), 3 * channels, 3))
    before, last, reduced = stem, stem, False
    for i in range(cells):
        reduces = i in {cells // 3, 2 * cells // 3}
        channels *= 1 + reduces
        first = _factorized_reduce(net, before, channels) if reduced else net.relu_conv_bn(before, channels, 1)
        second = net.relu_conv_bn(last, channels, 1)
        made = [first, second]
        pairs = reduction if reduces else normal
        for node in range(4):
            added = [
                _operator(net, made[source], op, stride=2 if reduces and source < 2 else 1)
                for source, op in pairs[2 * node : 2 * node + 2]
            ]
            made.append(net.add(added))
        before, last, reduced = last, net.concat(made[2:]), reduces
    return net.graph(net.linear(net.mean(last), classes))


def cells(genotype: Sequence[Sequence[Sequence[int | str]]]) -> tuple[ComputationGraph, ...]:
    """The normal and the reduction cell alone, see `foretell.capture.cell_graph`: a node an operator.

    A separable or dilated convolution is `Depthwise`, a skip connection `Identity`; in the reduction cell the
    operators on the cell's inputs have stride 2. The `Input` of a cell is the result of the cell before last.
    The last cell lies between it and this one and is not shown: it is an `Unknown` node on the `Input`, so that
    the two can be told apart.

    Raises:
        InvalidArchitectureError: As `graph`.

    >>> pairs = [(0, "skip_connect"), (1, "dil_conv_3x3")] * 4
    >>> cells([pairs, pairs])[0].op_counts()
    {'Depthwise': 4, 'Identity': 4, 'Input': 1, 'Output': 1, 'Unknown': 1}
    """
    normal, reduction = parse(genotype)
    return _alone(normal, 1), _alone(reduction, 2)


def _alone(pairs: Sequence[tuple[int, str]], stride: int) -> ComputationGraph:
    nodes, edges = [cell_node("Input")], []
    states = [[0], [0]]  # the nodes whose sum or result each state is
    if any(source == 1 for source, _ in pairs):
        nodes.append(cell_node("Unknown"))
        edges.append((0, 1))
        states[1] = [1]
    for i, (source, op) in enumerate(pairs):
        if i % 2 == 0:
            states.append([])
        edges += [(u, len(nodes)) for u in states[source]]
        states[-1].append(len(nodes))
        nodes.append(_cell_operator(op, stride if source < 2 else 1))
    edges += [(u, len(nodes)) for state in states[2:] for u in state]
    nodes.append(cell_node("Output"))
    return ComputationGraph.from_nodes(nodes, edges)


def parse(genotype: Sequence[Sequence[Sequence[int | str]]]) -> tuple[list[tuple[int, str]], ...]:
    """Read a genotype as two lists of eight pairs (input, name of `OPERATIONS`).

    Raises:
        InvalidArchitectureError: If it is anything else.
    """
    read = [[_pair(pair) for pair in cell] for cell in genotype]
    sound = [all(0 <= source < i // 2 + 2 for i, (source, _) in enumerate(cell)) for cell in read]
    if len(read) != 2 or any(len(cell) != 8 for cell in read) or not all(sound):
        msg = (
            "a DARTS genotype must be two cells of eight pairs (input, operator), the input of node n below "
            f"n + 2, but got {genotype!r}: give two pairs for each of the four nodes, in order"
        )
        raise InvalidArchitectureError(msg)
    return tuple(read)


def sample(rng: np.random.Generator) -> tuple[list[tuple[int, str]], ...]:
    """A genotype, uniformly drawn from those in which the two inputs of a node differ, as in the benchmark."""
    cells = []
    for _ in range(2):
        inputs = [sorted(rng.choice(node + 2, 2, replace=False).tolist()) for node in range(4)]
        cells.append([(source, str(rng.choice(OPERATIONS))) for two in inputs for source in two])
    return tuple(cells)


def _pair(pair: Sequence[int | str]) -> tuple[int, str]:
    source, op = pair
    if op in OPERATIONS:
        return int(source), str(op)
    if not isinstance(op, str) and 0 <= int(op) < len(OPERATIONS):
        return int(source), OPERATIONS[int(op)]
    msg = f"an operator must be a name of {OPERATIONS} or its position, but got {op!r}: choose one of them"
    raise InvalidArchitectureError(msg)


def _cell_operator(op: str, stride: int) -> Node:
    if op == "skip_connect":
        return cell_node("Identity", stride=stride)
    kernel = 3 if op.endswith("3x3") else 5
    if "pool" in op:
        return cell_node("MaxPool" if op.startswith("max") else "AvgPool", kernel, stride=stride)
    return cell_node("Depthwise", kernel, stride=stride, dilation=2 if op.startswith("dil") else 1)


def _operator(net: GraphBuilder, source: int, op: str, stride: int) -> int:
    c = net.shape(source)[0]
    if op == "skip_connect":
        return source if stride == 1 else _factorized_reduce(net, source, c)
    if op == "max_pool_3x3":
        return net.max_pool(source, 3, stride)
    if op == "avg_pool_3x3":
        return net.avg_pool(source, 3, stride)
    kernel = 3 if op.endswith("3x3") else 5
    if op.startswith("dil"):
        return _separable(net, source, kernel, stride, dilation=2)
    return _separable(net, _separable(net, source, kernel, stride), kernel)


def _separable(net: GraphBuilder, source: int, kernel: int, stride: int = 1, dilation: int = 1) -> int:
    c = net.shape(source)[0]
    x = net.conv(net.relu(source), c, kernel, stride=stride, dilation=dilation, groups=c)
    return net.batch_norm(net.conv(x, c, 1))


def _factorized_reduce(net: GraphBuilder, source: int, channels: int) -> int:
    """Two pointwise convolutions of stride 2, one of them a pixel further, side by side."""
    x = net.relu(source)
    c, h, w = net.shape(x)
    shifted = net.slice(x, (c, h - 1, w - 1))
    halves = [net.conv(part, channels // 2, 1, stride=2) for part in (x, shifted)]
    return net.batch_norm(net.concat(halves))
