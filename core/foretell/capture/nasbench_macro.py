"""NAS-Bench-Macro architectures (Su et al., 2021, https://arxiv.org/abs/2103.11922) as whole networks.

The network: a 3x3 convolution to 32 channels, eight layers in stages of two, three and three, a pointwise
convolution to 1280 channels, global average pooling, a linear layer. The first layer of a stage doubles the
channels and halves the size. A layer is the identity or an inverted residual block; an identity that changes
shape is a pointwise convolution with normalisation (https://github.com/xiusu/NAS-Bench-Macro).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.capture.builder import GraphBuilder
from foretell.capture.inverted_residual import inverted_residual
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import ComputationGraph

OPERATIONS = ("id", "ir_3x3_t3", "ir_5x5_t6")
"""The choices of a layer, by the benchmark's names; their positions are the digits of a specification."""
STAGES = (2, 3, 3)
"""Layers of each stage."""
_BLOCKS = {1: (3, 3), 2: (5, 6)}  # digit -> kernel, expansion


def graph(spec: str | Sequence[int], *, channels: int = 32, classes: int = 10) -> ComputationGraph:
    """The network of one architecture, with 3 x 32 x 32 images.

    Args:
        spec: The benchmark's string of eight digits, such as `02012100`, or eight positions in `OPERATIONS`.
        channels: Channels of the stem.
        classes: Outputs of the classifier.

    Returns:
        The graph. Identities that keep the shape are no nodes, so specifications that differ only in where a
        stage has them may give equal graphs.

    Raises:
        InvalidArchitectureError: If the specification is not of either form.

    >>> graph("02012100").params, graph("02012100").flops // 2  # as the benchmark states them
    (890666, 47327744)
    """
    digits = iter(parse(spec))
    net = GraphBuilder()
    x = net.conv_bn_relu(net.input((3, 32, 32)), channels, 3)
    for layers in STAGES:
        channels *= 2
        for layer in range(layers):
            x = _layer(net, x, next(digits), channels, stride=1 if layer else 2)
    return net.graph(net.linear(net.mean(net.conv_bn_relu(x, 1280, 1)), classes))


def parse(spec: str | Sequence[int]) -> tuple[int, ...]:
    """Read a specification as eight positions in `OPERATIONS`.

    Raises:
        InvalidArchitectureError: If it is neither the benchmark's string nor eight such positions.

    >>> parse("02012100")
    (0, 2, 0, 1, 2, 1, 0, 0)
    """
    if len(spec) == sum(STAGES) and all(str(digit) in {"0", "1", "2"} for digit in spec):
        return tuple(int(digit) for digit in spec)
    msg = (
        f"a NAS-Bench-Macro architecture must be {sum(STAGES)} digits from 0 to 2 ({OPERATIONS}), such as "
        f"`02012100`, but got {spec!r}: give one for each layer"
    )
    raise InvalidArchitectureError(msg)


def sample(rng: np.random.Generator) -> tuple[int, ...]:
    """A specification, uniformly drawn from all 6,561."""
    return tuple(rng.integers(len(OPERATIONS), size=sum(STAGES)).tolist())


def _layer(net: GraphBuilder, source: int, digit: int, channels: int, stride: int) -> int:
    c = net.shape(source)[0]
    if digit:
        kernel, expansion = _BLOCKS[digit]
        return inverted_residual(
            net, source, channels, middle=expansion * c, kernel=kernel, stride=stride, activation=net.relu
        )
    return source if stride == 1 and c == channels else net.batch_norm(net.conv(source, channels, stride=stride))
