"""The graph convolution of the k-GNN over folded graphs, with the weights of PyTorch Geometric's `GraphConv`.

x_v <- W_1 x_v + W_2 sum_{u -> v} x_u + b (Morris et al., 2019, https://arxiv.org/abs/1810.02244, equation 5). A layer
of its own for two reasons: both products are taken before colours are copied along edges, where there are fewer rows;
and importing PyTorch Geometric takes two seconds, four times what loading a checkpoint may take. `lin_rel` and
`lin_root` are named as there, so that weights go either way, and the tests compare outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from foretell.pretraining.gathered_sums import gathered_sums

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class FoldedConvolution(nn.Module):
    """One layer, one way.

    Args:
        inputs: Numbers a colour before.
        outputs: Numbers a colour after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.lin_rel = nn.Linear(inputs, outputs)
        self.lin_root = nn.Linear(inputs, outputs, bias=False)

    def forward(
        self,
        x: Float[torch.Tensor, "U inputs"],
        own: Int[np.ndarray, " V"],
        source: Int[np.ndarray, " e"],
        target: Int[np.ndarray, " e"],
        times: Float[np.ndarray, " e"],
    ) -> Float[torch.Tensor, "V outputs"]:
        """From U colours to V, see `Hop`."""
        both = F.linear(x, torch.cat([self.lin_rel.weight, self.lin_root.weight]))
        rows = both.view(2 * len(x), -1)  # what others hear of a colour, and below it what it keeps itself
        taken = np.concatenate([2 * source, 2 * own + 1])
        to = np.concatenate([target, np.arange(len(own))])
        counts = np.concatenate([times, np.ones(len(own), dtype=times.dtype)])
        return gathered_sums(rows, taken, to, counts, len(own)) + self.lin_rel.bias
