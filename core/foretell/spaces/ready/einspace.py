"""Networks by a grammar of fundamental operations, after einspace (Ericsson et al., 2024, https://arxiv.org/abs/2405.20838).

Sequences, branches (added, gated, attended), changes of layout around a module, and computations, nested at will; every
module keeps the shape of what enters, so that every derivation is a network. There are two symbols, `I` for images and
`T` for tokens; an image's pixels may be tokens within. As there are no stages inside the grammar, images are halved and
widened between two modules. The rules' chances are ours: they draw networks of about ten operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from foretell.spaces.branches import Branches, added, attended, multiplied
from foretell.spaces.chain import Chain
from foretell.spaces.grammar import Grammar, Rule, Symbol
from foretell.spaces.layer import Layer
from foretell.spaces.ready.transformer_blocks import Embedding, MeanHead, TokenConvolution
from foretell.spaces.routed import Routed
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.spaces.part import Part, Shape


def _same(name: str, make: Callable[[int], nn.Module]) -> Layer:
    """A computation that keeps the shape, made from the channels of an image."""
    return Layer(name, lambda shape: make(shape[0]))


def _token(name: str, make: Callable[[int], nn.Module]) -> Layer:
    """A computation that keeps the shape, made from the width of a token."""
    return Layer(name, lambda shape: make(shape[1]))


_IDENTITY = Layer("identity", lambda shape: nn.Identity())  # noqa: ARG005
_I, _T = Symbol("I"), Symbol("T")


def _composed(one: Part) -> dict[str, Rule]:
    """Rules that every layout has."""
    return {
        "seq": Rule(Chain(one, one), 4.0),
        "residual": Rule(Branches(added, one, _IDENTITY), 1.5),
        "branch": Rule(Branches(added, one, one), 0.75),
        "gate": Rule(Branches(multiplied, one, one), 0.5),
        "identity": Rule(_IDENTITY, 0.5),
        "relu": Rule(Layer("relu", lambda shape: nn.ReLU()), 1.0),  # noqa: ARG005
        "silu": Rule(Layer("silu", lambda shape: nn.SiLU()), 0.5),  # noqa: ARG005
    }


_IMAGES = _composed(_I) | {
    "tokens": Rule(Routed(_T), 0.5),
    "linear": Rule(_same("linear", lambda c: nn.Conv2d(c, c, 1)), 1.0),
    "conv": Rule(_same("conv", lambda c: nn.Conv2d(c, c, 3, padding=1)), 1.0),
    "depthwise": Rule(_same("depthwise", lambda c: nn.Conv2d(c, c, 5, padding=2, groups=c)), 0.75),
    "norm": Rule(_same("norm", lambda c: nn.BatchNorm2d(c)), 1.0),
    "maxpool": Rule(_same("maxpool", lambda c: nn.MaxPool2d(3, 1, 1)), 0.5),  # noqa: ARG005
    "avgpool": Rule(_same("avgpool", lambda c: nn.AvgPool2d(3, 1, 1)), 0.5),  # noqa: ARG005
}
_TOKENS = _composed(_T) | {
    "attend": Rule(Branches(attended, _T, _T, _T), 0.5),
    "transpose": Rule(Routed(_T), 0.5),
    "linear": Rule(_token("linear", lambda d: nn.Linear(d, d)), 1.5),
    "norm": Rule(_token("norm", lambda d: nn.LayerNorm(d)), 1.0),
    "near": Rule(_token("near", lambda d: TokenConvolution(d, 3)), 0.75),
}

RESIDUAL = "residual(seq(conv, seq(norm, relu))) residual(seq(conv, seq(norm, relu)))"
"""A small residual network (He et al., 2016) as a derivation of `einspace_images`; see `foretell.spaces.written`."""
_BLOCK = "seq(residual(attend(linear, linear, linear)), residual(seq(linear, relu)))"
TRANSFORMER = f"{_BLOCK} {_BLOCK}"
"""Two blocks of a transformer (Vaswani et al., 2017) as a derivation of `einspace_tokens`."""


def einspace_images(shape: Shape = (3, 32, 32), width: int = 16, depth: int = 4, classes: int = 10) -> Space:
    """Image classifiers: a convolution, a derivation, half the size and twice the channels, a second derivation.

    Args:
        shape: Channels, height and width of an image.
        width: Channels of the first derivation.
        depth: Rules nested in a derivation; 4 give 1e25 networks, a fifth squares that and more.
        classes: Outputs.

    >>> einspace_images(depth=4).size > 1e12
    True
    """
    rules = {"I": _IMAGES, "T": _TOKENS}
    stem = Layer("stem", lambda shape: nn.Conv2d(shape[0], width, 3, padding=1), out=lambda shape: (width, *shape[1:]))
    halve = Layer(
        "halve", lambda shape: nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(shape[0], 2 * shape[0], 1)),
        out=lambda shape: (2 * shape[0], shape[1] // 2, shape[2] // 2),
    )  # fmt: skip
    head = Layer("head", lambda shape: _pooled(shape, classes), out=lambda shape: (classes,))  # noqa: ARG005
    first, second = Grammar(rules, "I", depth), Grammar(rules, "I", depth)
    return Space(Chain(stem=stem, first=first, halve=halve, second=second, head=head), shape)


def einspace_tokens(tokens: int = 32, vocabulary: int = 64, width: int = 16, depth: int = 4, classes: int = 2) -> Space:
    """Sequence classifiers: an embedding, two derivations, the mean of all tokens.

    Args:
        tokens: Of a sequence.
        vocabulary: Different tokens.
        width: Of a token.
        depth: Rules nested in a derivation.
        classes: Outputs.
    """
    stem = Layer(
        "embedding", lambda shape: Embedding(vocabulary, shape[0], width), out=lambda shape: (*shape, width)
    )  # fmt: skip
    head = Layer("head", lambda shape: MeanHead(shape[1], classes), out=lambda shape: (classes,))  # noqa: ARG005
    first, second = Grammar({"T": _TOKENS}, "T", depth), Grammar({"T": _TOKENS}, "T", depth)
    return Space(Chain(stem=stem, first=first, second=second, head=head), (tokens,), torch.long)


def _pooled(shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * shape[0], classes))
