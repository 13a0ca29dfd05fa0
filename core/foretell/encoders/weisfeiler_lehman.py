"""Encoder of graphs: which neighbourhoods occur how often, to some depth (Weisfeiler-Lehman subtree features).

Shervashidze et al., 2011, "Weisfeiler-Lehman Graph Kernels", https://jmlr.org/papers/v12/shervashidze11a.html,
definition 3; for architectures NAS-BOWL (Ru et al., 2021, "Interpretable Neural Architecture Search via Bayesian
Optimisation with Weisfeiler-Lehman Kernels", https://arxiv.org/abs/2006.07556). Best on small graphs such as
`Family.cells` gives, where a neighbourhood is a motif that a person can read.

Notation: G graphs, N nodes of all of them together, h depth, b buckets a depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs, encode_graphs, sweeps
from foretell.encoders.stable_hash import mix
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, UInt64

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_LONGEST_TEXT = 300


@dataclass(frozen=True)
class WeisfeilerLehman:
    """Counts of the subtrees of inputs that are rooted at the nodes, hashed; a row has length 1.

    A node's label at depth 0 is its operator class; at depth i its label before and the multiset of its
    inputs' labels before. Edges are followed against their direction: a motif says what an operator is fed.
    The squared Euclidean distance of two rows is 2 - 2 k, with k the normalised kernel of the paper, sum over
    depths of the products of counts, up to collisions within the buckets of a depth.

    Args:
        depth: How far a motif reaches, h; NAS-BOWL chooses 0 to 3.
        buckets: Columns a depth, b; with m motifs about m^2 / 2b pairs share a column.

    Raises:
        InvalidDataError: If the depth is negative or there are no buckets.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> graphs = [nasbench201.cells(spec)[0] for spec in ((2, 1, 1, 1, 2, 1), (2, 1, 1, 1, 3, 1))]
    >>> x, y = WeisfeilerLehman(depth=0).encode([Candidate(g) for g in graphs]).values
    >>> round(1 - float((x - y) @ (x - y)) / 2, 3)  # (2 1 1) and (1 1 1 1) share 4 of norms 6 and 4
    0.816
    """

    name: ClassVar[str] = "weisfeiler_lehman"
    depth: int = 2
    buckets: int = 256

    def __post_init__(self) -> None:
        if self.depth < 0 or self.buckets < 1:
            msg = (
                "`depth >= 0` and `buckets >= 1` must hold for Weisfeiler-Lehman features, but got "
                f"{self.depth=}, {self.buckets=}: 2 and 256 suit cells"
            )
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        names = tuple(_column(i, k) for i in range(self.depth + 1) for k in range(self.buckets))
        values = encode_graphs(candidates, len(names), self._counts)
        return Encoding(values, names, ("weisfeiler lehman",) * len(names), np.ones(len(names), dtype=bool))

    def motifs(self, graphs: Sequence[ComputationGraph]) -> dict[str, str]:
        """What the columns that are not 0 for some of these graphs stand for.

        Returns:
            Column name -> motif, an operator class with its inputs in parentheses; motifs that share a column
            are joined by ` | `.

        >>> from foretell.capture import nasbench201
        >>> sorted(WeisfeilerLehman(depth=1).motifs([nasbench201.cells((2, 1, 1, 1, 2, 1))[0]]).values())
        ['Conv3x3', 'Conv3x3(Conv3x3)', 'Conv3x3(Input)', 'Input', 'Input', 'Output', 'Output(Conv3x3)']
        """
        found: dict[str, dict[str, None]] = {}
        for low, high in sweeps(graphs):
            joined = JoinedGraphs(graphs[low:high])
            texts, index = joined.classes
            inputs: list[list[int]] = [[] for _ in joined.owner]
            for a, b in joined.edges.tolist():
                inputs[b].append(a)
            before = own = [texts[i] for i in index.tolist()]
            for i, labels in enumerate(self._labels(joined)):
                if i:
                    before = [_motif(name, [before[a] for a in into]) for name, into in zip(own, inputs, strict=True)]
                for bucket, text in zip((labels % np.uint64(self.buckets)).tolist(), before, strict=True):
                    found.setdefault(_column(i, bucket), {})[text] = None
        return {column: " | ".join(sorted(motifs)) for column, motifs in found.items()}

    def roots(self, graph: ComputationGraph) -> dict[str, list[int]]:
        """Where each motif of a graph is: the nodes at which the subtrees of each column that is not 0 are rooted.

        >>> from foretell.capture import nasbench201
        >>> cell = nasbench201.cells((2, 1, 1, 1, 2, 1))[0]
        >>> encoder = WeisfeilerLehman(depth=1)
        >>> {text: encoder.roots(cell)[column] for column, text in encoder.motifs([cell]).items() if "Conv" in text}
        {'Conv3x3': [1, 2], 'Conv3x3(Input)': [1], 'Conv3x3(Conv3x3)': [2], 'Output(Conv3x3)': [3]}
        """
        found: dict[str, list[int]] = {}
        for i, labels in enumerate(self._labels(JoinedGraphs([graph]))):
            for node, bucket in enumerate((labels % np.uint64(self.buckets)).tolist()):
                found.setdefault(_column(i, bucket), []).append(node)
        return found

    def to_config(self) -> dict[str, object]:
        """Depth and buckets."""
        return {"depth": self.depth, "buckets": self.buckets}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> WeisfeilerLehman:
        """Inverse of `to_config`."""
        return cls(depth=int(config["depth"]), buckets=int(config["buckets"]))

    def _counts(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G columns"]:
        joined = JoinedGraphs(graphs)
        blocks = []
        for labels in self._labels(joined):
            cell = joined.owner * self.buckets + (labels % np.uint64(self.buckets)).astype(np.int64)
            blocks.append(np.bincount(cell, minlength=len(graphs) * self.buckets).reshape(len(graphs), self.buckets))
        counts = np.concatenate(blocks, axis=1).astype(np.float64)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True))

    def _labels(self, joined: JoinedGraphs) -> Iterator[UInt64[np.ndarray, " N"]]:
        """Labels at each depth as 64-bit numbers; the sum of mixed labels stands for their multiset."""
        source, target = joined.edges.T
        labels = mix(joined.class_hashes)
        yield labels
        for _ in range(self.depth):
            below = np.zeros(len(labels), dtype=np.uint64)
            np.add.at(below, target, mix(labels, salt=1)[source])
            labels = mix(labels + mix(below, salt=2), salt=3)
            yield labels


def _column(depth: int, bucket: int) -> str:
    return f"motif {depth}.{bucket}"


def _motif(name: str, inputs: list[str]) -> str:
    text = f"{name}({', '.join(sorted(inputs))})" if inputs else name
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
