"""Encoder of graphs: sizes, operator counts, and how many of which operator lie on paths to the output.

In the spirit of GRAF (Kadlecova et al., 2024, "Surprisingly Strong Performance Prediction with Neural Graph
Features", https://arxiv.org/abs/2404.16551), but for any network and not for the cells of one benchmark.
Nothing is learnt, and the same network gives the same columns however its nodes are numbered. The light one, for
searches that encode at every step; `OperatorStatistics` says some times more, at some times the cost, and ranks better.

Notation: N nodes, E edges, K operator classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, Int

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_CHUNK = 512  # graphs joined into one sweep: bounds memory at about 512 x 500 nodes x K numbers
_CLASSES = (
    "conv1", "conv3", "conv5+", "depthwise", "matmul", "attention", "max_pool", "avg_pool", "norm",
    "activation", "add", "mul", "concat", "rnn", "other",
)  # fmt: skip
_PATH_CLASSES = 8  # the first so many classes are also counted along paths
_BY_NAME = {
    "Depthwise": 3, "MatMul": 4, "BatchMatMul": 4, "Attention": 5, "MaxPool": 6, "AvgPool": 7, "BatchNorm": 8,
    "LayerNorm": 8, "RMSNorm": 8, "GroupNorm": 8, "InstanceNorm": 8, "ReLU": 9, "ReLU6": 9, "Sigmoid": 9,
    "Tanh": 9, "Swish": 9, "GELU": 9, "HardSwish": 9, "HardSigmoid": 9, "LeakyReLU": 9, "ELU": 9,
    "Softplus": 9, "Add": 10, "Mul": 11, "Concat": 12, "Rnn": 13,
}  # fmt: skip
_SIZES = ("log_params", "log_flops", "log_nodes", "log_edges", "log_depth", "log_joins", "log_width_max",
          "log_width_mean", "log_width_last", "log_resolution_mean", "log_resolution_last",
          "residual_share")  # fmt: skip
_COLUMNS = (
    *_SIZES,
    *(f"count_{c}" for c in _CLASSES),
    *(f"{how}_{c}" for how in ("longest", "shortest", "mean") for c in _CLASSES[:_PATH_CLASSES]),
)
_GROUPS = tuple(
    "graph sizes" if c in _SIZES else "graph counts" if c.startswith("count") else "graph paths" for c in _COLUMNS
)


@dataclass(frozen=True)
class GraphStatistics:
    """About fifty numbers that describe any computation graph; logarithms of 1 + value where sizes vary much.

    `longest_x`, `shortest_x` and `mean_x` count operators of class x on paths from input to output: the
    most, the fewest, and the mean when one walks back from an output choosing uniformly among inputs. Where
    there are several outputs, sizes are those of the largest and the mean is over all.
    """

    name: ClassVar[str] = "graph_statistics"

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        values = np.full((len(candidates), len(_COLUMNS)), np.nan)
        have = [i for i, c in enumerate(candidates) if c.graph is not None]
        for start in range(0, len(have), _CHUNK):
            rows = have[start : start + _CHUNK]
            values[rows] = _statistics([g for i in rows if (g := candidates[i].graph) is not None])
        return Encoding(values, _COLUMNS, _GROUPS, np.zeros(len(_COLUMNS), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """No settings."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> GraphStatistics:
        """Inverse of `to_config`."""
        del config
        return cls()


