"""Once-for-all MobileNetV3 settings (Cai et al., 2020, https://arxiv.org/abs/1908.09791) as whole networks.

The network: a 3x3 convolution of stride 2, one fixed block, five stages of two to four inverted residual
blocks with kernel and expansion of their own, a pointwise convolution, global average pooling, a second
pointwise convolution, a linear layer. Widths, strides, activations and squeeze-and-excitation are those of
`ofa_mbv3_d234_e346_k357_w1.0` and `_w1.2` in https://github.com/mit-han-lab/once-for-all. It writes the hard
activations and the pooling as several operators each; here each is one, as in `torch.nn.Hardswish`,
`Hardsigmoid` and `AdaptiveAvgPool2d`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from foretell.capture.builder import GraphBuilder
from foretell.capture.inverted_residual import inverted_residual
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import ComputationGraph

KERNELS = (3, 5, 7)
"""Kernels of a block."""
EXPANSIONS = (3, 4, 6)
"""Expansion ratios of a block."""
DEPTHS = (2, 3, 4)
"""Numbers of blocks of a stage."""
RESOLUTIONS = tuple(range(128, 225, 4))
"""Heights and widths of the images that the published supernet of width 1.0 was trained on."""
_STAGES = (  # width, stride, hard swish instead of rectifier, squeeze and excitation
    (24, 2, False, False),
    (40, 2, False, True),
    (80, 2, True, False),
    (112, 1, True, True),
    (160, 2, True, True),
)
_BLOCKS = max(DEPTHS) * len(_STAGES)


class Setting(TypedDict):
    """What is chosen: `ks` and `e` for each of 20 blocks, four a stage, `d` for each of 5 stages, and `r`."""

    ks: list[int]
    e: list[int]
    d: list[int]
    r: int


def graph(spec: Mapping[str, Any], *, width: float = 1.0, classes: int = 1000) -> ComputationGraph:
    """The network of one setting: of each stage only its first `d` blocks.

    Args:
        spec: The setting, see `parse`.
        width: Factor of all widths: 1.0 and 1.2 in the published supernets.
        classes: Outputs of the classifier.

    Returns:
        The graph.

    Raises:
        InvalidArchitectureError: If the setting is not of that form, or the width is not positive.

    >>> graph({"ks": 3, "e": 3, "d": 2, "r": 128}).op_counts()["Depthwise"]
    11
    """
    if not width > 0:
        msg = f"a width factor must be positive, but got {width!r}: give 1.0 or 1.2, as in the published supernets"
        raise InvalidArchitectureError(msg)
    setting = parse(spec)
    net = GraphBuilder()
    x = net.input((3, setting["r"], setting["r"]))
    channels = divisible(16 * width)
    x = net.hard_swish(net.batch_norm(net.conv(x, channels, 3, stride=2)))
    x = inverted_residual(net, x, channels, middle=channels, kernel=3, stride=1, activation=net.relu)
    for stage, (base, first_stride, swish, squeezed) in enumerate(_STAGES):
        channels = divisible(base * width)
        for place in range(setting["d"][stage]):
            block = max(DEPTHS) * stage + place
            middle = divisible(net.shape(x)[0] * setting["e"][block])
            x = inverted_residual(
                net,
                x,
                channels,
                middle=middle,
                kernel=setting["ks"][block],
                stride=1 if place else first_stride,
                activation=net.hard_swish if swish else net.relu,
                squeeze=divisible(middle // 4) if squeezed else 0,
            )
    x = net.mean(net.hard_swish(net.batch_norm(net.conv(x, divisible(960 * width)))))
    return net.graph(net.linear(net.hard_swish(net.conv(x, divisible(1280 * width))), classes))


def parse(spec: Mapping[str, Any]) -> Setting:
    """Read a setting with all its numbers written out.

    Args:
        spec: `ks` (20 of `KERNELS`), `e` (20 of `EXPANSIONS`), `d` (5 of `DEPTHS`) and `r`, the height and
            width of the image in pixels, at least 32. One number stands for as many as are needed; `r` may be
            in a list and `wid` may be there if it is None, as the official search writes them.

    Raises:
        InvalidArchitectureError: If it is anything else.

    >>> parse({"ks": 7, "e": 6, "d": [2, 3, 4, 2, 2], "r": [224], "wid": None})["d"]
    [2, 3, 4, 2, 2]
    """
    if not isinstance(spec, Mapping) or set(spec) - {"wid"} != {"ks", "e", "d", "r"} or spec.get("wid") is not None:
        msg = (
            f"a once-for-all setting must have `ks`, `e`, `d` and `r` and nothing else, but got {spec!r}: "
            'write {"ks": 7, "e": 6, "d": 4, "r": 224}, or lists instead of the first three numbers'
        )
        raise InvalidArchitectureError(msg)
    (r,) = _numbers("r", spec["r"], 1, range(32, 2**15))
    return Setting(
        ks=_numbers("ks", spec["ks"], _BLOCKS, KERNELS),
        e=_numbers("e", spec["e"], _BLOCKS, EXPANSIONS),
        d=_numbers("d", spec["d"], len(_STAGES), DEPTHS),
        r=r,
    )


def sample(rng: np.random.Generator, resolutions: Sequence[int] = RESOLUTIONS) -> Setting:
    """A setting, each of its numbers uniformly drawn, as the official repository does."""
    return Setting(
        ks=rng.choice(KERNELS, _BLOCKS).tolist(),
        e=rng.choice(EXPANSIONS, _BLOCKS).tolist(),
        d=rng.choice(DEPTHS, len(_STAGES)).tolist(),
        r=int(rng.choice(resolutions)),
    )


def divisible(channels: float) -> int:
    """The multiple of 8 that is nearest, halves up, but at least 8 and not below nine tenths of `channels`.

    The rounding of MobileNets (https://github.com/tensorflow/models).

    >>> divisible(19.2), divisible(134.4), divisible(18)
    (24, 136, 24)
    """
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _numbers(name: str, given: Any, count: int, allowed: Sequence[int]) -> list[int]:
    numbers = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given] * count
    if len(numbers) == count and all(number in allowed for number in numbers):
        return [int(number) for number in numbers]
    choice = allowed if isinstance(allowed, tuple) else f"at least {allowed[0]}"
    msg = f"`{name}` of a once-for-all setting must be {count} of {choice}, but got {given!r}: correct what differs"
    raise InvalidArchitectureError(msg)
