"""Self-distillation: what the network itself answered some steps ago is a second target."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float

    from foretell.one_shot.supernet import Supernet


@dataclass(frozen=True)
class VotingTeachers:
    """Settings of SD-DARTS (Zhu et al., 2023, https://arxiv.org/abs/2302.05629).

    Some earlier states of the supernet are kept; the mean of their answers is what the supernet is drawn to, beside
    the labels, which makes its loss less sharp. Ours: a teacher answers for the operators that the supernet is asked
    for now, so that the same settings serve mixtures and paths; number, distance and weight are ours too.

    Args:
        count: Earlier states at most.
        every: Steps between two of them.
        weight: Of the divergence beside the cross-entropy.

    Raises:
        InvalidDataError: If a number is impossible.
    """

    count: int = 2
    every: int = 40
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (self.count >= 1 and self.every >= 1 and self.weight > 0):
            msg = (
                "teachers need `count >= 1`, `every >= 1` and `weight > 0`, but got "
                f"{self.count}, {self.every}, {self.weight}: for none, give None in their place"
            )
            raise InvalidDataError(msg)

    def begin(self) -> Votes:
        """No teacher yet."""
        return Votes(self)


class Votes:
    """The teachers of one training.

    Args:
        settings: How many, how often, how strong.
    """

    def __init__(self, settings: VotingTeachers) -> None:
        self.settings = settings
        self._teachers: deque[Supernet] = deque(maxlen=settings.count)

    def __len__(self) -> int:
        return len(self._teachers)

    def remember(self, step: int, supernet: Supernet) -> None:
        """Keep the present state, if it is time."""
        if step % self.settings.every == 0:
            kept = copy.deepcopy(supernet)
            kept.zero_grad(set_to_none=True)
            self._teachers.append(kept.requires_grad_(requires_grad=False))

    def loss(
        self,
        logits: Float[torch.Tensor, "batch classes"],
        x: Float[torch.Tensor, "batch channels height width"],
        weights: Float[torch.Tensor, "edges operators"],
    ) -> Float[torch.Tensor, ""]:
        """Weighted divergence of the answers from the teachers' vote, in nats; 0 without teachers.

        Args:
            logits: Answers of the supernet.
            x: Images.
            weights: Of the operators, as the supernet had them.
        """
        import torch
        from torch.nn import functional as F

        if not self._teachers:
            return logits.new_zeros(())
        with torch.no_grad():
            vote = torch.stack([teacher(x, weights).softmax(dim=1) for teacher in self._teachers]).mean(dim=0)
        return self.settings.weight * F.kl_div(logits.log_softmax(dim=1), vote, reduction="batchmean")
