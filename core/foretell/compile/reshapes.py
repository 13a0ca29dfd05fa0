"""Operators that change a tensor's sizes without weights: means, slices, pads, splits, resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foretell.graph import Node, Shape


class _Call(nn.Module):
    """A function of one tensor with settings."""

    def __init__(self, name: str, *settings: object) -> None:
        super().__init__()
        self.name, self.settings = name, settings

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        result: torch.Tensor | tuple[torch.Tensor, ...] = _CALLS[self.name](x, *self.settings)
        return result

    def extra_repr(self) -> str:
        return ", ".join(map(str, (self.name, *self.settings)))


def mean(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """The mean over every dimension that is 1 afterwards."""
    del inputs
    pairs = list(zip(node.in_shape, node.out_shape, strict=True))
    gone = tuple(i + 1 for i, (a, b) in enumerate(pairs) if b == 1 != a) or (2, 3)
    if any(b not in {1, a} for a, b in pairs):
        msg = f"a mean keeps a dimension or takes it away, but got {node.in_shape} -> {node.out_shape}: pool instead"
        raise InvalidArchitectureError(msg)
    return _Call("mean", gone)


def global_max(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """The maximum over height and width."""
    del node, inputs
    return nn.AdaptiveMaxPool2d(1)


def part(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A part of a tensor: the first channels, the last rows and columns, or the first of a dimension that goes."""
    del inputs
    if all(b <= a for a, b in zip(node.in_shape, node.out_shape, strict=True)):
        return _Call("part", node.out_shape)
    for dim in range(3):
        rest = (*node.in_shape[:dim], *node.in_shape[dim + 1 :])
        if (*rest, 1) == node.out_shape:
            return _Call("first", dim + 1)
    msg = f"a slice is a part of its input, but got {node.in_shape} -> {node.out_shape}: slice before the reshape"
    raise InvalidArchitectureError(msg)


def pad(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A border of zeros, the odd one below or at the right, as many as the sizes say."""
    del inputs
    sides: list[int] = []
    for a, b in reversed(list(zip(node.in_shape, node.out_shape, strict=True))):
        sides += [(b - a) // 2, b - a - (b - a) // 2]
    return _Call("pad", tuple(sides))


def resize(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Nearest neighbours at the size after; which interpolation it was is not stored."""
    del inputs
    return nn.Upsample(size=node.out_shape[1:])


def shuffle(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Space to depth or back."""
    del inputs
    up = node.op == "DepthToSpace"
    small, large = (node.in_shape, node.out_shape) if up else (node.out_shape, node.in_shape)
    factor = large[1] // max(small[1], 1)
    if small != (large[0] * factor**2, large[1] // max(factor, 1), large[2] // max(factor, 1)):
        msg = f"pixels are shuffled by one factor, but got {node.in_shape} -> {node.out_shape}: use F.pixel_shuffle"
        raise InvalidArchitectureError(msg)
    return nn.PixelShuffle(factor) if up else nn.PixelUnshuffle(factor)


def split(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A tensor in parts of one size along one dimension; `chunk_shapes` says which."""
    del inputs
    dim = next(i for i in range(3) if node.in_shape[i] != node.out_shape[i] or i == 2)
    return _Call("split", node.out_shape[dim], dim + 1)


def chunk_shapes(node: Node) -> list[Shape]:
    """Shapes of what a `Split` gives.

    Raises:
        InvalidArchitectureError: If the parts lie along more than one dimension.
    """
    differ = [i for i in range(3) if node.in_shape[i] != node.out_shape[i]]
    if len(differ) > 1 or any(node.out_shape[i] > node.in_shape[i] for i in differ) or 0 in node.out_shape:
        msg = f"a split is along one dimension, but got {node.in_shape} -> {node.out_shape}: use torch.split"
        raise InvalidArchitectureError(msg)
    dim = differ[0] if differ else 2
    size, whole = node.out_shape[dim], node.in_shape[dim]
    sizes = [min(size, whole - at) for at in range(0, whole, size)]
    return [(*node.in_shape[:dim], s, *node.in_shape[dim + 1 :]) for s in sizes]  # type: ignore[misc]


def zeros(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Zeros of a shape, through which nothing is learnt."""
    del inputs
    return _Call("zero", node.out_shape)


def zero(x: torch.Tensor, shape: Shape) -> torch.Tensor:
    """Zeros for every example; one call to whoever records, so that capture sees a `Zero` operator."""
    if has_torch_function_unary(x):
        result: torch.Tensor = handle_torch_function(zero, (x,), x, shape)
        return result
    return x.new_zeros((len(x), *shape))


def identity(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """An operator that changes nothing."""
    del node, inputs
    return _Call("positive")


def softmax(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Softmax over the channels; which dimension it was is not stored."""
    del node, inputs
    return nn.Softmax(dim=1)


_CALLS: dict[str, Callable[..., Any]] = {
    "mean": lambda x, dims: x.mean(dims, keepdim=True),
    "part": lambda x, s: x[:, : s[0], x.shape[2] - s[1] :, x.shape[3] - s[2] :],
    "first": lambda x, dim: x.select(dim, 0).unsqueeze(-1),
    "pad": lambda x, sides: F.pad(x, sides),
    "split": lambda x, size, dim: torch.split(x, size, dim),
    "zero": zero,
    "positive": lambda x: x.positive(),
}
