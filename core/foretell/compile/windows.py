"""What a node does not say of its window: the padding, which follows from the sizes before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import Node, Shape


def padding(size: int, out: int, kernel: int, stride: int, dilation: int = 1, most: int | None = None) -> int | None:
    """The symmetric padding with which a window makes `out` of `size`, half the window where that fits.

    Args:
        size: Height or width before.
        out: The same after.
        kernel: Taps of the window.
        stride: Its step.
        dilation: Spacing of its taps.
        most: Largest padding allowed, by default all that the window reaches over.

    Returns:
        The padding, None if there is none.

    >>> padding(32, 16, 3, 2), padding(32, 30, 3, 1), padding(31, 16, 2, 1)
    (1, 0, None)
    """
    reach = dilation * (kernel - 1)
    most = reach if most is None else most
    p: int
    for p in (reach // 2, *range(reach + 1)):
        if p <= most and size + 2 * p > reach and (size + 2 * p - reach - 1) // stride + 1 == out:
            return p
    return None


def paddings(node: Node, *, half: bool = False) -> tuple[int, int]:
    """Padding along height and width.

    Args:
        node: A convolution or pooling.
        half: Whether at most half the window may be padded, as pooling demands.

    Raises:
        InvalidArchitectureError: If no symmetric padding gives the node's output.
    """
    found = [
        padding(*sizes, most=sizes[2] // 2 if half else None)
        for sizes in zip(node.in_shape[1:], node.out_shape[1:], node.kernel, node.stride, node.dilation, strict=True)
    ]
    if None in found or 0 in node.kernel:
        msg = (
            f"a window needs a symmetric padding that gives its output, but {node.kernel} with stride {node.stride} "
            f"does not lead from {node.in_shape} to {node.out_shape}: put a Pad operator before it"
        )
        raise InvalidArchitectureError(msg)
    return found[0] or 0, found[1] or 0


def pool(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Maximum or mean over a window; padded zeros count for nothing.

    A pooling that gives a fixed size (`AdaptiveAvgPool2d(7)`) is stored by the window that it amounts to; where no
    padding of that window gives the size, it is rebuilt as what it was.
    """
    del inputs
    largest = node.op == "MaxPool"
    for ceil in (False, True):
        try:
            if not ceil:
                sides = paddings(node, half=True)
            elif not all(map(_rounds_up, node.in_shape[1:], node.out_shape[1:], node.kernel, node.stride)):
                continue
            else:
                sides = (0, 0)
        except InvalidArchitectureError:
            continue
        if largest:
            return nn.MaxPool2d(node.kernel, node.stride, sides, dilation=node.dilation, ceil_mode=ceil)
        return nn.AvgPool2d(node.kernel, node.stride, sides, ceil_mode=ceil, count_include_pad=False)
    needed = tuple(-(-a // b) for a, b in zip(node.in_shape[1:], node.out_shape[1:], strict=True))
    if needed == node.kernel == node.stride:
        return (nn.AdaptiveMaxPool2d if largest else nn.AdaptiveAvgPool2d)(node.out_shape[1:])
    paddings(node, half=True)  # raises our error
    raise AssertionError


def _rounds_up(size: int, out: int, kernel: int, stride: int) -> bool:
    return 0 < kernel <= size and -(-(size - kernel) // stride) + 1 == out and (out - 1) * stride < size
