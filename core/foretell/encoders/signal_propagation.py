"""Encoder of graphs: what a network does to signals and gradients before training, by formula, and along which paths.

Numbers that zero-cost proxies measure on a network with random weights, here computed from the graph alone, in a
millisecond: how well neighbouring pixels are told apart (NASWOT), logarithms of sums over paths of the gains of their
operators (SynFlow, Tanaka et al., 2020, https://arxiv.org/abs/2006.05467), the trace of the tangent kernel and how
evenly it spreads over layers, the depth that a signal really meets. No column names a kind of cell: a maximum and a
mean over a window are one thing, a convolution counts by its window, fan-in and parameters. So columns mean the same
in families that share no operator; what is learnt on one can be used on another (see
`foretell.surrogates.InvariantRidge`).

Blocks, each a group of columns; `OWN` are the numbers of an operator that are counted along paths:
    sizes: logarithms of parameters, FLOPs and nodes.
    moments: of the output, see `MeanField`: log q, near / q, far / q.
    activations: log of the number of units, root of the number of rectifiers, mean angle over units, log and plain
        sums.
    gradients: log of the trace, entropy of its parts, the same over the log of their number, mean and deviation of the
        log gradient of convolutions, mean depth of where the trace lies, log gradient of the input; the first two again
        with each convolution as one.
    totals: roots of the sums of OWN over operators.
    walks: OWN along a walk back from the output that chooses uniformly among inputs.
    signals: the same for a walk that chooses an input by its share of the mean square.
    spreads: deviation of convolutions and of windows between such walks, by signal and uniform.
    paths: log of the sum over paths of exp(b n), n one of OWN summed along the path, the same for the mean over paths,
        and the log of the number of paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.joined_graphs import encode_graphs
from foretell.encoders.mean_field import MeanField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

OWN = ("conv", "wide_conv", "log_taps", "window", "rectifier", "pool", "log_gain", "log_params")
"""Of an operator: being a convolution, one with a window, log of the taps of its window, window in pixels of the input
over 32, being a rectifier, being a pooling that keeps the size, half the log of a convolution's fan-in, its log
params."""
_POWERS = (
    ("conv", 1.0), ("conv", -1.0), ("conv", 0.3), ("log_taps", 0.5), ("log_taps", 1.0), ("log_taps", -0.5),
    ("log_gain", 1.0), ("log_gain", 0.5), ("log_gain", -0.5), ("pool", 1.0), ("pool", -1.0), ("log_params", 0.3),
    ("log_params", -0.3),
)  # fmt: skip
_SPREAD = ("conv", "window")
_BLOCKS: dict[str, tuple[str, ...]] = {
    "sizes": ("log_params", "log_flops", "log_nodes"),
    "moments": ("log_q", "near", "far"),
    "activations": ("log_units", "rectifiers", "angle", "log_angles", "angles"),
    "gradients": ("log_trace", "entropy", "evenness", "log_gradient", "log_gradient_std", "trace_depth", "log_input",
                  "log_trace_each", "entropy_each"),
    "totals": tuple(f"total_{k}" for k in OWN),
    "walks": tuple(f"walk_{k}" for k in OWN),
    "signals": tuple(f"signal_{k}" for k in OWN),
    "spreads": (*(f"signal_spread_{k}" for k in _SPREAD), *(f"walk_spread_{k}" for k in _SPREAD)),
    "paths": (*(f"paths_{k}_{b:g}" for k, b in _POWERS), *(f"mean_path_{k}_{b:g}" for k, b in _POWERS), "log_paths"),
}  # fmt: skip
_NAMES = tuple(name for names in _BLOCKS.values() for name in names)
_GROUPS = tuple(f"signal {block}" for block, names in _BLOCKS.items() for _ in names)


@dataclass(frozen=True)
class SignalPropagation:
    """Some seventy numbers that describe any computation graph of convolutions.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> found = SignalPropagation().encode([Candidate(nasbench201.graph((2, 2, 2, 2, 2, 2)))])
    >>> round(found.values[0, found.names.index("total_conv")] ** 2)
    97
    """

    name: ClassVar[str] = "signal_propagation"

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        values = encode_graphs(candidates, len(_NAMES), _columns)
        return Encoding(values, _NAMES, _GROUPS, np.zeros(len(_NAMES), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """No settings."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> SignalPropagation:
        """Inverse of `to_config`."""
        del config
        return cls()


