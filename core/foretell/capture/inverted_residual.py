"""The inverted residual block, with or without squeeze-and-excitation, which the mobile families are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.capture.builder import GraphBuilder


def inverted_residual(
    net: GraphBuilder,
    source: int,
    channels: int,
    *,
    middle: int,
    kernel: int,
    stride: int,
    activation: Callable[[int], int],
    squeeze: int = 0,
) -> int:
    """Write the block of MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381).

    Args:
        net: Where to write.
        source: Handle of what enters.
        channels: Channels of the result; where its shape is the source's, the source is added.
        middle: Channels of the depthwise convolution. Where they are the source's, no expansion goes before it.
        kernel: Height and width of the depthwise convolution.
        stride: Its stride.
        activation: A method of `net`, used after the expansion and after the depthwise convolution.
        squeeze: Inner channels of a squeeze-and-excitation before the last convolution; 0 for none.

    Returns:
        Handle of the result.

    >>> from foretell.capture.builder import GraphBuilder
    >>> net = GraphBuilder()
    >>> x = inverted_residual(
    ...     net, net.input((16, 8, 8)), 16, middle=48, kernel=3, stride=1, activation=net.relu, squeeze=16
    ... )
    >>> net.graph(x).params == 16 * 48 + 9 * 48 + 48 * 16 + 2 * (48 + 48 + 16) + (48 + 1) * 16 + (16 + 1) * 48
    True
    """
    c = net.shape(source)[0]
    x = source if middle == c else activation(net.batch_norm(net.conv(source, middle)))
    x = activation(net.batch_norm(net.conv(x, middle, kernel, stride=stride, groups=middle)))
    if squeeze:
        x = squeeze_excite(net, x, squeeze)
    x = net.batch_norm(net.conv(x, channels))
    return net.add([x, source]) if stride == 1 and channels == c else x


def squeeze_excite(net: GraphBuilder, source: int, inner: int) -> int:
    """Write squeeze-and-excitation (Hu et al., 2018, https://arxiv.org/abs/1709.01507) with MobileNetV3's hard sigmoid.

    Args:
        net: Where to write.
        source: Handle of what enters.
        inner: Channels between the two pointwise convolutions, which have biases.

    Returns:
        Handle of the source with its channels scaled.
    """
    x = net.relu(net.conv(net.mean(source), inner, bias=True))
    return net.scale(source, net.hard_sigmoid(net.conv(x, net.shape(source)[0], bias=True)))
