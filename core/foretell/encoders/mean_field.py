"""How signals and gradients spread in an infinitely wide network at initialisation, without a weight being drawn.

Mean-field theory (Poole et al., 2016, https://arxiv.org/abs/1606.05340; Schoenholz et al., 2017,
https://arxiv.org/abs/1611.01232; with normalisation Yang et al., 2019, https://arxiv.org/abs/1902.08129): second
moments of activations pass an operator by a formula, and gradients pass it backwards. For any graph; what is no
convolution, normalisation, rectifier, pooling, sum or concatenation passes moments on. Ours: three moments instead of
a kernel matrix, inputs of a sum taken as uncorrelated, every activation as a rectifier, a maximum as a mean.

Notation: G graphs, N nodes and E edges of all of them together. q: mean square of a node's output. near: mean product
with the output at the pixel beside it. far: mean product with the output for another image. g: mean square of the
gradient of the output. The input has q = 1, near = .75, far = 0, the output g = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders.joined_graphs import JoinedGraphs
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, Int

    from foretell.graph import ComputationGraph

_NEAR = 0.75  # of neighbouring pixels of an image; photographs have more, and the columns change little
_LEAST, _MOST = 1e-200, 1e200
CONVOLUTIONS = ("Conv", "Depthwise", "ConvTranspose")
_NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm")
_RECTIFIERS = ("ReLU", "ReLU6", "Swish", "GELU", "HardSwish", "LeakyReLU", "ELU")
_POOLS = ("MaxPool", "AvgPool")


@dataclass(frozen=True, eq=False)
class Step:
    """The nodes of one level, with the edges that reach them.

    Args:
        source: Where each edge begins, edges of one node next to each other.
        heads: The nodes.
        first: The first edge of each node.
        of: Position in `heads` of each edge's node.
    """

    source: Int[np.ndarray, " e"]
    heads: Int[np.ndarray, " h"]
    first: Int[np.ndarray, " h"]
    of: Int[np.ndarray, " e"]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum over the edges of each node."""
        return np.asarray(np.add.reduceat(values, self.first))


