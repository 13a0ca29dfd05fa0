"""Encoder of small graphs: the adjacency matrix and the operators, one-hot, as the oldest predictors take them.

Lossless, hence the input of graph networks, which rebuild the matrices (`surrogates.dense_graphs`); and the encoding of
NAS-Bench-101 (Ying et al., 2019, https://arxiv.org/abs/1902.09635) and of GBDT-NAS (Luo et al., 2020,
https://arxiv.org/abs/2007.04785). Other encoders serve a Gaussian process far better (White et al., 2020, "A
Study on Encodings for Neural Architecture Search", https://arxiv.org/abs/2007.04965).

Notation: G graphs, n nodes at most, K operator classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.canonical_order import canonical_order
from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs, encode_graphs, sweeps
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

OPERATORS, EDGES = "operators", "edges"
"""Groups of the two blocks of columns."""


@dataclass(frozen=True)
class Adjacency:
    """One-hot operators, then the edges, padded with zeros to a fixed number of nodes; columns are verbatim.

    Columns of the group `operators`: for node 0 a one-hot vector of its class, then for node 1, to the last.
    Columns of the group `edges`: the strict upper triangle of the matrix row by row, (0, 1), (0, 2), ..., where
    entry (a, b) says that node a feeds node b. Nodes come in `canonical_order`, so that numbering the nodes of
    a graph otherwise changes nothing but in rare symmetric graphs, see there.

    Args:
        max_nodes: Nodes of the largest graph, n.
        classes: Operator classes that occur, see `foretell.encoders.operator_class`.

    Raises:
        InvalidDataError: If there are no nodes or classes, or a class is named twice.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> cell = nasbench201.cells((2, 1, 1, 1, 2, 1))[0]
    >>> encoder = Adjacency.fit_to([cell])
    >>> encoder
    Adjacency(max_nodes=4, classes=('Conv3x3', 'Input', 'Output'))
    >>> from foretell.surrogates.dense_graphs import GraphColumns
    >>> columns = encoder.encode([Candidate(cell)])
    >>> graphs = GraphColumns.of(columns.groups).graphs(columns.values)
    >>> [encoder.classes[k] for k in graphs.operators[0].argmax(axis=1)], graphs.adjacency[0].astype(int).tolist()
    (['Input', 'Conv3x3', 'Conv3x3', 'Output'], [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    """

    name: ClassVar[str] = "adjacency"
    max_nodes: int
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.max_nodes < 1 or not self.classes or len(set(self.classes)) < len(self.classes):
            msg = (
                "an adjacency encoding needs `max_nodes >= 1` and operator classes that differ, but got "
                f"{self.max_nodes=}, {self.classes=}: use Adjacency.fit_to(graphs)"
            )
            raise InvalidDataError(msg)

    @classmethod
    def fit_to(cls, graphs: Sequence[ComputationGraph]) -> Adjacency:
        """The smallest encoder that holds all of these graphs.

        Raises:
            InvalidDataError: If there are none.
        """
        found = {text for low, high in sweeps(graphs) for text in JoinedGraphs(graphs[low:high]).classes[0]}
        return cls(max((len(g) for g in graphs), default=0), tuple(sorted(found)))

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns.

        Raises:
            InvalidArchitectureError: If a graph has more nodes or another operator class than the encoder holds.
        """
        n = self.max_nodes
        operators = tuple(f"operator {i} {text}" for i in range(n) for text in self.classes)
        edges = tuple(f"edge {a}>{b}" for a in range(n) for b in range(a + 1, n))
        values = encode_graphs(candidates, len(operators) + len(edges), self._one_hot)
        groups = (OPERATORS,) * len(operators) + (EDGES,) * len(edges)
        scaled = np.ones(len(groups), dtype=bool)
        return Encoding(values, operators + edges, groups, scaled, verbatim=scaled)

    def to_config(self) -> dict[str, object]:
        """Nodes and classes."""
        return {"max_nodes": self.max_nodes, "classes": list(self.classes)}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> Adjacency:
        """Inverse of `to_config`."""
        nodes, classes = config["max_nodes"], config["classes"]
        if not isinstance(nodes, int) or not isinstance(classes, list):
            msg = f"an adjacency encoding is stored as a number of nodes and a list of classes, but got {config!r}"
            raise InvalidDataError(f"{msg}: save it again")
        return cls(nodes, tuple(map(str, classes)))

    def _one_hot(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G columns"]:
        joined = JoinedGraphs(graphs)
        texts, index = joined.classes
        if joined.sizes.max() > self.max_nodes:
            msg = (
                f"a graph must have at most {self.max_nodes} nodes for this adjacency encoding, but one has "
                f"{joined.sizes.max()}: use the cell alone (Family.cells), or make the encoder by Adjacency.fit_to"
            )
            raise InvalidArchitectureError(msg)
        unknown = sorted(set(texts) - set(self.classes))
        if unknown:
            msg = (
                f"an operator's class must be one of {list(self.classes)} for this adjacency encoding, but got "
                f"{unknown}: make the encoder by Adjacency.fit_to with all graphs"
            )
            raise InvalidArchitectureError(msg)
        number = np.array([self.classes.index(text) for text in texts])[index]
        place = canonical_order(joined)
        n, k = self.max_nodes, len(self.classes)
        values = np.zeros((len(graphs), n * k + n * (n - 1) // 2))
        values[joined.owner, place * k + number] = 1.0
        source, target = joined.edges.T
        a, b = place[source], place[target]
        values[joined.owner[source], n * k + a * (2 * n - a - 1) // 2 + b - a - 1] = 1.0
        return values
