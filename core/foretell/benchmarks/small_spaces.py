"""Two spaces of small CNNs for digits that differ in one rule of design, for comparing spaces.

Both draw one to six layers with a width, a kernel and an activation each, written with `foretell.spaces`. In `plain` a
layer is what it is; in `normed` every layer is normalised and its input added to its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from foretell.distributions import CategoricalDistribution
from foretell.spaces import Branches, Chain, Choice, Layer, Repeat, Space, added

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.spaces import Part
    from foretell.spaces.part import Shape

_MOST_LAYERS = 6


def plain() -> Space:
    """Convolutions and activations, one after the other."""
    return _space(Chain(_convolution(), _activation()))


def normed() -> Space:
    """The same between a batch normalisation and a skip connection."""
    norm = Layer("norm", lambda shape: nn.BatchNorm2d(shape[0]))
    identity = Layer("identity", lambda shape: nn.Identity())  # noqa: ARG005
    return _space(Branches(added, Chain(norm, _convolution(), _activation()), identity))


SPACES = {"plain": plain, "normed": normed}
"""By name."""


def _space(layer: Part) -> Space:
    def stem(shape: Shape, width: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(shape[0], width, 3, padding=1), nn.MaxPool2d(2))

    widths = {"width": CategoricalDistribution((4, 8, 12))}
    first = Layer("stem", stem, widths, lambda shape, width: (width, shape[1] // 2, shape[2] // 2))
    head = Layer(
        "head", lambda shape: nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * shape[0], 10)),
        out=lambda shape: (10,),  # noqa: ARG005
    )  # fmt: skip
    return Space(Chain(stem=first, body=Repeat(layer, 1, _MOST_LAYERS), head=head), (1, 8, 8))


def _convolution() -> Part:
    def make(shape: Shape, kernel: int, groups: str) -> nn.Module:
        c = shape[0]
        return nn.Conv2d(c, c, kernel, padding=kernel // 2, groups=c if groups == "each" else 1)

    return Layer("conv", make, {"kernel": CategoricalDistribution((1, 3, 5)),
                                "groups": CategoricalDistribution(("one", "each"))})  # fmt: skip


def _activation() -> Part:
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU, "sigmoid": nn.Sigmoid}
    return Choice(**{name: Layer(name, _maker(kind)) for name, kind in kinds.items()})


def _maker(kind: type[nn.Module]) -> Callable[[Shape], nn.Module]:
    def make(shape: Shape) -> nn.Module:
        del shape
        return kind()

    return make
