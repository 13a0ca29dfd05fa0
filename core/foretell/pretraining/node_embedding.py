"""From a node's label to the numbers that message passing begins with."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from foretell.pretraining.node_labels import V1_OPERATORS, V2_OPERATORS, WEIGHTED

EMBEDDED = 32
"""Numbers a node, in both vocabularies."""
_PIXELS, _CHANNELS = 256.0, 512.0  # units of resolutions in the released code


class PaperEmbedding(nn.Module):
    """As GENNAPE's released code: one operator table for plain and one for weighted operators, resolutions shared.

    Plain: 24 numbers for the operator, 8 for the resolutions. Weighted: 14 for the operator, 8 for the resolutions by
    the same layer, 4 for each side of the kernel, 2 for the bias.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Embedding(V1_OPERATORS, 24)
        self.weighted = nn.Embedding(V1_OPERATORS, 14)
        self.resolution = nn.Linear(6, 8)
        self.kernel_rows = nn.Embedding(8, 4)
        self.kernel_columns = nn.Embedding(8, 4)
        self.bias = nn.Linear(2, 2)
        self.is_weighted: torch.Tensor
        self.unit: torch.Tensor
        self.register_buffer("is_weighted", torch.isin(torch.arange(V1_OPERATORS), torch.tensor(WEIGHTED)), False)
        self.register_buffer("unit", torch.tensor([_CHANNELS, _PIXELS, _PIXELS] * 2), False)

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        """Labels of `PaperLabels`, U x 10, to U x 32."""
        op = labels[:, 0]
        resolution = self.resolution(labels[:, 1:7] / self.unit)
        plain = torch.cat([self.plain(op), resolution], dim=1)
        kernel = [self.kernel_rows(labels[:, 7]), self.kernel_columns(labels[:, 8])]
        bias = self.bias(F.one_hot(labels[:, 9], 2).to(resolution.dtype))
        weighted = torch.cat([self.weighted(op), resolution, *kernel, bias], dim=1)
        return torch.where(self.is_weighted[op][:, None], weighted, plain)


class FullEmbedding(nn.Module):
    """16 numbers for the operator, 16 for all else by one layer; sizes in logarithms, so that they mean ratios."""

    def __init__(self) -> None:
        super().__init__()
        self.operator = nn.Embedding(V2_OPERATORS, 16)
        self.features = nn.Linear(16, 16)

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        """Labels of `FullLabels`, U x 17, to U x 32."""
        numbers = labels[:, 1:].to(self.features.weight.dtype)
        sizes = torch.log2(1.0 + numbers[:, :6]) / 5.0
        groups = torch.log2(numbers[:, 12:13]) / 5.0
        costs = torch.log10(1.0 + numbers[:, 14:]) / 5.0
        features = torch.cat([sizes, numbers[:, 6:12] / 3.0, groups, numbers[:, 13:14], costs], dim=1)
        return torch.cat([self.operator(labels[:, 0]), self.features(features)], dim=1)


EMBEDDINGS: dict[str, type[nn.Module]] = {"v1": PaperEmbedding, "v2": FullEmbedding}
"""Embeddings by the name of their labels."""
