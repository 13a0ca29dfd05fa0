"""What a program draws its parameters from: Optuna's trial, or anything with its three methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Trial(Protocol):
    """The part of Optuna's trial that a program needs."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """A whole number from low to high."""
        ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from low to high."""
        ...


class WeightedTrial(Protocol):
    """A trial that can draw choices with unequal chances, as a probabilistic grammar asks for."""

    def suggest_weighted(self, name: str, choices: Sequence[str], weights: Sequence[float]) -> str:
        """One of the choices, each with a chance in proportion to its weight."""
        ...
