"""Strengths of operators and weights of the network learnt together, by gradients: DARTS and its relatives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.capture.nasbench201 import EDGES, OPERATIONS
from foretell.errors import InvalidDataError
from foretell.one_shot.mixing import Mixing, Softmax
from foretell.one_shot.weight_training import WeightTraining

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float, Int

    from foretell.one_shot.resource_limit import ResourceLimit
    from foretell.one_shot.supernet import Supernet

_BETAS = (0.5, 0.999)  # of DARTS


@dataclass(frozen=True, eq=False)
class FoundCell:
    """What a search chose.

    Args:
        cell: Six positions in `OPERATIONS`, in the order of `EDGES` (`foretell.capture.nasbench201`).
        shares: Of each operator on each edge, summing to 1.
    """

    cell: tuple[int, ...]
    shares: Float[np.ndarray, "edges operators"]


@dataclass(frozen=True)
class DifferentiableSearch:
    """Alternates steps of the weights on one half of the data and of the strengths on the other.

    DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055) in its first order. The published variants are its
    parts: `MaxW` and `CosinePower` of sharpDARTS, `VotingTeachers` of SD-DARTS, `ResourceLimit` of RC-DARTS.

    Args:
        training: Of the weights.
        mixing: From strengths to weights of operators.
        limit: What a cell may cost, if anything limits it.
        alpha_rate: Learning rate of the strengths.

    Raises:
        InvalidDataError: If the rate is not positive.
    """

    training: WeightTraining = field(default_factory=WeightTraining)
    mixing: Mixing = field(default_factory=Softmax)
    limit: ResourceLimit | None = None
    alpha_rate: float = 0.02

    def __post_init__(self) -> None:
        if not self.alpha_rate > 0:
            msg = f"`alpha_rate > 0` must hold, but got {self.alpha_rate}: the default is 0.02"
            raise InvalidDataError(msg)

    def run(
        self,
        supernet: Supernet,
        x: Float[torch.Tensor, "n channels height width"],
        labels: Int[torch.Tensor, " n"],
        seed: int = 0,
    ) -> FoundCell:
        """Search.

        Args:
            supernet: Its weights change.
            x: Images.
            labels: Their classes.
            seed: Of the halves and the order of images.

        Returns:
            The most probable cell, within the limit if there is one.
        """
        import torch
        from torch.nn import functional as F

        generator = torch.Generator().manual_seed(seed)
        rows = torch.randperm(len(x), generator=generator)
        own, other = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        alpha = self._within(torch.zeros(len(EDGES), len(OPERATIONS))).requires_grad_()
        adam = torch.optim.Adam([alpha], lr=self.alpha_rate, betas=_BETAS)
        for _ in self.training.steps(supernet, x[own], labels[own], lambda: self.mixing.weights(alpha.detach()), seed):
            batch = other[torch.randperm(len(other), generator=generator)[: self.training.batch]]
            loss = F.cross_entropy(supernet(x[batch], self.mixing.weights(alpha)), labels[batch])
            (alpha.grad,) = torch.autograd.grad(loss, alpha)
            adam.step()
            with torch.no_grad():
                alpha.copy_(self._within(alpha))
        found = alpha.detach().double()
        cell = tuple(found.argmax(dim=1).tolist()) if self.limit is None else self.limit.best(found.numpy())
        return FoundCell(cell, found.softmax(dim=1).numpy())

    def _within(self, alpha: torch.Tensor) -> torch.Tensor:
        import torch

        if self.limit is None:
            return alpha
        projected = self.limit.project(alpha.detach().double().numpy())
        return torch.from_numpy(np.asarray(projected)).to(alpha.dtype)
