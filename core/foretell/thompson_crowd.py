"""From how many evaluations under way on a search follows draws of its belief, see `DrawnBelief`."""

from __future__ import annotations

from dataclasses import dataclass

from foretell.errors import InvalidDataError


@dataclass(frozen=True)
class ThompsonCrowd:
    """Thompson sampling for a crowd of workers.

    With fewer of them, and without this, what runs counts as if it had reached the expected value. That was as good or
    better with 8 to 64 workers on all spaces together; draws need no word of what the others do, and are worth trying
    where there are more.

    Args:
        running: Evaluations under way from which on proposals follow draws.

    Raises:
        InvalidDataError: If it is below 1.
    """

    running: int = 32

    def __post_init__(self) -> None:
        if self.running < 1:
            msg = f"a crowd has at least one evaluation under way, but got {self.running=}: raise it"
            raise InvalidDataError(msg)
