"""How strengths of operators become their weights in the sum of an edge.

Notation: alpha strengths, w weights, o operators of an edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float


class Mixing(Protocol):
    """From strengths to weights, differentiable."""

    def weights(self, alpha: Float[torch.Tensor, "edges operators"]) -> Float[torch.Tensor, "edges operators"]:
        """Weights of the operators, in [0, 1]."""
        ...


@dataclass(frozen=True)
class Softmax:
    """Shares that sum to 1 on each edge: DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055, equation 2).

    >>> import torch
    >>> Softmax().weights(torch.tensor([[0.0, 0.0]]))
    tensor([[0.5000, 0.5000]])
    """

    def weights(self, alpha: Float[torch.Tensor, "edges operators"]) -> Float[torch.Tensor, "edges operators"]:
        """See `Mixing.weights`."""
        return alpha.softmax(dim=-1)


@dataclass(frozen=True)
class MaxW:
    """w_o = 1 - max(p) + p_o with p = softmax(alpha), so that the strongest operator of an edge has weight 1.

    Max-W regularisation of sharpDARTS (Hundt et al., 2019, https://arxiv.org/abs/1903.09900): the strongest gains
    nothing by growing stronger, the others learn at nearly full weight as long as nothing is decided.

    >>> import torch
    >>> MaxW().weights(torch.tensor([[0.75, 0.25]]).log())
    tensor([[1.0000, 0.5000]])
    """

    def weights(self, alpha: Float[torch.Tensor, "edges operators"]) -> Float[torch.Tensor, "edges operators"]:
        """See `Mixing.weights`."""
        shares = alpha.softmax(dim=-1)
        return 1.0 - shares.max(dim=-1, keepdim=True).values + shares
