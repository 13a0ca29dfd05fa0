"""Encoder of graphs: the smallest eigenvalues of the normalised Laplacian, the shape of a graph without its operators.

GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226) tells by their distance which networks are alike
when it trains its encoder by contrast, with 21 of them; before it Han et al., 2023, "A General-Purpose
Transferable Predictor for Neural Architecture Search", https://arxiv.org/abs/2302.10835, with 11. See Chung, 1997,
"Spectral Graph Theory", chapter 1: there are as many zeros as components, small values mean that few edges hold
large parts together, 2 that a component is bipartite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs, encode_graphs
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, Int

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_ENTRIES = 4_000_000  # numbers in one stack of matrices, 32 MB
_PADDING = 2.0  # no eigenvalue is larger


@dataclass(frozen=True)
class LaplacianSpectrum:
    """The q smallest eigenvalues of I - D^(-1/2) A D^(-1/2), ascending, filled up with 2 where there are fewer nodes.

    A is the symmetric adjacency matrix, edges taken both ways, and D its row sums; a node without edges has the
    eigenvalue 0. Matrices of one size are solved together. They are dense, which costs the cube of the number
    of nodes: about 0.1 s for a network of 1,000 nodes, and minutes for one of 10,000.

    Args:
        q: Eigenvalues, in [0, 2]; GENNAPE takes 21.

    Raises:
        InvalidDataError: If q is below 1.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> LaplacianSpectrum(q=3).encode([Candidate(nasbench201.cells((1, 1, 2, 1, 1, 1))[0])]).values.round(6).tolist()
    [[0.0, 1.0, 2.0]]
    """

    name: ClassVar[str] = "laplacian_spectrum"
    q: int = 21

    def __post_init__(self) -> None:
        if self.q < 1:
            msg = f"a spectrum needs `q >= 1` eigenvalues, but got {self.q=}: 21 suit networks"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        names = tuple(f"eigenvalue {i}" for i in range(self.q))
        values = encode_graphs(candidates, self.q, self._spectra)
        return Encoding(values, names, ("laplacian spectrum",) * self.q, np.zeros(self.q, dtype=bool))

    def to_config(self) -> dict[str, object]:
        """How many eigenvalues."""
        return {"q": self.q}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> LaplacianSpectrum:
        """Inverse of `to_config`."""
        return cls(int(config["q"]))

    def _spectra(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "graphs q"]:
        joined = JoinedGraphs(graphs)
        values = np.full((len(graphs), self.q), _PADDING)
        for n in np.unique(joined.sizes).tolist():
            same = np.flatnonzero(joined.sizes == n)
            step = max(1, _ENTRIES // n**2)
            for low in range(0, len(same), step):
                rows = same[low : low + step]
                values[rows, : min(n, self.q)] = np.linalg.eigvalsh(_laplacians(joined, rows, n))[:, : self.q]
        return np.asarray(np.clip(values, 0.0, 2.0))


def _laplacians(joined: JoinedGraphs, rows: Int[np.ndarray, " k"], n: int) -> Float[np.ndarray, "k n n"]:
    """Laplacians of some graphs of n nodes each."""
    number = np.full(len(joined), -1)
    number[rows] = np.arange(len(rows))
    of_edge = number[joined.owner[joined.edges[:, 0]]]
    graph = of_edge[of_edge >= 0]
    a, b = (joined.edges[of_edge >= 0] - joined.starts[rows[graph]][:, None]).T
    matrix = np.zeros((len(rows), n, n))
    matrix[graph, a, b] = matrix[graph, b, a] = 1.0
    degree = matrix.sum(axis=2)
    root = np.where(degree > 0, 1.0 / np.sqrt(np.maximum(degree, 1.0)), 0.0)
    matrix *= -root[:, :, None] * root[:, None, :]
    matrix[:, np.arange(n), np.arange(n)] = degree > 0
    return np.asarray(matrix)
