"""Training without labels: two views of a network are alike, and so are networks whose graphs have like spectra.

GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226, equations 2 and 3), after SimCLR (Chen et al., 2020) and
the supervised contrastive loss (Khosla et al., 2020). A view is a pass with dropout. The paper says that the weights
are a softmax of the spectral distance; read literally that would draw the most different networks together, so here it
is a softmax of minus the distance. Its temperature of 0.05 is that of Han et al., 2023, https://arxiv.org/abs/2302.10835.

Notation: N networks, 2 N views (view i and view N + i are of one network), p numbers a projection, q eigenvalues.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from foretell.errors import ForetellWarning, InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float

COLLAPSE = 0.1
"""Share of a sphere's spread below which projections count as collapsed."""


class CollapseWarning(ForetellWarning):
    """The encoder gives nearly the same vector for all networks."""


class ProjectionHead(nn.Module):
    """What the loss sees of an embedding: a hidden layer of its width, then p numbers on the unit sphere.

    Args:
        width: Numbers an embedding.
        projected: p, smaller than `width`.

    Raises:
        InvalidDataError: If p is not smaller.
    """

    def __init__(self, width: int, projected: int = 32) -> None:
        super().__init__()
        if not 0 < projected < width:
            msg = f"`0 < projected < width` must hold, but got {projected=}, {width=}: half of it is usual"
            raise InvalidDataError(msg)
        self.layers = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, projected))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Embeddings, n x width, to unit vectors, n x p."""
        return F.normalize(self.layers(h), dim=1)


def spectral_weights(spectra: Float[torch.Tensor, "N q"], temperature: float = 0.05) -> Float[torch.Tensor, "2N 2N"]:
    """How much each view should be like each other one: a_l^(i), rows sum to 1, the diagonal is 0.

    Args:
        spectra: Smallest eigenvalues of the networks' normalised Laplacians.
        temperature: Distance at which the weight falls to 1 / e of that of an equal spectrum.

    Raises:
        InvalidDataError: If the temperature is not positive.

    >>> spectral_weights(torch.tensor([[0.0], [0.05]]))[0].numpy().round(3).astype(float).round(3).tolist()
    [0.0, 0.212, 0.576, 0.212]
    """
    if temperature <= 0:
        msg = f"`temperature > 0` must hold, but got {temperature=}: the default is 0.05"
        raise InvalidDataError(msg)
    both = torch.cat([spectra, spectra])
    distance = torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist")
    return (-distance / temperature).fill_diagonal_(-torch.inf).softmax(dim=1)


def contrastive_loss(
    z: Float[torch.Tensor, "2N p"], weights: Float[torch.Tensor, "2N 2N"], temperature: float = 0.1
) -> torch.Tensor:
    """Mean over views of - sum_l a_l^(i) log softmax_l(z_i . z_l / temperature), l over all other views.

    Args:
        z: Unit vectors.
        weights: From `spectral_weights`; without gradient.
        temperature: Of the similarities.
    """
    similarity = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    logarithm = similarity.log_softmax(dim=1).masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), 0.0)
    return -(weights.detach() * logarithm).sum(dim=1).mean()


def spread(z: Float[torch.Tensor, "n p"]) -> float:
    """How far projections are spread over the sphere: 1 as far as can be, 0 one point.

    The mean standard deviation of a projection's numbers in units of that of uniform unit vectors; a warning says when
    it has fallen below `COLLAPSE`.
    """
    found = float(z.detach().std(dim=0).mean()) * math.sqrt(z.shape[1])
    if found < COLLAPSE:
        message = (
            f"projections should be spread over the sphere (1), but their spread is {found:.3f}: the encoder has "
            "collapsed, lower the learning rate or raise the temperature"
        )
        warnings.warn(message, CollapseWarning, stacklevel=2)
    return found
