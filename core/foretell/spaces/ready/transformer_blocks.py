"""What transformers of several spaces are made of; all take and give batch x tokens x width."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from foretell.spaces.part import Shape


class Residual(nn.Module):
    """Normalise, run, add (Xiong et al., 2020, https://arxiv.org/abs/2002.04745).

    Args:
        width: Of a token.
        inside: Keeps the shape.
    """

    def __init__(self, width: int, inside: nn.Module) -> None:
        super().__init__()
        self.norm, self.inside = nn.LayerNorm(width), inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        result: torch.Tensor = x + self.inside(self.norm(x))
        return result


class SelfAttention(nn.Module):
    """Scaled dot products of several heads (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762).

    Args:
        width: Of a token, a multiple of `heads`.
        heads: How many.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix tokens."""
        b, n, d = x.shape
        q, k, v = self.into(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)  # (B, H, N, D/H)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        result: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(b, n, d))
        return result


class CosineMixing(nn.Module):
    """A fixed discrete cosine transform over tokens, type II, orthonormal, as the linear operator of FlexiBERT.

    Args:
        tokens: How many.
    """

    basis: torch.Tensor

    def __init__(self, tokens: int) -> None:
        super().__init__()
        n = torch.arange(tokens, dtype=torch.float32)
        basis = torch.cos(math.pi / tokens * (n[None] + 0.5) * n[:, None]) * math.sqrt(2.0 / tokens)
        scale = torch.where(n[:, None] == 0, math.sqrt(0.5), 1.0)
        self.register_buffer("basis", basis * scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix tokens."""
        return self.basis @ x


class TokenConvolution(nn.Module):
    """A filter over neighbouring tokens, one for each number of a token.

    Args:
        width: Of a token.
        kernel: Tokens that it sees, odd.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.filter = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix neighbours."""
        result: torch.Tensor = self.filter(x.transpose(1, 2)).transpose(1, 2)
        return result


class Embedding(nn.Module):
    """Tokens and their places as vectors.

    Args:
        vocabulary: Different tokens.
        tokens: How many of them there are.
        width: Of a vector.
    """

    def __init__(self, vocabulary: int, tokens: int, width: int) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.place = nn.Parameter(torch.randn(tokens, width) * 0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Look up."""
        result: torch.Tensor = self.token(x) + self.place
        return result


class Patches(nn.Module):
    """Square pieces of an image as tokens, with their places (Dosovitskiy et al., 2021).

    Args:
        shape: Channels, height and width of the image.
        patch: Height and width of a piece.
        width: Of a token.
    """

    def __init__(self, shape: Shape, patch: int, width: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(shape[0], width, patch, patch)
        self.place = nn.Parameter(torch.randn((shape[1] // patch) * (shape[2] // patch), width) * 0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Cut and project."""
        result: torch.Tensor = self.cut(x).flatten(2).transpose(1, 2) + self.place
        return result


class MeanHead(nn.Module):
    """The mean of all tokens, normalised, to classes.

    Args:
        width: Of a token.
        classes: Outputs.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify."""
        result: torch.Tensor = self.out(self.norm(x).mean(dim=1))
        return result
