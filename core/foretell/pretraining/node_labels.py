"""What an encoder is told of an operator: whole numbers, so that equal operators can be recognised and folded.

Two vocabularies. `PaperLabels` is what GENNAPE's released code feeds its network (Mills et al., 2023,
https://arxiv.org/abs/2211.17226): operator, resolutions, and for weighted operators kernel and bias. `FullLabels` is
all that a `ComputationGraph` knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from foretell.gennape_v1 import to_v1
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Int

    from foretell.graph import ComputationGraph

V1_OPERATORS = 32
"""Ids of the paper's vocabulary."""
V2_OPERATORS = 128
"""Ids that `FullLabels` tells apart; later ones, such as a plugin's, count as `Unknown`."""
WEIGHTED = tuple(operation(name).id for name in ("Conv", "Depthwise", "MatMul"))
"""Operators that carry a kernel in the paper's vocabulary."""
_LARGEST_KERNEL = 7
_REWRITTEN = tuple(operation(name).id for name in ("HardSwish", "HardSigmoid"))


class NodeLabels(Protocol):
    """A vocabulary: which graph is read, and which numbers of its nodes."""

    @property
    def name(self) -> str:
        """Name in checkpoints."""
        ...

    def rewrite(self, graph: ComputationGraph) -> ComputationGraph:
        """The graph in this vocabulary."""
        ...

    def table(self, graphs: Sequence[ComputationGraph]) -> Int[np.ndarray, "N columns"]:
        """One row a node of all graphs, which `rewrite` gave."""
        ...


@dataclass(frozen=True)
class PaperLabels:
    """Operator id (0 to 31), channels, height, width in and out, kernel (0 to 7) and bias of weighted operators.

    >>> from foretell.capture import nasbench201
    >>> graph = nasbench201.graph((2, 1, 1, 1, 1, 1))
    >>> PaperLabels().table([graph])[:2].tolist()
    [[1, 3, 32, 32, 3, 32, 32, 0, 0, 0], [3, 3, 32, 32, 16, 32, 32, 3, 3, 0]]
    """

    name: ClassVar[str] = "v1"

    def rewrite(self, graph: ComputationGraph) -> ComputationGraph:
        """See `NodeLabels.rewrite`; only what v1 writes with several operators has to change, `table` does the rest."""
        dilated = (graph.dilation > 1).any(axis=1) & np.isin(graph.op, WEIGHTED)
        return to_v1(graph) if dilated.any() or np.isin(graph.op, _REWRITTEN).any() else graph

    def table(self, graphs: Sequence[ComputationGraph]) -> Int[np.ndarray, "N 10"]:
        """See `NodeLabels.table`."""
        op = np.concatenate([g.op for g in graphs]).astype(np.int64)
        weighted = np.isin(op, WEIGHTED)[:, None]
        shapes = np.concatenate([np.concatenate([g.in_shape, g.out_shape], axis=1) for g in graphs])
        kernel = np.minimum(np.concatenate([g.kernel for g in graphs]), _LARGEST_KERNEL) * weighted
        bias = np.concatenate([g.bias for g in graphs])[:, None] & weighted
        return np.column_stack([np.where(op < V1_OPERATORS, op, 0), shapes, kernel, bias]).astype(np.int64)


@dataclass(frozen=True)
class FullLabels:
    """All features of a node: operator, shapes, kernel, stride, dilation, groups, bias, parameters, FLOPs.

    >>> from foretell.capture import nasbench201
    >>> FullLabels().table([nasbench201.graph((2, 1, 1, 1, 1, 1))])[1].tolist()
    [3, 3, 32, 32, 16, 32, 32, 3, 3, 1, 1, 1, 1, 1, 0, 432, 884736]
    """

    name: ClassVar[str] = "v2"

    def rewrite(self, graph: ComputationGraph) -> ComputationGraph:
        """See `NodeLabels.rewrite`; graphs are read as captured."""
        return graph

    def table(self, graphs: Sequence[ComputationGraph]) -> Int[np.ndarray, "N 17"]:
        """See `NodeLabels.table`."""
        tables = []
        for g in graphs:
            op = np.where(g.op < V2_OPERATORS, g.op, 0)
            columns = (op, g.in_shape, g.out_shape, g.kernel, g.stride, g.dilation, g.groups, g.bias)
            tables.append(np.column_stack([*columns, g.node_params, g.node_flops]).astype(np.int64))
        return np.concatenate(tables)


LABELS: dict[str, NodeLabels] = {"v1": PaperLabels(), "v2": FullLabels()}
"""Vocabularies by name."""
