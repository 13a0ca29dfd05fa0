"""What was evaluated at some fidelity, and what is to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value


@dataclass(frozen=True)
class FidelityTrial:
    """One evaluation.

    Args:
        config: What was tried; inactive parameters are absent.
        level: Its fidelity, from 0 for the cheapest; the last one is what counts.
        value: What came of it, larger is better, infinite allowed. Scales of levels may differ.

    Raises:
        InvalidDataError: If the level is negative or the value `nan`.
    """

    config: Mapping[str, Value]
    level: int
    value: float

    def __post_init__(self) -> None:
        if self.level < 0 or self.value != self.value:
            msg = (
                f"an evaluation needs `level >= 0` and a value that is a number, but got {self.level=}, {self.value=}: "
                "give -inf to what failed"
            )
            raise InvalidDataError(msg)


@dataclass(frozen=True)
class FidelityJob:
    """What to evaluate next.

    Args:
        config: What to try.
        level: At which fidelity.
    """

    config: Mapping[str, Value]
    level: int
