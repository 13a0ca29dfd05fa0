"""Training the weights that all cells share, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError
from foretell.one_shot.cosine_power import CosinePower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from jaxtyping import Float, Int

    from foretell.one_shot.supernet import Supernet
    from foretell.one_shot.voting_teachers import VotingTeachers

_CLIP = 5.0  # of the gradient's norm, as in DARTS


@dataclass(frozen=True)
class WeightTraining:
    """Adam on the cross-entropy of whatever operators are asked for.

    Args:
        epochs: How often each image is seen.
        batch: Images a step.
        learning_rate: At the start.
        schedule: How it falls.
        teachers: Self-distillation, if there is to be any.

    Raises:
        InvalidDataError: If a number is not positive.
    """

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 1e-2
    schedule: CosinePower = field(default_factory=lambda: CosinePower(power=1.0))
    teachers: VotingTeachers | None = None

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or not self.learning_rate > 0:
            msg = (
                "training needs `epochs >= 1`, `batch >= 1` and `learning_rate > 0`, but got "
                f"{self.epochs}, {self.batch}, {self.learning_rate}: 100, 64 and 0.01 are the defaults"
            )
            raise InvalidDataError(msg)

    def steps(
        self,
        supernet: Supernet,
        x: Float[torch.Tensor, "n channels height width"],
        labels: Int[torch.Tensor, " n"],
        weights: Callable[[], Float[torch.Tensor, "edges operators"]],
        seed: int,
    ) -> Iterator[float]:
        """Train; gives the share of all steps that is done, after each of them.

        Args:
            supernet: Its weights change.
            x: Images.
            labels: Their classes.
            weights: Gives those of the operators for the next step.
            seed: Of the order of images.

        Raises:
            InvalidDataError: If there are fewer images than a batch has.
        """
        import torch
        from torch.nn import functional as F

        if len(x) < self.batch:
            msg = f"a step takes {self.batch} images, but there are {len(x)}: make `batch` smaller"
            raise InvalidDataError(msg)
        order = torch.Generator().manual_seed(seed)
        adam = torch.optim.Adam(supernet.parameters(), lr=self.learning_rate)
        votes = None if self.teachers is None else self.teachers.begin()
        total, step = self.epochs * (len(x) // self.batch), 0
        for _ in range(self.epochs):
            rows = torch.randperm(len(x), generator=order)
            for start in range(0, len(rows) - self.batch + 1, self.batch):
                batch, now = rows[start : start + self.batch], weights()
                for group in adam.param_groups:
                    group["lr"] = self.learning_rate * self.schedule(step / total)
                logits = supernet(x[batch], now)
                loss = F.cross_entropy(logits, labels[batch])
                if votes is not None:
                    loss = loss + votes.loss(logits, x[batch], now)
                adam.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(supernet.parameters(), _CLIP)
                adam.step()
                step += 1
                if votes is not None:
                    votes.remember(step, supernet)
                yield step / total
