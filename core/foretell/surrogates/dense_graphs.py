"""Small graphs rebuilt from columns, as dense arrays that graph networks multiply.

The columns are those of a one-hot adjacency encoder: the group "operators" (node by node, one-hot over K classes; a
padding node is all zero) and the group "edges" (strict upper triangle of the adjacency matrix, row by row). All other
groups describe the whole network.

Notation: B graphs, N nodes at most, K operator classes, D other columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders.adjacency import EDGES, OPERATORS
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, eq=False)
class DenseGraphs:
    """B graphs.

    Args:
        operators: One-hot operators, zeros where there is no node.
        adjacency: Entry (i, j) is 1 where node i feeds node j.
        mask: True where there is a node.
        extras: Columns of the whole network.
    """

    operators: Float[np.ndarray, "B N K"]
    adjacency: Float[np.ndarray, "B N N"]
    mask: Bool[np.ndarray, "B N"]
    extras: Float[np.ndarray, "B D"]


@dataclass(frozen=True, eq=False)
class GraphColumns:
    """Which columns hold what; made by `of`.

    Args:
        operators: Columns of the operators, N K of them.
        edges: Columns of the edges, N (N - 1) / 2 of them.
        extras: All other columns.

    Raises:
        InvalidDataError: If there are no such columns, or their numbers do not fit one another.
    """

    operators: Int[np.ndarray, " NK"]
    edges: Int[np.ndarray, " pairs"]
    extras: Int[np.ndarray, " D"]

    def __post_init__(self) -> None:
        n = self.n_nodes
        whole = n * (n - 1) // 2 == len(self.edges) and len(self.operators) % n == 0
        if not len(self.edges) or not len(self.operators) or not whole:
            msg = (
                f"graphs need N (N - 1) / 2 columns of group {EDGES!r} and N K of group {OPERATORS!r}, but got "
                f"{len(self.edges)} and {len(self.operators)}: encode with one adjacency encoder"
            )
            raise InvalidDataError(msg)

    @classmethod
    def of(cls, groups: Sequence[str]) -> GraphColumns:
        """Find the columns by the names of their groups.

        >>> columns = GraphColumns.of(["operators"] * 4 + ["edges", "flops"])
        >>> columns.n_nodes, columns.n_classes
        (2, 2)
        """
        names = np.array(list(groups), dtype=object)
        is_operator, is_edge = names == OPERATORS, names == EDGES
        return cls(*(np.flatnonzero(m) for m in (is_operator, is_edge, ~is_operator & ~is_edge)))

    @property
    def n_nodes(self) -> int:
        """N, the positive root of N (N - 1) / 2 = number of edge columns."""
        return (1 + math.isqrt(1 + 8 * len(self.edges))) // 2

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.operators) // self.n_nodes

    def graphs(self, X: Float[np.ndarray, "B d"]) -> DenseGraphs:
        """Rebuild the graphs of B rows."""
        n = self.n_nodes
        operators = X[:, self.operators].reshape(len(X), n, self.n_classes).astype(np.float32)
        adjacency = np.zeros((len(X), n, n), dtype=np.float32)
        adjacency[:, *np.triu_indices(n, 1)] = X[:, self.edges]
        present = np.asarray(operators.any(axis=2))
        return DenseGraphs(operators, adjacency, present, X[:, self.extras].astype(np.float32))

    def tensors(self, X: Float[np.ndarray, "B d"]) -> tuple[np.ndarray, ...]:
        """Operators, adjacency, mask as numbers and extras of B rows: what graph networks take.

        Nodes that none of the graphs has are left out: the encoder has room for larger ones than most tables hold, and
        networks spend as much on padding as on nodes.
        """
        graphs = self.graphs(X)
        n = max(int(np.flatnonzero(graphs.mask.any(axis=0)).max(initial=0)) + 1, 1)
        mask = graphs.mask[:, :n].astype(np.float32)
        return graphs.operators[:, :n], graphs.adjacency[:, :n, :n], mask, graphs.extras

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Positions of the columns."""
        return {"operators": self.operators, "edges": self.edges, "extras": self.extras}
