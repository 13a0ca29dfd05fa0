"""NAS-Bench-101 cells (Ying et al., 2019, https://arxiv.org/abs/1902.09635) as whole networks.

The network: a 3x3 convolution to 128 channels, three stacks of three cells with a 2x2 max pooling and twice
the channels from one stack to the next, global average pooling, a linear layer. In a cell every vertex sums
its inputs; the cell's input is projected by a 1x1 convolution wherever it is used; the output concatenates
its inputs, whose channels share the cell's channels as evenly as can be.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from foretell.capture.builder import GraphBuilder
from foretell.capture.cell_graph import cell_node, cell_of_vertices
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from foretell.graph import ComputationGraph

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""What an inner vertex may be, by the benchmark's names."""
MAX_VERTICES = 7
"""Vertices of a cell in the benchmark, input and output included."""
MAX_EDGES = 9
"""Edges of a cell in the benchmark."""

_NODES = {
    "input": cell_node("Input"),
    "output": cell_node("Output"),
    "conv3x3-bn-relu": cell_node("Conv", 3),
    "conv1x1-bn-relu": cell_node("Conv", 1),
    "maxpool3x3": cell_node("MaxPool", 3),
}


def graph(
    matrix: ArrayLike,
    ops: Sequence[str],
    *,
    channels: int = 128,
    stacks: int = 3,
    cells: int = 3,
    classes: int = 10,
) -> ComputationGraph:
    """The network of one cell, with 3 x 32 x 32 images.

    Args:
        matrix: Upper triangular adjacency matrix, V x V; vertices that no path from input to output meets are
            dropped.
        ops: The operator of each vertex: `input` first, `output` last, between them names of `OPERATIONS`.
        channels: Channels of the stem and of the first stack.
        stacks: Number of stacks.
        cells: Cells a stack.
        classes: Outputs of the classifier.

    Returns:
        The graph. Where no path leads from input to output, each cell is a `Zero` operator.

    Raises:
        InvalidArchitectureError: If the matrix is no upper triangular matrix of zeros and ones, or an
            operator is unknown.

    >>> graph([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "conv1x1-bn-relu", "output"]).params
    2793866
    """
    edges, kinds = prune(matrix, ops)
    net = GraphBuilder()
    x = net.conv_bn_relu(net.input((3, 32, 32)), channels, 3)
    for stack in range(stacks):
        if stack:
            x = net.max_pool(x, 2, 2)
            channels *= 2
        x = _cell(net, x, edges, kinds, channels)
        if cells > 1:
            start, entry = len(net), x
            x = net.repeat(start, entry, _cell(net, entry, edges, kinds, channels), cells - 2)
    return net.graph(net.linear(net.mean(x), classes))


def cells(spec: tuple[ArrayLike, Sequence[str]]) -> tuple[ComputationGraph, ...]:
    """The cell alone, see `foretell.capture.cell_graph`: a node a vertex, after pruning.

    Args:
        spec: The pair of matrix and operators.

    Raises:
        InvalidArchitectureError: As `graph`.

    >>> cells(([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "conv1x1-bn-relu", "output"]))[0].op_counts()
    {'Conv': 1, 'Input': 1, 'Output': 1}
    """
    sources, kinds = prune(*spec)
    return (cell_of_vertices([_NODES[kind] for kind in kinds], sources),)


def parse(spec: Sequence[Any]) -> tuple[list[list[int]], list[str]]:
    """Read a pair of matrix and operators, the two arguments of `graph`.

    Raises:
        InvalidArchitectureError: As `graph`, or if it is no pair.

    >>> parse([[[0, 1], [0, 0]], ["input", "output"]])
    ([[0, 1], [0, 0]], ['input', 'output'])
    """
    if isinstance(spec, str) or len(spec) != 2:
        msg = (
            f"a NAS-Bench-101 cell must be a pair of a matrix and its operators, but got {spec!r}: write "
            '[[[0,1],[0,0]],["input","output"]]'
        )
        raise InvalidArchitectureError(msg)
    prune(*spec)
    return np.asarray(spec[0]).tolist(), list(spec[1])


def sample(rng: np.random.Generator) -> tuple[list[list[int]], list[str]]:
    """A cell drawn as Ying et al., 2019, do: each edge and operator by chance, until the cell is in the benchmark.

    That is when a path leads from input to output, and at most `MAX_EDGES` edges are left after pruning.
    """
    while True:
        matrix = np.triu(rng.integers(2, size=(MAX_VERTICES, MAX_VERTICES)), 1).tolist()
        inner = rng.integers(len(OPERATIONS), size=MAX_VERTICES - 2)
        ops = ["input", *(OPERATIONS[i] for i in inner), "output"]
        sources, _ = prune(matrix, ops)
        if 0 < sum(map(len, sources)) <= MAX_EDGES:
            return matrix, ops


