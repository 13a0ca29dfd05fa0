"""Encoder of graphs: how many operators of each class there are, where, in which order, and on which paths.

In the spirit of GRAF (Kadlecova et al., 2024, "Surprisingly Strong Performance Prediction with Neural Graph Features",
https://arxiv.org/abs/2404.16551), but for any network and not for the cells of one benchmark; beyond GRAF, expected
counts on random walks, which operator follows which, and how deep each lies. Nothing is learnt, and the same network
gives the same columns however its nodes are numbered.

Blocks, each a group of columns (K operator classes, see `graph_batch.CLASSES`):
    sizes: logarithms of parameters, FLOPs, nodes, and of the parameters in each class.
    counts: square roots of the number of operators of each class.
    attributes: most, fewest, expected and total of what operators have (a weight, a window beyond one, weights per
        channel pair, parameters in millions, being an operator at all) along paths from input to output.
    most, fewest: square roots of the most and the fewest operators of a set of classes on a path from input to output.
    soft: logarithm of the sum over paths of exp(2 n) and of exp(-2 n), n the operators of a set of classes on it.
    walks: expected number of each class on a walk back from the output that chooses uniformly among inputs, the same
        for the mean over all paths, and the logarithm of the number of paths.
    entry, exit: square roots of how many operators of each class take the input, or give the output, and their shares.
    first, last: share of walks back from the output whose first operator, counted from the input, is of each class;
        share of walks on from the input, choosing uniformly among consumers, whose last operator is.
    neighbours: square roots of how often an operator of one class directly feeds one of another.
    transitions: expected number of such steps on a walk back from the output.
    depths: mean number of operators up to and from those of each class on, themselves included, on the longest path and
        on a random walk.

Square roots and means, so that a network of twice as many equal cells differs by a factor that scaling removes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.encoders.graph_batch import CLASSES, GraphBatch
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph

_CHUNK = 256  # graphs in one sweep: bounds memory
_K = len(CLASSES)
_SETS = (
    *((k,) for k in range(_K)),
    (0, 1, 2), (3, 4, 5, 6), (1, 2, 3, 4, 5, 6), (9, 10), (0, 9, 10), (9, 10, 11), tuple(range(_K)),
)  # fmt: skip
_IN_SET = np.array([[k in members for members in _SETS] for k in range(_K)], dtype=np.float64)
_SET_NAMES = tuple("+".join(CLASSES[k] for k in members) if len(members) < _K else "any" for members in _SETS)
_ATTRIBUTES = ("weighted", "window", "taps", "params", "operator")
_WEIGHTED = np.array([k < CLASSES.index("attention") for k in range(_K)], dtype=np.float64)
_FROM, _TO = (*CLASSES, "input"), (*CLASSES, "output")
_STEPS = tuple(f"{a}>{b}" for a in _FROM for b in _TO)
_EPSILON = 1e-3  # step of the numerical derivative of the logarithm of the number of paths

_NAMES: dict[str, tuple[str, ...]] = {
    "sizes": ("log_params", "log_flops", "log_nodes", *(f"log_params_{c}" for c in CLASSES)),
    "counts": tuple(f"count_{c}" for c in CLASSES),
    "attributes": tuple(f"{how}_{a}" for how in ("most", "fewest", "walk", "walk_on", "total") for a in _ATTRIBUTES),
    "most": tuple(f"most_{s}" for s in _SET_NAMES),
    "fewest": tuple(f"fewest_{s}" for s in _SET_NAMES),
    "soft": tuple(f"soft{sign}_{s}" for sign in "+-" for s in _SET_NAMES),
    "walks": (*(f"walk_{c}" for c in CLASSES), *(f"path_{c}" for c in CLASSES), "log_paths"),
    "entry": (*(f"entry_{c}" for c in _TO), *(f"entry_share_{c}" for c in _TO)),
    "exit": (*(f"exit_{c}" for c in _FROM), *(f"exit_share_{c}" for c in _FROM)),
    "first": tuple(f"first_{c}" for c in (*CLASSES, "none")),
    "last": tuple(f"last_{c}" for c in (*CLASSES, "none")),
    "neighbours": tuple(f"feeds_{step}" for step in _STEPS),
    "transitions": tuple(f"step_{step}" for step in _STEPS),
    "depths": tuple(
        f"{where}_{c}" for where in ("before", "behind", "walk_before", "walk_behind") for c in (*CLASSES, "any")
    ),
}  # fmt: skip


@dataclass(frozen=True)
class OperatorStatistics:
    """Some hundred numbers that describe any computation graph; those that do not vary cost a surrogate nothing.

    Args:
        blocks: Which blocks, in order.

    Raises:
        InvalidDataError: If there is no block, or one is unknown or named twice.

    >>> from foretell import Candidate
    >>> from foretell.capture import nasbench201
    >>> cells = [Candidate(nasbench201.graph(spec)) for spec in ((2, 2, 2, 2, 2, 2), (0, 0, 0, 0, 0, 2))]
    >>> OperatorStatistics(("counts",)).encode(cells).values[:, 1].round(2).tolist()  # roots of 95 and 20 conv3
    [9.75, 4.47]
    """

    name: ClassVar[str] = "operator_statistics"
    blocks: tuple[str, ...] = tuple(_NAMES)

    def __post_init__(self) -> None:
        if not 0 < len(set(self.blocks)) == len(self.blocks) or not set(self.blocks) <= set(_NAMES):
            msg = f"blocks must be different ones of {list(_NAMES)}, but got {self.blocks}: choose among them"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode graphs, see `Encoder.encode`; a candidate without a graph is absent in all columns."""
        names = tuple(name for block in self.blocks for name in _NAMES[block])
        groups = tuple(block for block in self.blocks for _ in _NAMES[block])
        values = np.full((len(candidates), len(names)), np.nan)
        have = [i for i, c in enumerate(candidates) if c.graph is not None]
        for start in range(0, len(have), _CHUNK):
            rows = have[start : start + _CHUNK]
            graphs = [g for i in rows if (g := candidates[i].graph) is not None]
            swept = _Sweeps(GraphBatch.of(graphs))
            values[rows] = np.concatenate([_BLOCKS[block](swept, graphs) for block in self.blocks], axis=1)
        return Encoding(values, names, groups, np.zeros(len(names), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """The blocks."""
        return {"blocks": list(self.blocks)}

    @classmethod
    def from_config(cls, config: dict[str, list[str]]) -> OperatorStatistics:
        """Inverse of `to_config`."""
        return cls(tuple(config["blocks"]))


@dataclass(frozen=True, eq=False)
class _Sweeps:
    """Sweeps over the levels that several blocks share: one for each way of joining, of all that is joined that way.

    Args:
        batch: The graphs.
    """

    batch: GraphBatch

    @cached_property
    def attributes(self) -> Float[np.ndarray, "N 5"]:
        """Of each node; the last one is whether it is an operator."""
        batch = self.batch
        is_operator = batch.one_hot.sum(axis=1)
        weighted = batch.one_hot @ _WEIGHTED
        kernel = batch.kernel.astype(np.float64)  # the square of a large one does not fit its type
        taps = weighted * kernel**2
        own = np.column_stack([weighted, np.maximum(kernel - 1, 0), taps, batch.params / 1e6, is_operator])
        return np.asarray(own * is_operator[:, None])

    @cached_property
    def sets(self) -> Float[np.ndarray, "N S"]:
        """Whether each node is in each set of classes."""
        return np.asarray(self.batch.one_hot @ _IN_SET)

    @cached_property
    def most(self) -> Float[np.ndarray, "N 5_plus_S"]:
        """Attributes and sets along the path that has most of each."""
        return self.batch.sweep(np.concatenate([self.attributes, self.sets], axis=1), np.maximum)

    @cached_property
    def fewest(self) -> Float[np.ndarray, "N 5_plus_S"]:
        """The same where it has fewest."""
        return self.batch.sweep(np.concatenate([self.attributes, self.sets], axis=1), np.minimum)

    @cached_property
    def walk(self) -> Float[np.ndarray, "N 5_plus_K"]:
        """Attributes and classes along a walk back."""
        return self.batch.walk(np.concatenate([self.attributes, self.batch.one_hot], axis=1))

    @cached_property
    def walk_on(self) -> Float[np.ndarray, "N 5"]:
        """Attributes along a walk on, of nodes in reverse order."""
        return self.batch.reverse.walk(self.attributes[::-1])

    @cached_property
    def log_sums(self) -> Float[np.ndarray, "N F"]:
        """Logarithms of sums over paths of exp of what lies on them: twice the sets, its negative, classes, nothing."""
        soft = 2.0 * self.sets
        classes = _EPSILON * self.batch.one_hot
        return self.batch.sweep(np.concatenate([soft, -soft, classes, np.zeros((len(soft), 1))], axis=1), np.logaddexp)


def _sizes(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    batch = swept.batch
    whole = np.array([[g.params, g.flops, len(g)] for g in graphs], dtype=np.float64)
    found: np.ndarray = np.log1p(np.concatenate([whole, batch.total(batch.one_hot * batch.params[:, None])], axis=1))
    return found


def _counts(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return np.asarray(np.sqrt(swept.batch.total(swept.batch.one_hot)))


def _attributes(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    batch, back, k = swept.batch, swept.batch.reverse, len(_ATTRIBUTES)
    return np.concatenate(
        [
            batch.at_ends(swept.most[:, :k], np.maximum),
            batch.at_ends(swept.fewest[:, :k], np.minimum),
            batch.at_ends(swept.walk[:, :k], np.maximum),
            back.at_ends(swept.walk_on, np.maximum)[::-1],
            np.log1p(batch.total(swept.attributes)),
        ],
        axis=1,
    )


def _most(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return np.asarray(np.sqrt(swept.batch.at_ends(swept.most[:, len(_ATTRIBUTES) :], np.maximum)))


def _fewest(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return np.asarray(np.sqrt(swept.batch.at_ends(swept.fewest[:, len(_ATTRIBUTES) :], np.minimum)))


def _soft(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return swept.batch.at_ends(swept.log_sums[:, : 2 * len(_SETS)], np.logaddexp)


def _walks(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    batch = swept.batch
    log_sums = batch.at_ends(swept.log_sums[:, 2 * len(_SETS) :], np.logaddexp)
    uniform = (log_sums[:, :-1] - log_sums[:, -1:]) / _EPSILON
    walk = batch.at_ends(swept.walk[:, len(_ATTRIBUTES) :], np.maximum)
    return np.concatenate([walk, uniform, log_sums[:, -1:]], axis=1)


def _neighbours(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return np.asarray(np.sqrt(swept.batch.feeds.reshape(swept.batch.size, -1)))


def _entry(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return _with_shares(swept.batch.feeds[:, -1, :])


def _exit(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return _with_shares(swept.batch.feeds[:, :, -1])


def _with_shares(number: Float[np.ndarray, "G F"]) -> Float[np.ndarray, "G two_F"]:
    shares = number / np.maximum(number.sum(axis=1, keepdims=True), 1e-12)
    return np.concatenate([np.sqrt(number), shares], axis=1)


def _first(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    return swept.batch.at_ends(_first_operators(swept.batch), np.maximum)


def _last(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    back = swept.batch.reverse
    return back.at_ends(_first_operators(back), np.maximum)[::-1]


def _first_operators(batch: GraphBatch) -> Float[np.ndarray, "N K_plus_1"]:
    """For each node how likely a walk back from it ends with an operator of each class, the last column: with none."""
    one_hot = np.concatenate([batch.one_hot, 1.0 - batch.one_hot.sum(axis=1, keepdims=True)], axis=1)
    found = one_hot.copy()
    for step in batch.steps:
        heads, before = step.heads, step.join(found[step.source]) / step.fan_in
        found[heads] = before * [*[1.0] * _K, 0.0] + before[:, -1:] * one_hot[heads]
    return found


def _transitions(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    batch = swept.batch
    last, target = batch.feeding.copy(), batch.fed
    steps = np.zeros((len(batch.kind), len(_STEPS)))
    passes = batch.kind < 0
    for step in batch.steps:
        heads, before = step.heads, step.join(last[step.source]) / step.fan_in
        here = (before[:, :, None] * target[heads][:, None, :]).reshape(len(heads), -1)
        steps[heads] = step.join(steps[step.source]) / step.fan_in + here
        through = passes[heads]
        last[heads[through]] = before[through]
    return batch.at_ends(steps, np.maximum)


def _depths(swept: _Sweeps, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, "G F"]:
    del graphs
    batch, back = swept.batch, swept.batch.reverse
    one_hot = np.concatenate([batch.one_hot, batch.one_hot.sum(axis=1, keepdims=True)], axis=1)
    number = np.maximum(batch.total(one_hot), 1.0)
    is_operator = slice(len(_ATTRIBUTES) - 1, len(_ATTRIBUTES))
    depths = (
        swept.most[:, is_operator], back.sweep(one_hot[::-1, -1:], np.maximum)[::-1],
        swept.walk[:, is_operator], swept.walk_on[::-1, is_operator],
    )  # fmt: skip
    return np.concatenate([batch.total(depth * one_hot) / number for depth in depths], axis=1)


_BLOCKS: dict[str, Callable[[_Sweeps, Sequence[ComputationGraph]], np.ndarray]] = {
    "sizes": _sizes, "counts": _counts, "attributes": _attributes, "most": _most, "fewest": _fewest, "soft": _soft,
    "walks": _walks, "entry": _entry, "exit": _exit, "first": _first, "last": _last, "neighbours": _neighbours,
    "transitions": _transitions, "depths": _depths,
}  # fmt: skip
