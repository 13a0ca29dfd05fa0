"""The kinds of hyperparameter, with the meaning they have in Optuna.

Each distribution maps its values to the unit interval and back: numbers to their position (in log space
where `log`), choices to the middle of their slot. `from_unit` rounds to the nearest value that is allowed.
"""

from __future__ import annotations

import math
import operator
import sys
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from foretell.errors import InvalidSearchSpaceError

Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class FloatDistribution:
    """Real numbers in [low, high], on a log scale or in steps if so said.

    Raises:
        InvalidSearchSpaceError: If low > high, a bound is not finite, log and step meet, or log and low <=
            0 do.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log, self.step)

    @property
    def size(self) -> int | None:
        """Number of values, None if there are infinitely many."""
        if self.step is not None:
            return math.floor((self.high - self.low) / self.step + 1e-9) + 1
        return 1 if self.low == self.high else None

    def to_unit(self, value: Value) -> float:
        """Position of a value in [0, 1]."""
        low, high = _edges(self.low, self.high, self.log, self.step)
        return _position(float(value), low, high, self.log)  # type: ignore[arg-type]

    def from_unit(self, unit: float) -> float:
        """The allowed value nearest to a position in [0, 1]."""
        low, high = _edges(self.low, self.high, self.log, self.step)
        value = _value(unit, low, high, self.log)
        if self.step is not None:
            value = self.low + round((value - self.low) / self.step) * self.step
            last = self.low + ((self.size or 1) - 1) * self.step
            return min(max(value, self.low), last, self.high)
        return min(max(value, self.low), self.high)

    def contains(self, value: Value) -> bool:
        """Whether a value is allowed."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step is not None else 0.0
        return abs(steps - round(steps)) < 1e-8


@dataclass(frozen=True, slots=True)
class IntDistribution:
    """Whole numbers from low to high in steps, on a log scale if so said.

    Raises:
        InvalidSearchSpaceError: If a number is not whole, low > high, step < 1, log and step > 1 meet, or log
            and low < 1 do.
    """

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            try:
                object.__setattr__(self, name, operator.index(getattr(self, name)))
            except TypeError as e:
                msg = f"`{name}` must be a whole number, but got {getattr(self, name)!r}: round it"
                raise InvalidSearchSpaceError(msg) from e
        _check_bounds(self.low, self.high, self.log, None if self.step == 1 else self.step)

    @property
    def size(self) -> int:
        """Number of values."""
        return (self.high - self.low) // self.step + 1

    def to_unit(self, value: Value) -> float:
        """Position of a value in [0, 1]."""
        low, high = _edges(self.low, self.low + (self.size - 1) * self.step, self.log, self.step)
        return _position(float(value), low, high, self.log)  # type: ignore[arg-type]

    def from_unit(self, unit: float) -> int:
        """The allowed value nearest to a position in [0, 1]."""
        last = self.low + (self.size - 1) * self.step
        low, high = _edges(self.low, last, self.log, self.step)
        value = _value(unit, low, high, self.log)
        return min(max(self.low + round((value - self.low) / self.step) * self.step, self.low), last)

    def contains(self, value: Value) -> bool:
        """Whether a value is allowed."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class CategoricalDistribution:
    """One of several choices without an order.

    Raises:
        InvalidSearchSpaceError: If there is no choice, or one is no plain value.
    """

    choices: tuple[Value, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices))
        wrong = [c for c in self.choices if not (c is None or isinstance(c, bool | int | float | str))]
        if not self.choices or wrong:
            msg = (
                "a categorical needs at least one choice, each None, bool, int, float or str, but got "
                f"{self.choices}: "
                "name structured choices by a label"
            )
            raise InvalidSearchSpaceError(msg)

    @property
    def size(self) -> int:
        """Number of choices."""
        return len(self.choices)

    def index(self, value: Value) -> int:
        """Position of a choice; True is not 1, and NaN is itself.

        Raises:
            InvalidSearchSpaceError: If it is not among the choices.
        """
        for i, choice in enumerate(self.choices):
            if type(choice) is type(value) and (choice == value or (choice != choice and value != value)):
                return i
        for i, choice in enumerate(self.choices):
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return i
        msg = f"a value must be one of the choices {self.choices}, but got {value!r}: use one of them"
        raise InvalidSearchSpaceError(msg)

    def to_unit(self, value: Value) -> float:
        """Middle of the choice's slot in [0, 1]."""
        return (self.index(value) + 0.5) / self.size

    def from_unit(self, unit: float) -> Value:
        """The choice whose slot holds a position in [0, 1]."""
        return self.choices[min(max(int(unit * self.size), 0), self.size - 1)]

    def contains(self, value: Value) -> bool:
        """Whether a value is among the choices."""
        try:
            self.index(value)
        except InvalidSearchSpaceError:
            return False
        return True


Distribution: TypeAlias = FloatDistribution | IntDistribution | CategoricalDistribution


def snap(distribution: Distribution, units: np.ndarray) -> np.ndarray:
    """Move positions in [0, 1] to those of the nearest allowed values, all at once."""
    units = np.clip(units, 0.0, 1.0)
    size = distribution.size
    if isinstance(distribution, CategoricalDistribution):
        assert size is not None
        return np.asarray((np.minimum(np.floor(units * size), size - 1) + 0.5) / size)
    if size is None:
        return units
    if size == 1:
        return np.full_like(units, distribution.to_unit(distribution.low))
    if size > 1000:
        return np.array([distribution.to_unit(distribution.from_unit(u)) for u in units.tolist()])
    step = distribution.step or 1.0
    grid = np.array([distribution.to_unit(distribution.low + i * step) for i in range(size)])
    return grid[np.searchsorted((grid[1:] + grid[:-1]) / 2, units)]


def _check_bounds(low: float, high: float, log: bool, step: float | None) -> None:
    if not (abs(low) <= sys.float_info.max and abs(high) <= sys.float_info.max and low <= high):  # whole ones, too
        msg = f"finite `low <= high` must hold, but got ({low=}, {high=}): swap or bound them"
        raise InvalidSearchSpaceError(msg)
    if step is not None and not step > 0:
        msg = f"`step > 0` must hold, but got {step=}: give a positive step"
        raise InvalidSearchSpaceError(msg)
    if log and (low <= 0 or step is not None):
        msg = f"a log scale needs `low > 0` and no step, but got ({low=}, {step=}): raise low or drop log"
        raise InvalidSearchSpaceError(msg)


def _edges(low: float, high: float, log: bool, step: float | None) -> tuple[float, float]:
    """Widen by half a step, so that every discrete value has an equal share of the unit interval."""
    if step is None:
        return low, high
    last = low + math.floor((high - low) / step + 1e-9) * step
    return (max(low - step / 2, low / 2) if log else low - step / 2), last + step / 2


def _position(value: float, low: float, high: float, log: bool) -> float:
    if low == high:
        return 0.5
    if log:
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return (value - low) / (high - low) if math.isfinite(high - low) else (value / 2 - low / 2) / (high / 2 - low / 2)


def _value(unit: float, low: float, high: float, log: bool) -> float:
    if log:
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low) if math.isfinite(high - low) else low * (1 - unit) + high * unit
