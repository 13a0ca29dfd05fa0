"""A cell alone as a small computation graph: one node a cell operator, shapes nominal.

The second view of a family of cells. `foretell.capture` writes whole networks, every normalisation and
rectifier a node; the published encodings of cells (adjacency matrices, paths, Weisfeiler-Lehman features) and
graph networks see the cell's operators only. Channels, height and width are 1 and there are no parameters,
since a cell has none before it is placed in a network.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from foretell.graph import ComputationGraph, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHAPE = (1, 1, 1)


@cache
def cell_node(op: str, kernel: int = 0, *, stride: int = 1, dilation: int = 1) -> Node:
    """An operator of a cell.

    Args:
        op: Name in the vocabulary: a separable convolution is `Depthwise`, a skip `Identity`.
        kernel: Height and width of the window, 0 where there is none.
        stride: Step of the window.
        dilation: Spacing of the window's taps.

    >>> cell_node("Conv", 3).kernel
    (3, 3)
    """
    return Node(op, _SHAPE, _SHAPE, kernel=(kernel, kernel), stride=(stride, stride), dilation=(dilation, dilation))


def cell_of_edges(operators: Sequence[tuple[int, int, Node]], last: int) -> ComputationGraph:
    """The cell of operators that stand on edges: each becomes a node, fed by all that end where it begins.

    Args:
        operators: Each operator with the state it reads and the state it adds to. State 0 is the cell's input,
            and every state but 0 and `last` is read as well as written.
        last: The state that is the cell's output.

    Returns:
        The graph from `Input` to `Output`, unconnected where there are no operators.

    >>> cell_of_edges([(0, 1, cell_node("Conv", 3)), (0, 2, cell_node("Identity")), (1, 2, cell_node("Conv", 1))], 2)
    ComputationGraph(nodes=5, edges=5, depth=3, params=0, flops=0, ops={Conv: 2, Identity: 1, Input: 1, Output: 1})
    """
    nodes = [cell_node("Input"), *(node for _, _, node in operators), cell_node("Output")]
    writers: dict[int, list[int]] = {0: [0]}
    for i, (_, target, _) in enumerate(operators, start=1):
        writers.setdefault(target, []).append(i)
    edges = [(w, i) for i, (source, _, _) in enumerate(operators, start=1) for w in writers[source]]
    edges += [(w, len(nodes) - 1) for w in writers.get(last, ())]
    return ComputationGraph.from_nodes(nodes, edges)


def cell_of_vertices(nodes: Sequence[Node], sources: Iterable[Iterable[int]]) -> ComputationGraph:
    """The cell of operators that stand on vertices.

    Args:
        nodes: The operators, `Input` and `Output` among them.
        sources: For each the positions of those that feed it.
    """
    return ComputationGraph.from_nodes(nodes, [(u, v) for v, into in enumerate(sources) for u in into])
