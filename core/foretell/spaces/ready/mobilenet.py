"""MobileNet-like networks: stages of inverted residual blocks, each with a kernel, an expansion and a gate of its own.

After MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381) and V3; the choices are those of
once-for-all networks (Cai et al., 2020, https://arxiv.org/abs/1908.09791), with squeeze-and-excitation free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from foretell.distributions import CategoricalDistribution, IntDistribution
from foretell.spaces.chain import Chain
from foretell.spaces.layer import Layer
from foretell.spaces.repeat import Repeat
from foretell.spaces.space import Space

if TYPE_CHECKING:
    import torch

    from foretell.spaces.part import Shape

_BLOCK = {
    "kernel": CategoricalDistribution((3, 5, 7)),
    "expansion": CategoricalDistribution((3, 4, 6)),
    "gate": CategoricalDistribution(("none", "se")),
}


class InvertedResidual(nn.Module):
    """The block: widen, filter each channel, gate, narrow; its input is added where the shapes agree.

    Args:
        channels: Of what enters.
        out: Of what it gives.
        kernel: Height and width of the filter.
        expansion: Channels of the filter, as a multiple of `channels`.
        stride: Of the filter.
        gate: `se` for squeeze-and-excitation (Hu et al., 2018), `none` without.
    """

    def __init__(self, channels: int, out: int, kernel: int, expansion: int, stride: int, gate: str) -> None:
        super().__init__()
        middle = channels * expansion
        layers: list[nn.Module] = [
            nn.Conv2d(channels, middle, 1, bias=False), nn.BatchNorm2d(middle), nn.Hardswish(),
            nn.Conv2d(middle, middle, kernel, stride, kernel // 2, groups=middle, bias=False),
            nn.BatchNorm2d(middle), nn.Hardswish(),
        ]  # fmt: skip
        layers += [_Gate(middle)] if gate == "se" else []
        self.body = nn.Sequential(*layers, nn.Conv2d(middle, out, 1, bias=False), nn.BatchNorm2d(out))
        self.skip = stride == 1 and channels == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        made: torch.Tensor = self.body(x)
        return x + made if self.skip else made


class _Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 4, 1)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1),
            nn.Hardsigmoid(),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.gate(x)
        return result


def mobilenets(
    shape: Shape = (3, 32, 32), widths: Sequence[int] = (16, 24, 40, 80), blocks: int = 4, classes: int = 10
) -> Space:
    """The space: a stage for each width, every one but the first halving height and width in its first block.

    Args:
        shape: Channels, height and width of an image.
        widths: Channels of the stages.
        blocks: Most blocks of a stage; at least one is there.
        classes: Outputs.

    >>> f"{mobilenets().size:.1e}"
    '3.1e+20'
    """
    parts = [
        Chain(enter=_block(width, 2 if i else 1), more=Repeat(_block(width, 1), 0, blocks - 1))
        for i, width in enumerate(widths)
    ]
    stem = Layer("stem", _stem, {"width": IntDistribution(8, 16, step=8)}, lambda shape, width: (width, *shape[1:]))
    head = Layer("head", lambda shape: _head(shape, classes), out=lambda shape: (classes,))  # noqa: ARG005
    return Space(Chain(stem=stem, **{f"stage{i}": part for i, part in enumerate(parts)}, head=head), shape)


def _block(width: int, stride: int) -> Layer:
    def make(shape: Shape, kernel: int, expansion: int, gate: str) -> nn.Module:
        return InvertedResidual(shape[0], width, kernel, expansion, stride, gate)

    def out(shape: Shape, **values: object) -> Shape:
        del values
        return (width, *(-(-n // stride) for n in shape[1:]))

    return Layer("block", make, _BLOCK, out)


def _stem(shape: Shape, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(shape[0], width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.Hardswish())


def _head(shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape[0], classes))