def _columns(graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G columns"]:
    field = MeanField(graphs)
    params = np.concatenate([g.node_params for g in graphs]).astype(np.float64)
    own = _own(field, graphs, params)
    means, squares = _walked(field, own)
    (walk, signal), (walk_square, signal_square) = means.swapaxes(0, 1), squares.swapaxes(0, 1)
    spread = [OWN.index(k) for k in _SPREAD]
    deviations = [
        np.sqrt(np.maximum(square[:, spread] - mean[:, spread] ** 2, 0.0))
        for mean, square in ((signal, signal_square), (walk, walk_square))
    ]
    total = np.sqrt(_total(field, own))
    ends = field.joined.fan_out == 0
    q = field.q
    moments = np.column_stack([np.log(q), field.near / q, field.far / q])
    whole = np.array([[g.params, g.flops, len(g)] for g in graphs], dtype=np.float64)
    blocks = {
        "sizes": np.log1p(whole),
        "moments": _at(field, ends, moments),
        "activations": _activations(field),
        "gradients": _gradients(field, params, walk[:, OWN.index("conv")]),
        "totals": total,
        "walks": _at(field, ends, walk),
        "signals": _at(field, ends, signal),
        "spreads": _at(field, ends, np.concatenate(deviations, axis=1)),
        "paths": _paths(field, own),
    }
    return np.concatenate([blocks[block] for block in _BLOCKS], axis=1)


def _own(field: MeanField, graphs: Sequence[ComputationGraph], params: np.ndarray) -> Float[np.ndarray, "N 8"]:
    conv, kernel, joined = field.conv, np.maximum(field.kernel, 1.0), field.joined
    groups = np.concatenate([g.groups for g in graphs]).astype(np.float64)
    dilation = np.concatenate([g.dilation for g in graphs]).max(axis=1).astype(np.float64)
    height = np.maximum(field.in_shape[:, 1], 1.0)
    pixel = np.minimum(np.maximum.reduceat(height, joined.starts)[joined.owner] / height, 64.0)  # of the input
    fan_in = np.where(conv, np.maximum(kernel**2 * field.in_shape[:, 0] / groups, 1.0), 1.0)
    return np.column_stack([
        conv, conv & (kernel > 1), np.where(conv, 2.0 * np.log(kernel), 0.0),
        np.where(conv | field.pool, (kernel - 1.0) * dilation * pixel / 32.0, 0.0),
        field.rectifier, field.pool & (field.stride == 1), 0.5 * np.log(fan_in), np.where(conv, np.log1p(params), 0.0),
    ]).astype(np.float64)  # fmt: skip


def _walked(
    field: MeanField, own: Float[np.ndarray, "N F"]
) -> tuple[Float[np.ndarray, "N 2 F"], Float[np.ndarray, "N 2 F"]]:
    """Mean of the sum and of its square along walks back from each node: uniform ones, and by shares."""
    width = own.shape[1]
    walks = np.tile(np.concatenate([own, own**2], axis=1)[:, None, :], (1, 2, 1))  # (N, 2, 2F)
    weights = np.stack([1.0 / field.fan_in, field.shares], axis=1)[:, :, None]
    for step in field.steps:
        before = step.join(walks[step.source] * weights[step.edges])
        before[:, :, width:] += 2.0 * own[step.heads][:, None, :] * before[:, :, :width]
        walks[step.heads] += before
    return walks[:, :, :width], walks[:, :, width:]


def _paths(field: MeanField, own: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "G columns"]:
    sums = np.column_stack([*(b * own[:, OWN.index(k)] for k, b in _POWERS), np.zeros(len(own))])
    for step in field.steps:
        sums[step.heads] += step.join(sums[step.source], np.logaddexp)
    ends = np.flatnonzero(field.joined.fan_out == 0)
    first = np.searchsorted(field.joined.owner[ends], np.arange(len(field.joined)))
    found = np.logaddexp.reduceat(sums[ends], first)
    return np.concatenate([found[:, :-1], found[:, :-1] - found[:, -1:], found[:, -1:]], axis=1)


def _activations(field: MeanField) -> Float[np.ndarray, "G 5"]:
    units = field.pixels * np.maximum(field.out_shape[:, 0], 1.0) * field.rectifier
    number, apart = _total(field, units), _total(field, units * field.angle)
    return np.column_stack([
        np.log1p(number), np.sqrt(_total(field, field.rectifier.astype(np.float64))), apart / np.maximum(number, 1.0),
        np.log1p(apart), _total(field, field.angle),
    ])  # fmt: skip


def _gradients(field: MeanField, params: np.ndarray, depth: np.ndarray) -> Float[np.ndarray, "G 9"]:
    conv = field.conv.astype(np.float64)
    each = field.gradient * field.pixels * conv
    number = np.maximum(_total(field, conv), 1.0)
    log_gradient = np.log(np.where(field.conv, np.maximum(each, 1e-300), 1.0))
    mean = _total(field, log_gradient) / number
    deviation = np.sqrt(np.maximum(_total(field, log_gradient**2) / number - mean**2, 0.0))
    trace, parts, entropy = _parts(field, each * params)
    trace_each, _, entropy_each = _parts(field, each)
    at_input = _at(field, field.joined.fan_in == 0, field.gradient[:, None])[:, 0]
    return np.column_stack([
        _log(trace), entropy, entropy / np.log1p(number), mean, deviation, _total(field, parts * depth), _log(at_input),
        _log(trace_each), entropy_each,
    ])  # fmt: skip


def _parts(field: MeanField, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum of each graph, the share of each node in it, and the entropy of the shares."""
    total = _total(field, values)
    parts = values / np.maximum(total, 1e-300)[field.joined.owner]
    return total, parts, -_total(field, np.where(parts > 0, parts * np.log(np.maximum(parts, 1e-300)), 0.0))


def _log(values: np.ndarray) -> np.ndarray:
    """Logarithm where there is something, else 0."""
    return np.asarray(np.log(np.where(values > 0, np.maximum(values, 1e-300), 1.0)))


def _total(field: MeanField, values: np.ndarray) -> np.ndarray:
    return np.asarray(np.add.reduceat(values, field.joined.starts))


def _at(field: MeanField, where: np.ndarray, values: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "G F"]:
    """Mean over some nodes of each graph."""
    weight = where.astype(np.float64)[:, None]
    return np.asarray(_total(field, values * weight) / np.maximum(_total(field, weight), 1.0))
