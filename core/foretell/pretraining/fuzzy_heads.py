"""Several small networks over one embedding, mixed by how much a network belongs to the cluster of each.

y = sum_j U_j f_j(h), f_j an MLP of its own (Mills et al., 2023, https://arxiv.org/abs/2211.17226, section 3.3). With
one cluster it is a plain MLP, which is what the paper's members without fuzzy C-means have.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from jaxtyping import Float


class FuzzyHeads(nn.Module):
    """C MLPs of `depth` hidden layers.

    Args:
        inputs: Numbers an embedding, e.
        clusters: C.
        width: Of the hidden layers.
        depth: Hidden layers.
        seed: Seed of the first weights.
    """

    def __init__(self, inputs: int, clusters: int = 1, *, width: int = 64, depth: int = 4, seed: int = 0) -> None:
        super().__init__()
        sizes = [inputs, *[width] * depth, 1]
        generator = torch.Generator().manual_seed(seed)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for a, b in pairwise(sizes):
            gain = math.sqrt(2.0 / a) if b > 1 else math.sqrt(1.0 / a)  # He et al., 2015, for rectifiers
            self.weights.append(nn.Parameter(torch.randn(clusters, a, b, generator=generator) * gain))
            self.biases.append(nn.Parameter(torch.zeros(clusters, 1, b)))

    @property
    def width(self) -> int:
        """Of the hidden layers."""
        return int(self.weights[0].shape[2])

    @property
    def depth(self) -> int:
        """Hidden layers."""
        return len(self.weights) - 1

    @property
    def clusters(self) -> int:
        """C."""
        return len(self.weights[0])

    def forward(self, h: Float[torch.Tensor, "n e"], memberships: Float[torch.Tensor, "n C"]) -> torch.Tensor:
        """Mixed outputs, n; with one cluster memberships do not matter."""
        x = h.expand(self.clusters, -1, -1)
        last = len(self.weights) - 1
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(b, x, w)  # (C, n, outputs)
            x = torch.relu(x) if i < last else x
        return (x[..., 0].T * memberships).sum(dim=1) if self.clusters > 1 else x[0, :, 0]
