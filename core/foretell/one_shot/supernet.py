"""All cells of NAS-Bench-201 in one network: every operator on every edge, with weights that all cells share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from foretell.capture import nasbench201
from foretell.capture.nasbench201 import EDGES, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.graph import ComputationGraph, Shape

STAGES = 3
"""Stages of the network; the second and the third double the channels and halve the size."""


class Supernet(nn.Module):
    """The network of `foretell.spaces.ready.nasbench201_cells` with a sum of all operators on each edge.

    That sum is what DARTS trains (Liu et al., 2019, https://arxiv.org/abs/1806.09055, equation 2). All cells of the
    network have the same architecture, and each has operators of its own. Normalisations take the statistics of the
    batch, always: those of a cell are not those of another one. Those on edges neither scale nor shift, or they could
    undo what the weights of operators say.

    Args:
        channels: Channels of the first stage.
        cells: Cells a stage.
        classes: Outputs.
        image: Channels, height and width of what enters.
        seed: Of the first weights.

    >>> net = Supernet(channels=4, cells=1, image=(1, 8, 8))
    >>> net(torch.zeros(2, 1, 8, 8), path((2, 1, 0, 1, 3, 4))).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, channels: int = 16, cells: int = 5, classes: int = 10, image: Shape = (3, 32, 32), *, seed: int = 0
    ) -> None:
        super().__init__()
        self.channels, self.cells, self.classes, self.image = channels, cells, classes, image
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._make(channels, cells, classes, image)

    def _make(self, channels: int, cells: int, classes: int, image: Shape) -> None:
        self.stem = nn.Sequential(nn.Conv2d(image[0], channels, 3, padding=1, bias=False), _norm(channels, affine=True))
        self.body = nn.ModuleList()
        for stage in range(STAGES):
            width = channels * 2**stage
            if stage:
                self.body.append(_Residual(width // 2, width))
            self.body.extend(_Cell(width) for _ in range(cells))
        self.head = nn.Sequential(_norm(width, affine=True), nn.ReLU())
        self.classifier = nn.Linear(width, classes)

    def forward(
        self, x: Float[torch.Tensor, "batch channels height width"], weights: Float[torch.Tensor, "edges operators"]
    ) -> Float[torch.Tensor, "batch classes"]:
        """Logits.

        Args:
            x: Images.
            weights: Of each operator (`OPERATIONS` of `foretell.capture.nasbench201`) on each edge (`EDGES`), see
                `path`; operators of weight 0 are left out where no gradient is wanted.
        """
        x = self.stem(x)
        for part in self.body:
            x = part(x, weights) if isinstance(part, _Cell) else part(x)
        return torch.as_tensor(self.classifier(self.head(x).mean(dim=(2, 3))))

    def graph(self, cell: Sequence[int]) -> ComputationGraph:
        """The network of one cell by itself.

        Args:
            cell: Six positions in `OPERATIONS`, in the order of `EDGES`.
        """
        return nasbench201.graph(cell, channels=self.channels, cells=self.cells, classes=self.classes, image=self.image)


def path(cell: str | Sequence[int]) -> Float[torch.Tensor, "edges operators"]:
    """Weights of one cell: 1 for its operators on edges between input and output, else 0.

    Args:
        cell: As `foretell.capture.nasbench201.parse` takes it.

    >>> path((2, 1, 1, 1, 1, 1)).sum()  # leads nowhere
    tensor(0.)
    """
    digits = nasbench201.parse(cell)
    weights = torch.zeros(len(EDGES), len(OPERATIONS))
    for edge in nasbench201.live_edges(digits):
        weights[edge, digits[edge]] = 1.0
    return weights


class _Cell(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        makers = {"nor_conv_3x3": 3, "nor_conv_1x1": 1}
        self.operators = nn.ModuleList(
            nn.ModuleDict({op: _relu_conv_norm(channels, channels, kernel) for op, kernel in makers.items()})
            for _ in EDGES
        )

    def forward(self, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        nodes = [x] + [torch.zeros_like(x) for _ in range(3)]
        for edge, (source, target) in enumerate(EDGES):
            nodes[target] = nodes[target] + self._mixed(edge, nodes[source], weights[edge])
        return nodes[-1]

    def _mixed(self, edge: int, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        total = torch.zeros_like(x)
        for k, op in enumerate(OPERATIONS):
            if op != "none" and (weights.requires_grad or weights[k] != 0):
                total = total + weights[k] * self._operator(edge, op, x)
        return total

    def _operator(self, edge: int, op: str, x: torch.Tensor) -> torch.Tensor:
        if op == "skip_connect":
            return x
        if op == "avg_pool_3x3":
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        made: torch.Tensor = self.operators[edge][op](x)  # type: ignore[index]
        return made


class _Residual(nn.Module):
    """What lies between stages."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.deep = nn.Sequential(
            _relu_conv_norm(before, after, 3, stride=2, affine=True), _relu_conv_norm(after, after, 3, affine=True)
        )
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(before, after, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.deep(x) + self.short(x))


def _relu_conv_norm(before: int, after: int, kernel: int, stride: int = 1, *, affine: bool = False) -> nn.Sequential:
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, _norm(after, affine=affine))


def _norm(channels: int, *, affine: bool) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=affine, track_running_stats=False)
