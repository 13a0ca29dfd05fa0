"""One training run at some scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ScaledRun:
    """How large a run was, how it was set, and what came of it.

    Args:
        scale: What was spent, by name, such as parameters, tokens, epochs or width; positive numbers.
        settings: What has an optimum that moves with the scale, by name, such as a learning rate; positive numbers.
        loss: What the run came to, smaller is better, positive; infinite or `nan` where it diverged.

    Raises:
        InvalidDataError: If a scale or a setting is not positive and finite, or a finite loss is not positive.
    """

    scale: Mapping[str, float]
    settings: Mapping[str, float]
    loss: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", positive_numbers(self.scale))
        object.__setattr__(self, "settings", positive_numbers(self.settings))
        if math.isfinite(self.loss) and self.loss <= 0:
            msg = f"a loss must be positive, for its logarithm is modelled, but got {self.loss=}: give a cross-entropy"
            raise InvalidDataError(msg)


def positive_numbers(numbers: Mapping[str, float]) -> Mapping[str, float]:
    """A copy that cannot be changed.

    Raises:
        InvalidDataError: If one is not positive and finite.
    """
    wrong = {name: value for name, value in numbers.items() if not (math.isfinite(value) and value > 0)}
    if wrong:
        msg = f"scales and settings must be positive and finite, but got {wrong}: give them in units where they are"
        raise InvalidDataError(msg)
    return MappingProxyType({name: float(value) for name, value in numbers.items()})
