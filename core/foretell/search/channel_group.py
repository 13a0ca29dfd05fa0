"""Which operators must change their width together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError
from foretell.search.shape_inference import CHANNEL_MAKERS, JOINS

if TYPE_CHECKING:
    from foretell.search.draft import Draft

_FOLLOWERS = frozenset({
    "Depthwise", "BatchNorm", "ReLU", "ReLU6", "Sigmoid", "Tanh", "Swish", "GELU", "HardSwish", "HardSigmoid",
    "LeakyReLU", "ELU", "Softplus", "Identity", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm", "MaxPool",
    "AvgPool", "Mean", "Global", "Pad", "Concat", "Slice",
})  # fmt: skip


def channel_group(draft: Draft, maker: int) -> set[int]:
    """The operators that choose a width which must stay equal, or in proportion, to that of one of them.

    Widths travel unchanged through normalisation, activation, pooling and depthwise convolution. A sum or product ties
    the widths of all its inputs; a concatenation ties its inputs only where its own width is tied. A slice of channels
    chooses its own width.

    Args:
        draft: A graph under edit.
        maker: Number of a convolution or matrix product.

    Returns:
        Numbers of convolutions, matrix products and slices.

    Raises:
        InvalidArchitectureError: If the width is the input's or the output's, or an operator ties it in another way.
    """
    consumers: dict[int, list[int]] = {i: [] for i in draft.steps}
    for i, step in draft.steps.items():
        for a in step.sources:
            consumers[a].append(i)
    makers: set[int] = set()
    down: set[int] = set()  # steps whose output changes its width
    tied: set[int] = set()  # of these, those that change by exactly the factor
    waiting = [(maker, True)]
    while waiting:
        i, exact = waiting.pop()
        if i in tied or (i in down and not exact):
            continue
        node = draft.steps[i].node
        first = i not in down
        down.add(i)
        if exact:
            tied.add(i)
            if node.op in CHANNEL_MAKERS or _cuts(draft, i):
                makers.add(i)
            elif node.op in _FOLLOWERS | JOINS:
                waiting += [(a, True) for a in draft.steps[i].sources if not _gives_one(draft, a, i)]
            else:
                msg = f"a width must be free, but that of node {maker} is tied to {node.op}: change another"
                raise InvalidArchitectureError(msg)
        if first or exact:
            for j in consumers[i]:
                op = draft.steps[j].node.op
                if op == "Output":
                    msg = f"the output's width must stay, but node {maker} decides it: change another"
                    raise InvalidArchitectureError(msg)
                if op in JOINS:
                    waiting.append((j, True))
                elif op in _FOLLOWERS and not _cuts(draft, j):
                    waiting.append((j, exact and op != "Concat"))
    return makers


def _cuts(draft: Draft, i: int) -> bool:
    node = draft.steps[i].node
    return node.op == "Slice" and node.in_shape[0] != node.out_shape[0]


def _gives_one(draft: Draft, source: int, join: int) -> bool:
    """Whether a source of a join has one channel, broadcast over all."""
    return draft.steps[source].node.out_shape[0] == 1 != draft.steps[join].node.out_shape[0]
