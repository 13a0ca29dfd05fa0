"""The class of an operator: its name and its window, `Conv3x3` or `MaxPool2x2/2`.

What the encodings of cells call an operator. Widths, sizes and biases are left out, so that a class means the
same at any depth of a network and in any network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Int

    from foretell.graph import ComputationGraph


def operator_classes(graphs: Sequence[ComputationGraph]) -> tuple[tuple[str, ...], Int[np.ndarray, " N"]]:
    """Classes of all nodes of some graphs, one graph after the other.

    A class reads `name`, then `HxW` where there is a window, then `/stride` and `d` with the dilation where
    these exceed 1 (the larger of the two directions).

    Returns:
        The classes that occur, sorted, and for each of the N nodes the position of its class among them.

    >>> from foretell.capture import nasbench201
    >>> operator_classes([nasbench201.cells((2, 1, 0, 1, 4, 3))[0]])
    (('AvgPool3x3', 'Conv3x3', 'Identity', 'Input', 'Output'), array([3, 1, 2, 0, 4]))
    """
    op = np.concatenate([g.op for g in graphs]).astype(np.int64)
    kernel = np.concatenate([g.kernel for g in graphs]).astype(np.int64)
    stride = np.concatenate([g.stride for g in graphs]).max(axis=1).astype(np.int64)
    dilation = np.concatenate([g.dilation for g in graphs]).max(axis=1).astype(np.int64)
    window, steps = _number(op, kernel[:, 0], kernel[:, 1]), _number(stride, dilation)
    _, first, index = np.unique(window * (steps.max() + 1) + steps, return_index=True, return_inverse=True)
    texts = []
    for i in first.tolist():
        (height, width), s, d = kernel[i].tolist(), int(stride[i]), int(dilation[i])
        text = operation(int(op[i])).name + (f"{height}x{width}" if height or width else "")
        texts.append(text + (f"/{s}" if s > 1 else "") + (f"d{d}" if d > 1 else ""))
    classes = sorted(set(texts))
    position = {text: i for i, text in enumerate(classes)}
    return tuple(classes), np.array([position[text] for text in texts])[index]


def _number(*columns: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """One number for each row of columns, equal where the rows are; columns below 2^16 in size, at most three."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * 2**16 + (column + 2**15)
    return np.asarray(np.unique(key, return_inverse=True)[1])
