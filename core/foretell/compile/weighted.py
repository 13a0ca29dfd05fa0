"""Operators with learnt weights: convolutions, matrix products, normalisations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

from foretell.compile.windows import paddings
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from foretell.graph import Node, Shape


def convolution(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A convolution; the padding follows from the sizes."""
    del inputs
    channels, out = node.in_shape[0], node.out_shape[0]
    if channels % node.groups or out % node.groups:
        msg = f"groups must divide the channels, but got {node.groups} for {channels} -> {out}: choose a common divisor"
        raise InvalidArchitectureError(msg)
    return nn.Conv2d(
        channels, out, node.kernel, node.stride, paddings(node), node.dilation, groups=node.groups, bias=node.bias
    )  # fmt: skip


def transposed(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A transposed convolution; paddings on both sides follow from the sizes."""
    del inputs
    sides, extras = [], []
    for size, out, kernel, stride, dilation in zip(
        node.in_shape[1:], node.out_shape[1:], node.kernel, node.stride, node.dilation, strict=True
    ):
        whole = (size - 1) * stride + dilation * (kernel - 1) + 1
        side = max(-(-(whole - out) // 2), 0)
        extra = out - whole + 2 * side
        if not 0 <= extra < max(stride, dilation, 1 + (extra == 0)):
            msg = (
                f"a transposed convolution needs paddings that give its output, but {size} does not lead to {out} "
                f"with window {kernel} and stride {stride}: correct the output's shape"
            )
            raise InvalidArchitectureError(msg)
        sides.append(side)
        extras.append(extra)
    return nn.ConvTranspose2d(
        node.in_shape[0], node.out_shape[0], node.kernel, node.stride, tuple(sides), tuple(extras),  # type: ignore[arg-type]
        groups=node.groups, bias=node.bias, dilation=node.dilation,
    )  # fmt: skip


class _OnLast(nn.Module):
    """A module that works on the last dimension, over channels."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last: torch.Tensor = self.inner(x.permute(0, 2, 3, 1))
        return last.permute(0, 3, 1, 2)


def linear(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A matrix product over the channels."""
    del inputs
    if node.in_shape[1:] != node.out_shape[1:]:
        msg = (
            f"a matrix product keeps height and width, but got {node.in_shape} -> {node.out_shape}: flatten the input "
            "before it"
        )
        raise InvalidArchitectureError(msg)
    return _OnLast(nn.Linear(node.in_shape[0], node.out_shape[0], bias=node.bias))


def batch_norm(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Batch normalisation, without scale and shift where it has no parameters."""
    del inputs
    return nn.BatchNorm2d(node.in_shape[0], affine=node.params > 0)


def instance_norm(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Instance normalisation."""
    del inputs
    return nn.InstanceNorm2d(node.in_shape[0], affine=node.params > 0)


def group_norm(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Group normalisation; how many groups is not stored, the most up to 32 that divide the channels are taken."""
    del inputs
    channels = node.in_shape[0]
    return nn.GroupNorm(math.gcd(32, channels), channels, affine=node.params > 0)


def layer_norm(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Layer normalisation over the channels, or over all dimensions where its parameters say so."""
    del inputs
    channels, h, w = node.in_shape
    whole = node.params in {2 * channels * h * w, channels * h * w} and h * w > 1
    over = (h, w, channels) if whole else (channels,)
    return _OnLast(nn.LayerNorm(over, elementwise_affine=node.params > 0, bias=node.params == 2 * math.prod(over)))


def rms_norm(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Division by the root of the mean square over the channels."""
    del inputs
    return _OnLast(nn.RMSNorm(node.in_shape[0], elementwise_affine=node.params > 0))


def leaky_relu(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A leaky rectifier; with parameters its slopes are learnt."""
    del inputs
    return nn.PReLU(node.params) if node.params else nn.LeakyReLU()