class MeanField:
    """Moments and gradients of all nodes of some graphs.

    Args:
        graphs: The graphs, at least one.

    Attributes:
        joined: The graphs side by side.
        conv: Convolutions, depthwise ones included.
        rectifier: Activations.
        pool: Poolings with a window.
        kernel: Larger side of the window, N; stride likewise.
        q: Mean square of the outputs, N; near and far likewise.
        angle: Of a rectifier, the angle between its inputs at neighbouring pixels over pi: the share of units that tell
            the two apart (of NASWOT's kernel, Mellor et al., 2021, https://arxiv.org/abs/2006.04647); else 0.
        steps: The edges, level by level.
        shares: For each step, the part of the target's mean square that comes over each edge.
        gradient: Mean square of the gradient of each node's output, N.

    >>> from foretell.capture import nasbench201
    >>> field = MeanField([nasbench201.graph((2, 2, 2, 2, 2, 2))])
    >>> bool(np.allclose(field.q[field.normed], 1.0)), round(float(field.angle.max()), 2)
    (True, 0.49)
    """

    def __init__(self, graphs: Sequence[ComputationGraph]) -> None:
        self.joined = JoinedGraphs(graphs)
        op = np.concatenate([g.op for g in graphs])
        self.kernel = np.concatenate([g.kernel for g in graphs]).max(axis=1).astype(np.float64)
        self.stride = np.concatenate([g.stride for g in graphs]).max(axis=1).astype(np.float64)
        self.in_shape = np.concatenate([g.in_shape for g in graphs]).astype(np.float64)
        self.out_shape = np.concatenate([g.out_shape for g in graphs]).astype(np.float64)
        self.pixels = np.maximum(self.out_shape[:, 1] * self.out_shape[:, 2], 1.0)
        self.conv, self.normed = _is(op, CONVOLUTIONS), _is(op, _NORMS)
        self.rectifier, self.pool = _is(op, _RECTIFIERS), _is(op, _POOLS)
        self._concat, self._product = _is(op, ("Concat",)), _is(op, ("Mul", "BatchMatMul", "Max", "Min"))
        self._linear, self._mean = self.conv | _is(op, ("MatMul",)), _is(op, ("Mean",))
        n = len(op)
        self.q, self.near, self.far = np.ones(n), np.full(n, _NEAR), np.zeros(n)
        self.angle, self._before = np.zeros(n), np.ones(n)
        self.steps = list(_levels(self.joined))
        self.shares = [self._arrive(step) for step in self.steps]
        self.gradient = self._backward()

    def _arrive(self, step: Step) -> Float[np.ndarray, " e"]:
        """Moments of one level's nodes; gives the shares of their inputs."""
        source, heads = step.source, step.heads
        channels = np.where(self._concat[heads][step.of], np.maximum(self.out_shape[source, 0], 1.0), 1.0)
        number = step.sum(np.ones(len(source)))
        divisor = np.select([self._concat[heads], self._product[heads]], [step.sum(channels), number], 1.0)
        weight = channels / divisor[step.of]
        q, near, far = (step.sum(moment[source] * weight) for moment in (self.q, self.near, self.far))
        parts = self.q[source] * channels
        self._apply(heads, np.clip(q, _LEAST, _MOST), near, far)
        return np.asarray(parts / step.sum(parts)[step.of])

    def _apply(self, heads: Int[np.ndarray, " h"], q: np.ndarray, near: np.ndarray, far: np.ndarray) -> None:
        normed, bent, pooled = self.normed[heads], self.rectifier[heads], self.pool[heads]
        spread = np.maximum(q - far, 1e-9)  # normalisation takes off what all images share
        self._before[heads[normed]] = spread[normed]
        near, far, q = (
            np.where(normed, (near - far) / spread, near),
            np.where(normed, 0.0, far),
            np.where(normed, 1.0, q),
        )
        angle = np.arccos(np.clip(near / q, -1.0, 1.0)) / np.pi
        self.angle[heads[bent]] = angle[bent]
        near, far = np.where(bent, rectified(q, near), near), np.where(bent, rectified(q, far), far)
        q = np.where(bent, q / 2.0, q)
        taps = np.maximum(self.kernel[heads] ** 2, 1.0)
        smooth = np.where(pooled, q / taps + (1.0 - 1.0 / taps) * near, q)
        self.near[heads] = np.where(
            pooled, 2.0 / 3.0 * smooth + near / 3.0, near
        )  # windows of neighbours overlap by 2/3
        self.q[heads], self.far[heads] = np.maximum(smooth, _LEAST), far

    def _backward(self) -> Float[np.ndarray, " N"]:
        """Gradients; what an operator does to the one that arrives is a factor of its own."""
        channels = np.maximum(self.out_shape[:, 0], 1.0) / np.maximum(self.in_shape[:, 0], 1.0)
        before = np.maximum(self.in_shape[:, 1] * self.in_shape[:, 2], 1.0)
        factor = np.where(self._linear, channels * self.pixels / before, 1.0)
        factor = np.where(self.normed, 1.0 / self._before, factor)
        factor = np.where(self.rectifier, 0.5, factor)
        factor = np.where(self.pool, 1.0 / np.maximum(self.kernel, 1.0) ** 2, factor)
        factor = np.where(self._mean, 1.0 / before**2, factor)
        joined = self.joined
        gradient = np.where(joined.fan_out == 0, 1.0, 0.0)
        target, source = joined.edges[:, 1], joined.edges[:, 0]
        order = np.lexsort((source, -joined.levels[source]))
        target, source = target[order], source[order]
        cuts = np.flatnonzero(np.diff(joined.levels[source])) + 1
        for low, high in pairwise([0, *cuts.tolist(), len(source)]):
            if high == low:
                continue
            heads, first = np.unique(source[low:high], return_index=True)
            arriving = gradient[target[low:high]] * factor[target[low:high]]
            gradient[heads] = np.clip(np.add.reduceat(arriving, first), _LEAST, _MOST)
        return np.asarray(gradient)


def rectified(q: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Mean product of two rectified Gaussians of variance q and covariance c (Cho and Saul, 2009, degree 1).

    >>> rectified(np.array([1.0, 1.0]), np.array([1.0, 0.0])).round(4).tolist()  # 1 / 2 and 1 / (2 pi)
    [0.5, 0.1592]
    """
    r = np.clip(c / q, -1.0, 1.0)
    return np.asarray(q * (np.sqrt(1.0 - r * r) + (np.pi - np.arccos(r)) * r) / (2.0 * np.pi))


def _is(op: Int[np.ndarray, " N"], names: Sequence[str]) -> Bool[np.ndarray, " N"]:
    return np.isin(op, [operation(name).id for name in names])


def _levels(joined: JoinedGraphs) -> Iterator[Step]:
    edges, levels = joined.edges, joined.levels
    order = np.lexsort((edges[:, 1], levels[edges[:, 1]]))
    source, target = edges[order, 0], edges[order, 1]
    bounds = np.searchsorted(levels[target], np.arange(1, levels.max() + 2))
    for low, high in pairwise(bounds.tolist()):
        if high > low:
            heads, first, of = np.unique(target[low:high], return_index=True, return_inverse=True)
            yield Step(source[low:high], heads, first, of)
