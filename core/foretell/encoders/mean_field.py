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
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.encoders.joined_graphs import JoinedGraphs
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, Int

    from foretell.graph import ComputationGraph

    Moments: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]

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
        edges: Where the level's edges lie among all, in the order of `MeanField.source`.
        source: Where each edge begins, edges of one node next to each other.
        heads: The nodes.
        first: The first edge of each node.
    """

    edges: slice
    source: Int[np.ndarray, " e"]
    heads: Int[np.ndarray, " h"]
    first: Int[np.ndarray, " h"]

    def join(self, values: np.ndarray, ufunc: np.ufunc = np.add) -> np.ndarray:
        """Sum, or what another function makes, over the edges of each node; most nodes have one edge."""
        return values if len(self.heads) == len(self.source) else np.asarray(ufunc.reduceat(values, self.first))


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
        source: Where each edge begins, in the order of the steps.
        fan_in: How many edges reach the node that each edge reaches.
        shares: The part of the target's mean square that comes over each edge.
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
        self._moments = np.tile([1.0, _NEAR, 0.0], (n, 1))
        self.angle, self._before = np.zeros(n), np.ones(n)
        self.source, heads, first, self.steps = _levels(self.joined)
        fan_in = np.diff(first, append=len(self.source))
        self.fan_in = np.repeat(fan_in, fan_in)
        target = np.repeat(heads, fan_in)
        channels = np.where(self._concat[target], np.maximum(self.out_shape[self.source, 0], 1.0), 1.0)
        if len(heads):
            divisor = np.where(self._product[heads], fan_in, 1.0)
            divisor = np.where(self._concat[heads], np.add.reduceat(channels, first), divisor)
            self._forward(channels / np.repeat(divisor, fan_in))
        parts = self._moments[self.source, 0] * channels
        whole = np.repeat(np.add.reduceat(parts, first), fan_in) if len(heads) else parts
        self.shares: Float[np.ndarray, " E"] = parts / whole
        self.q, self.near, self.far = np.ascontiguousarray(self._moments.T)
        self.gradient = self._backward()

    def _forward(self, weights: Float[np.ndarray, " E"]) -> None:
        """Moments of all nodes, level by level; an edge brings its source's times its weight."""
        moments, weight = self._moments, weights[:, None]
        kinds = self.normed.astype(np.int8) | self.rectifier.astype(np.int8) << 1 | self.pool.astype(np.int8) << 2
        for step in self.steps:
            arrived = step.join(moments[step.source] * weight[step.edges])
            np.clip(arrived[:, 0], _LEAST, _MOST, out=arrived[:, 0])
            here = kinds[step.heads]
            if here.any():
                for change, bit in ((self._normalise, 1), (self._rectify, 2), (self._smooth, 4)):
                    rows = np.flatnonzero(here & bit)
                    if len(rows):
                        arrived[rows] = np.stack(change(step.heads[rows], *arrived[rows].T), axis=1)
            moments[step.heads] = arrived

    def _normalise(self, heads: np.ndarray, q: np.ndarray, near: np.ndarray, far: np.ndarray) -> Moments:
        """What all images share is taken off."""
        self._before[heads] = spread = np.maximum(q - far, 1e-9)
        return np.ones_like(q), (near - far) / spread, np.zeros_like(q)

    def _rectify(self, heads: np.ndarray, q: np.ndarray, near: np.ndarray, far: np.ndarray) -> Moments:
        self.angle[heads] = np.arccos(np.clip(near / q, -1.0, 1.0)) / np.pi
        return q / 2.0, rectified(q, near), rectified(q, far)

    def _smooth(self, heads: np.ndarray, q: np.ndarray, near: np.ndarray, far: np.ndarray) -> Moments:
        """Windows of neighbours overlap by two thirds."""
        taps = np.maximum(self.kernel[heads] ** 2, 1.0)
        smooth = q / taps + (1.0 - 1.0 / taps) * near
        return np.maximum(smooth, _LEAST), 2.0 / 3.0 * smooth + near / 3.0, far

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
        first = np.flatnonzero(np.diff(source, prepend=-1))
        heads = source[first]
        bounds = np.flatnonzero(np.diff(joined.levels[heads], prepend=-1)).tolist()
        factors = factor[target]
        for low, high in pairwise([*bounds, len(heads)]):
            begin, end = first[low], first[high] if high < len(heads) else len(source)
            arriving = gradient[target[begin:end]] * factors[begin:end]
            if end - begin > high - low:
                arriving = np.add.reduceat(arriving, first[low:high] - begin)
            gradient[heads[low:high]] = np.clip(arriving, _LEAST, _MOST)
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


def _levels(joined: JoinedGraphs) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Step]]:
    """Sources of all edges by level and target, the targets, the first edge of each, and the levels."""
    edges, levels = joined.edges, joined.levels
    order = np.lexsort((edges[:, 1], levels[edges[:, 1]]))
    source, target = edges[order, 0], edges[order, 1]
    first = np.flatnonzero(np.diff(target, prepend=-1))
    heads = target[first]
    bounds = np.flatnonzero(np.diff(levels[heads], prepend=-1)).tolist()
    found = []
    for low, high in pairwise([*bounds, len(heads)]):
        begin, end = int(first[low]), int(first[high]) if high < len(heads) else len(source)
        found.append(Step(slice(begin, end), source[begin:end], heads[low:high], first[low:high] - begin))
    return source, heads, first, found