def _statistics(graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "graphs columns"]:
    joined = JoinedGraphs(graphs)
    sizes, starts, owner, edges, levels = joined.sizes, joined.starts, joined.owner, joined.edges, joined.levels
    op = np.concatenate([g.op for g in graphs])
    kernel = np.concatenate([g.kernel for g in graphs]).max(axis=1)
    shape = np.concatenate([g.out_shape for g in graphs]).astype(np.float64)  # height x width may exceed int32
    kinds = _classes(op, kernel)

    counts = np.zeros((len(graphs), len(_CLASSES)))
    known = kinds >= 0
    np.add.at(counts, (owner[known], kinds[known]), 1.0)
    weighted = np.isin(kinds, [0, 1, 2, 3, 4])
    width, resolution = np.log2(1.0 + shape[:, 0]), np.log2(1.0 + shape[:, 1] * shape[:, 2])
    joins = np.bincount(owner, weights=joined.fan_in > 1, minlength=len(graphs))
    spans = (levels[edges[:, 1]] - levels[edges[:, 0]]) > 1
    residual = np.bincount(owner[edges[:, 1]], weights=spans, minlength=len(graphs))
    per = np.maximum(np.bincount(owner, weights=weighted, minlength=len(graphs)), 1.0)
    edge_count = np.bincount(owner[edges[:, 1]], minlength=len(graphs))
    ends = _ends(owner, op, edges)
    first_end = np.searchsorted(owner[ends], np.arange(len(graphs)))
    n_ends = np.bincount(owner[ends], minlength=len(graphs))
    columns = [
        np.log10([1.0 + g.params for g in graphs]),
        np.log10([1.0 + g.flops for g in graphs]),
        np.log10(sizes),
        np.log10(1.0 + edge_count),
        np.log10(1.0 + np.maximum.reduceat(levels, starts)),
        np.log10(1.0 + joins),
        np.maximum.reduceat(np.where(weighted, width, 0.0), starts),
        np.bincount(owner, weights=np.where(weighted, width, 0.0), minlength=len(graphs)) / per,
        np.maximum.reduceat(width[ends], first_end),
        np.bincount(owner, weights=np.where(weighted, resolution, 0.0), minlength=len(graphs)) / per,
        np.maximum.reduceat(resolution[ends], first_end),
        residual / np.maximum(edge_count, 1),
    ]
    most, fewest, mean = _paths(kinds, edges, levels)[:, ends]  # (ends, K) each
    paths = (
        np.maximum.reduceat(most, first_end),
        np.minimum.reduceat(fewest, first_end),
        np.add.reduceat(mean, first_end) / n_ends[:, None],
    )
    return np.concatenate([np.column_stack(columns), np.log2(1.0 + counts), *(np.log2(1.0 + p) for p in paths)], axis=1)


def _classes(op: Int[np.ndarray, " N"], kernel: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Class of each node, -1 for inputs and outputs."""
    table = {i: _BY_NAME.get(operation(i).name, 14) for i in np.unique(op).tolist()}
    table |= {operation("Input").id: -1, operation("Output").id: -1}
    kinds = np.array([table[i] for i in op.tolist()])
    conv = np.isin(op, [operation("Conv").id, operation("ConvTranspose").id])
    return np.where(conv, np.select([kernel <= 1, kernel <= 3], [0, 1], 2), kinds)


def _ends(
    owner: Int[np.ndarray, " N"], op: Int[np.ndarray, " N"], edges: Int[np.ndarray, "E 2"]
) -> Int[np.ndarray, " k"]:
    """All Output nodes, and for a graph without one the nodes that nothing consumes, in order."""
    output = op == operation("Output").id
    has_output = np.bincount(owner, weights=output) > 0
    consumed = np.zeros(len(op), dtype=bool)
    consumed[edges[:, 0]] = True
    return np.flatnonzero(np.where(has_output[owner], output, ~consumed))


def _paths(
    kinds: Int[np.ndarray, " N"], edges: Int[np.ndarray, "E 2"], levels: Int[np.ndarray, " N"]
) -> Float[np.ndarray, "3 N K"]:
    """Most, fewest and mean operators of each class on paths that end in a node, level by level."""
    own = (kinds[:, None] == np.arange(_PATH_CLASSES)).astype(np.float64)  # (N, K)
    best = np.stack([own, own, own])
    order = np.lexsort((edges[:, 1], levels[edges[:, 1]]))
    source, target = edges[order, 0], edges[order, 1]
    bounds = np.searchsorted(levels[target], np.arange(1, levels.max() + 2))
    for low, high in pairwise(bounds.tolist()):
        heads, first = np.unique(target[low:high], return_index=True)
        arriving = best[:, source[low:high]]  # (3, e, K)
        fan_in = np.diff(np.append(first, high - low))[:, None]
        best[0, heads] += np.maximum.reduceat(arriving[0], first)
        best[1, heads] += np.minimum.reduceat(arriving[1], first)
        best[2, heads] += np.add.reduceat(arriving[2], first) / fan_in
    return best
