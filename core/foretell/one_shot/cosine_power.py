"""A learning rate that falls along a power of a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from foretell.errors import InvalidDataError


@dataclass(frozen=True)
class CosinePower:
    """Cosine power annealing of sharpDARTS (Hundt et al., 2019, https://arxiv.org/abs/1903.09900, section 4).

    The share of the first rate at progress t is (p^c(t) - 1) / (p - 1) with c(t) = (1 + cos(pi t)) / 2, stretched to
    end at `last`. Power 1, its limit, is the cosine itself; the larger the power, the sooner the rate falls.

    Args:
        power: p, 1 or more; 10 is their value for ImageNet, 2 for CIFAR-10.
        last: Share of the first rate that is left at the end, in [0, 1].

    Raises:
        InvalidDataError: If a number is outside its range.

    >>> [round(CosinePower(10)(t), 3) for t in (0, 0.5, 1)], [round(CosinePower(1)(t), 3) for t in (0, 0.5, 1)]
    ([1.0, 0.24, 0.0], [1.0, 0.5, 0.0])
    """

    power: float = 10.0
    last: float = 0.0

    def __post_init__(self) -> None:
        if not (self.power >= 1.0 and 0.0 <= self.last <= 1.0):
            msg = (
                f"`power >= 1` and `0 <= last <= 1` must hold, but got {self.power=}, {self.last=}: take 10 and 0, or "
                "power 1 for a plain cosine"
            )
            raise InvalidDataError(msg)

    def __call__(self, progress: float) -> float:
        """Share of the first learning rate.

        Args:
            progress: Share of all steps that is done, in [0, 1].
        """
        cosine = 0.5 * (1.0 + math.cos(math.pi * progress))
        share = cosine if self.power == 1.0 else (self.power**cosine - 1.0) / (self.power - 1.0)
        return self.last + (1.0 - self.last) * share
