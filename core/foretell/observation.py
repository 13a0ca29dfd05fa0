"""What an evaluation made known, as a search sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.cost import checked_cost
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value


@dataclass(frozen=True)
class Observation:
    """One finished evaluation.

    Args:
        config: What was tried; inactive parameters are absent.
        values: Objectives, larger is better; infinite allowed, `nan` not.
        constraints: Values that must not be positive, in the same order for all observations of a study.
        partial: Whether it was stopped early, so that the objective is an intermediate value.
        cost: What it took, above 0, in any unit that is the same for all; None where that is unknown.

    Raises:
        InvalidDataError: If there is no objective or one is `nan`, or the cost is no finite number above 0.
    """

    config: Mapping[str, Value]
    values: tuple[float, ...]
    constraints: tuple[float, ...] = ()
    partial: bool = False
    cost: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(float(v) for v in self.values))
        if not self.values or any(v != v for v in (*self.values, *self.constraints)):
            msg = f"an observation needs objectives that are numbers, but got {self.values}: leave failed ones out"
            raise InvalidDataError(msg)
        if self.cost is not None:
            object.__setattr__(self, "cost", checked_cost(self.cost, f"the observation of {dict(self.config)}"))
