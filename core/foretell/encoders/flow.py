"""Encoder of graphs: what random messages become when they flow through the network, forward and back.

Nothing is learnt. The flow surrogate of FGP (Kim, Hwang and Shin, 2025, "Learning to Flow from Generative Pretext
Tasks for Neural Architecture Encoding", https://arxiv.org/abs/2510.18360), which networks are there pretrained to
reproduce, taken as a description itself; of one kind with Graph Echo State Networks (Gallicchio and Micheli, 2010,
https://doi.org/10.1109/IJCNN.2010.5596796). For any graph, deep networks included.

Notation: G graphs, N nodes of all of them together, w width. h: what is known of a node. m: mean of the
messages of its inputs. f: its own message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import JoinedGraphs, encode_graphs, steps
from foretell.encoders.stable_hash import hash_text, uniform
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, Int

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_POOLS = ("forward mean", "forward sum", "forward end", "backward mean", "backward sum", "backward end")
_SIZES = 3  # channels, height and width, as log2(1 + value) / 16


@dataclass(frozen=True)
class Flow:
    """Messages f = a m + (1 - a) relu([h, m] W) along the edges and then against them, pooled.

    On the way forward h is a random vector of the node's operator class beside the logarithms of its output's
    shape; on the way back it is the node's forward message. Sources have m = 0. Of each direction the columns
    are the mean of f over nodes, log2(1 + the sum), and the mean over the nodes where the flow ends: sinks, or
    sources on the way back.

    W is drawn from the seed by hashing, the same on any machine; its part for m is scaled to spectral norm 1,
    so that messages stay of one size at any depth. We take the mean of the inputs, for the same reason.

    Args:
        width: Numbers in a message, w; there are 6 w columns.
        keep: Share of the inputs' mean that passes unchanged, a, in [0, 1).
        seed: Which random weights.

    Raises:
        InvalidDataError: If the width is below 1, or the share outside [0, 1).

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> graphs = [nasbench201.graph(spec) for spec in ((2, 2, 2, 2, 2, 2), (0, 0, 0, 0, 0, 3))]
    >>> Flow(width=8).encode([Candidate(g) for g in graphs]).values.shape
    (2, 48)
    """

    name: ClassVar[str] = "flow"
    width: int = 16
    keep: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width < 1 or not 0.0 <= self.keep < 1.0:
            msg = (
                f"`width >= 1` and `0 <= keep < 1` must hold for a flow, but got {self.width=}, {self.keep=}: "
                "16 and 0.5 suit most networks"
            )
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        names = tuple(f"flow {pool} {k}" for pool in _POOLS for k in range(self.width))
        groups = tuple(f"flow {pool.split()[0]}" for pool in _POOLS for _ in range(self.width))
        values = encode_graphs(candidates, len(names), self._pooled)
        return Encoding(values, names, groups, np.zeros(len(names), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """Width, share and seed."""
        return {"width": self.width, "keep": self.keep, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, float]) -> Flow:
        """Inverse of `to_config`."""
        return cls(width=int(config["width"]), keep=float(config["keep"]), seed=int(config["seed"]))

    def _pooled(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G columns"]:
        joined = JoinedGraphs(graphs)
        texts, index = joined.classes
        vectors = np.stack([self._random(f"class {text}", self.width, 1)[:, 0] for text in texts])
        sizes = np.log2(1.0 + np.concatenate([g.out_shape for g in graphs])) / 16.0
        known = np.concatenate([vectors[index], sizes], axis=1)
        forward = self._flow(joined.edges, joined.levels, known, "forward")
        against = joined.levels.max() - joined.levels  # an order in which each consumer comes before its inputs
        backward = self._flow(joined.edges[:, ::-1], against, forward, "backward")
        blocks = []
        for f, end in ((forward, joined.fan_out == 0), (backward, joined.fan_in == 0)):
            total = np.add.reduceat(f, joined.starts)
            ends = np.add.reduceat(f * end[:, None], joined.starts)
            n_ends = np.add.reduceat(end, joined.starts, dtype=np.int64)
            blocks += [total / joined.sizes[:, None], np.log2(1.0 + total), ends / n_ends[:, None]]
        return np.asarray(np.concatenate(blocks, axis=1))

    def _flow(
        self, edges: Int[np.ndarray, "E 2"], levels: Int[np.ndarray, " N"], known: Float[np.ndarray, "N k"], way: str
    ) -> Float[np.ndarray, "N w"]:
        """Messages of all nodes, level by level; an edge leads to a higher level."""
        own = known @ self._random(f"{way} own", known.shape[1], self.width)
        mixing = self._random(f"{way} inputs", self.width, self.width)
        mixing /= np.linalg.norm(mixing, 2)
        messages: np.ndarray = (1.0 - self.keep) * np.maximum(own, 0.0)  # those of nodes without inputs
        for step in steps(edges, levels):
            heads, m = step.heads, step.join(messages[step.source]) / step.fan_in
            messages[heads] = self.keep * m + (1.0 - self.keep) * np.maximum(own[heads] + m @ mixing, 0.0)
        return np.asarray(messages)

    def _random(self, what: str, rows: int, columns: int) -> Float[np.ndarray, "rows columns"]:
        """Weights of variance 1 / rows, a function of the seed and of what they are for."""
        numbers = np.arange(rows * columns, dtype=np.uint64) + np.uint64(hash_text(f"flow {self.seed} {what}") // 2)
        return np.asarray(uniform(numbers).reshape(rows, columns) * np.sqrt(3.0 / rows))
