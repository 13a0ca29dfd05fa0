"""Transformers whose layers differ: which primitives follow each other, and what each is made of.

`interleavings` draws the order of attention and perceptrons, the primitives of Composer (2026); with four times as many
perceptrons as attentions it found better orders than strict alternation. `heterogeneous` draws each layer's operator,
heads, hidden width and depth of its perceptron, as FlexiBERT (Tuli et al., 2022, https://arxiv.org/abs/2205.11656).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from foretell.distributions import CategoricalDistribution
from foretell.spaces.chain import Chain
from foretell.spaces.choice import Choice
from foretell.spaces.layer import Layer
from foretell.spaces.ready.transformer_blocks import (
    CosineMixing,
    Embedding,
    MeanHead,
    Patches,
    Residual,
    SelfAttention,
    TokenConvolution,
)
from foretell.spaces.repeat import Repeat
from foretell.spaces.space import Space

if TYPE_CHECKING:
    from foretell.spaces.part import Part, Shape

_HEADS, _EXPANSIONS = CategoricalDistribution((1, 2, 4)), CategoricalDistribution((1, 2, 4))


def interleavings(
    shape: Shape = (3, 32, 32), width: int = 64, layers: int = 12, patch: int = 4, classes: int = 10
) -> Space:
    """Vision transformers of up to `layers` primitives, each attention or a perceptron.

    Args:
        shape: Channels, height and width of an image.
        width: Of a token, a multiple of 4.
        layers: Most primitives; at least two.
        patch: Height and width of the piece of the image that is a token.
        classes: Outputs.
    """
    primitive = Choice(attention=_attention(), mlp=_perceptron())
    body = Repeat(primitive, 2, layers)
    return Space(Chain(stem=_patches(patch, width), body=body, head=_head(classes)), shape)


def heterogeneous(tokens: int = 64, vocabulary: int = 256, width: int = 64, layers: int = 4, classes: int = 2) -> Space:
    """Text classifiers of two to `layers` layers, each with an operator and a perceptron of its own.

    Args:
        tokens: Of a text.
        vocabulary: Different tokens.
        width: Of a token, a multiple of 4.
        layers: Most layers.
        classes: Outputs.
    """
    mixing = Choice(attention=_attention(), cosine=_cosine(), convolution=_convolution())
    body = Repeat(Chain(mix=mixing, feed=Repeat(_perceptron(), 1, 3)), 2, layers)
    return Space(Chain(stem=_embedding(vocabulary, width), body=body, head=_head(classes)), (tokens,), torch.long)


def _attention() -> Part:
    return Layer(
        "attention", lambda shape, heads: Residual(shape[1], SelfAttention(shape[1], heads)), {"heads": _HEADS}
    )


def _perceptron() -> Part:
    def make(shape: Shape, expansion: int) -> nn.Module:
        wide = shape[1] * expansion
        return Residual(shape[1], nn.Sequential(nn.Linear(shape[1], wide), nn.GELU(), nn.Linear(wide, shape[1])))

    return Layer("mlp", make, {"expansion": _EXPANSIONS})


def _cosine() -> Part:
    return Layer("cosine", lambda shape: Residual(shape[1], CosineMixing(shape[0])))


def _convolution() -> Part:
    kernel = {"kernel": CategoricalDistribution((5, 9))}
    return Layer("convolution", lambda shape, kernel: Residual(shape[1], TokenConvolution(shape[1], kernel)), kernel)


def _patches(patch: int, width: int) -> Part:
    def out(shape: Shape) -> Shape:
        return (shape[1] // patch) * (shape[2] // patch), width

    return Layer("patches", lambda shape: Patches(shape, patch, width), out=out)


def _embedding(vocabulary: int, width: int) -> Part:
    return Layer("embedding", lambda shape: Embedding(vocabulary, shape[0], width), out=lambda shape: (*shape, width))


def _head(classes: int) -> Part:
    return Layer("head", lambda shape: MeanHead(shape[1], classes), out=lambda shape: (classes,))  # noqa: ARG005