def prune(matrix: ArrayLike, ops: Sequence[str]) -> tuple[list[list[int]], list[str]]:
    """Drop what lies on no path from input to output.

    Returns:
        The sources of each kept vertex, and its operator; a cell without a path keeps two unconnected
        vertices.

    Raises:
        InvalidArchitectureError: As `graph`.
    """
    adjacency = np.asarray(matrix)
    n = len(ops)
    if adjacency.shape != (n, n) or n < 2 or np.any(np.tril(adjacency)) or not np.isin(adjacency, (0, 1)).all():
        msg = (
            f"a cell needs an upper triangular matrix of zeros and ones, a row for each of {n} operators, "
            f"but got shape {adjacency.shape}: number the vertices along the edges, input first, output last"
        )
        raise InvalidArchitectureError(msg)
    unknown = [op for op in ops[1:-1] if op not in OPERATIONS]
    if ops[0] != "input" or ops[-1] != "output" or unknown:
        msg = (
            f"a cell's operators must be `input`, then names of {OPERATIONS}, then `output`, but got "
            f"{list(ops)}: spell them as NAS-Bench-101 does"
        )
        raise InvalidArchitectureError(msg)
    rows = adjacency.tolist()
    ahead, back = {0}, {n - 1}
    for v in range(1, n):
        if any(rows[u][v] for u in ahead):
            ahead.add(v)
    for v in range(n - 2, -1, -1):
        if any(rows[v][w] for w in back):
            back.add(v)
    kept = sorted((ahead & back) | {0, n - 1})
    sources = [[i for i, u in enumerate(kept) if rows[u][v]] for v in kept]
    return sources, [ops[v] for v in kept]


def fingerprint(matrix: ArrayLike, ops: Sequence[str]) -> bytes:
    """The benchmark's own name of a cell, 16 bytes of MD5, equal for isomorphic cells after pruning.

    Every vertex is named by its degrees and operator, then as often as there are vertices by its neighbours'
    names and its own (Ying et al., 2019, section 2.1).

    Raises:
        InvalidArchitectureError: As `graph`.

    >>> fingerprint([[0, 1], [0, 0]], ["input", "output"]).hex()
    '043721b9c7fe8c5fad811d47d83132ec'
    """
    sources, kinds = prune(matrix, ops)
    targets: list[list[int]] = [[w for w, into in enumerate(sources) if v in into] for v in range(len(kinds))]
    labels = [-1, *(OPERATIONS.index(kind) for kind in kinds[1:-1]), -2]
    names = [_md5(str(triple)) for triple in zip(map(len, targets), map(len, sources), labels, strict=True)]
    for _ in kinds:
        names = [
            _md5("".join(sorted(names[u] for u in into)) + "|" + "".join(sorted(names[w] for w in out)) + "|" + own)
            for own, into, out in zip(names, sources, targets, strict=True)
        ]
    return bytes.fromhex(_md5(str(sorted(names))))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def vertex_channels(sources: Sequence[Sequence[int]], channels: int) -> list[int]:
    """Channels of each vertex of a pruned cell.

    The output's sources share `channels`; every other vertex has the most channels among its targets.

    >>> vertex_channels([[], [0], [0, 1], [1, 2]], 129)
    [0, 65, 64, 129]
    """
    last = len(sources) - 1
    widths = [0] * last + [channels]
    final = [v for v in sources[last] if v]
    for i, v in enumerate(final):
        widths[v] = channels // len(final) + (i < channels % len(final))
    for v in range(last - 1, 0, -1):
        if not widths[v]:
            widths[v] = max(widths[w] for w in range(v + 1, last) if v in sources[w])
    return widths


def _cell(net: GraphBuilder, entry: int, sources: list[list[int]], kinds: list[str], channels: int) -> int:
    _, h, w = net.shape(entry)
    last = len(kinds) - 1
    if not sources[last]:
        return net.zero(entry, (channels, h, w))
    widths = vertex_channels(sources, channels)
    made = [entry]
    for v in range(1, last):
        inputs = []
        for u in sources[v]:
            if u == 0:
                inputs.append(net.conv_bn_relu(entry, widths[v], 1))
            else:
                inputs.append(made[u] if widths[u] == widths[v] else net.slice(made[u], (widths[v], h, w)))
        x = net.add(inputs)
        if kinds[v] == "maxpool3x3":
            made.append(net.max_pool(x))
        else:
            made.append(net.conv_bn_relu(x, widths[v], 3 if kinds[v].startswith("conv3x3") else 1))
    joined = [net.concat([made[u] for u in sources[last] if u])] if any(sources[last]) else []
    if 0 in sources[last]:
        joined.append(net.conv_bn_relu(entry, channels, 1))
    return net.add(joined)
