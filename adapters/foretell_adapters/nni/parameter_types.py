"""How one parameter of NNI looks to the optimizer, and how its values travel to and fro.

NNI's type decides which distribution the optimizer searches; values outside it are refused on the way back.

| NNI | distribution | NNI's value |
|---|---|---|
| choice | categorical; structured values by their JSON | the choice |
| choice of three numbers or more | int: its place among them | the choice |
| randint | int, upper bound excluded | itself |
| uniform, loguniform | float | itself |
| quniform, qloguniform | int k, log scale likewise | k q, clipped to the bounds |
| normal, lognormal | float: the quantile, in [0.001, 0.999] | x at that quantile, its exponential |
| qnormal, qlognormal | likewise | likewise, rounded to a multiple of q |

Normal types are searched by quantile because that keeps what the user said by choosing them: half of the
start-up trials fall within 0.67 sigma of the mean. The ends are cut at 3.09 sigma.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Protocol

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from foretell.distributions import Distribution, Value

QUANTILES = FloatDistribution(0.001, 0.999)


class ParameterType(Protocol):
    """One parameter seen from both sides."""

    @property
    def distribution(self) -> Distribution:
        """What the optimizer searches."""
        ...

    def to_nni(self, value: Value) -> Any:
        """The value that a trial receives."""
        ...

    def from_nni(self, value: Any) -> Value:
        """The optimizer's value for one that a trial had.

        Raises:
            InvalidSearchSpaceError: If the parameter cannot have that value.
        """
        ...


@dataclass(frozen=True)
class Choice:
    """One of several values of any JSON kind; equal ones count once."""

    values: tuple[Any, ...]
    labels: tuple[Value, ...]

    @classmethod
    def of(cls, values: Iterable[Any]) -> Choice:
        """Keep plain values as they are, and label all by their JSON if one is structured."""
        distinct = {canonical(v): v for v in reversed(list(values))}
        keys = list(reversed(distinct))
        kept = tuple(distinct[k] for k in keys)
        plain = all(v is None or isinstance(v, bool | int | float | str) for v in kept)
        return cls(kept, kept if plain else tuple(keys))

    @property
    def distribution(self) -> CategoricalDistribution:
        """What the optimizer searches."""
        return CategoricalDistribution(self.labels)

    def to_nni(self, value: Value) -> Any:
        """The choice behind a label."""
        return self.values[self.distribution.index(value)]

    def from_nni(self, value: Any) -> Value:
        """The label of a choice; 1 and 1.0 are the same, as they come back from NNI's manager."""
        wanted = canonical(value)
        for choice, label in zip(self.values, self.labels, strict=True):
            if canonical(choice) == wanted:
                return label
        raise _outside(value, f"one of the choices {self.labels}")


@dataclass(frozen=True)
class Ordered:
    """One of several numbers, which are alike where they are near in order.

    Args:
        values: Distinct numbers, increasing.
    """

    values: tuple[float, ...]

    @property
    def distribution(self) -> IntDistribution:
        """What the optimizer searches: a place among the numbers."""
        return IntDistribution(0, len(self.values) - 1)

    def to_nni(self, value: Value) -> float:
        """The number at a place."""
        return self.values[int(_number(value))]

    def from_nni(self, value: Any) -> int:
        """The place of a number."""
        for place, number in enumerate(self.values):
            if canonical(number) == canonical(value):
                return place
        raise _outside(value, f"one of the choices {self.values}")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from low to high, both included."""

    low: int
    high: int

    @property
    def distribution(self) -> IntDistribution:
        """What the optimizer searches."""
        return IntDistribution(self.low, self.high)

    def to_nni(self, value: Value) -> int:
        """The number."""
        return int(_number(value))

    def from_nni(self, value: Any) -> int:
        """The number, as an int again."""
        number = _number(value)
        if not self.distribution.contains(int(number)) or int(number) != number:
            raise _outside(value, f"a whole number in [{self.low}, {self.high}]")
        return int(number)


@dataclass(frozen=True, slots=True)
class Real:
    """A real number in [low, high]."""

    low: float
    high: float
    log: bool = False

    @property
    def distribution(self) -> FloatDistribution:
        """What the optimizer searches."""
        return FloatDistribution(self.low, self.high, log=self.log)

    def to_nni(self, value: Value) -> float:
        """The number."""
        return _number(value)

    def from_nni(self, value: Any) -> float:
        """The number, as a float again."""
        number = _number(value)
        if not self.low <= number <= self.high:
            raise _outside(value, f"in [{self.low}, {self.high}]")
        return number


@dataclass(frozen=True, slots=True)
class Grid:
    """Multiples of q, the outer ones clipped to [low, high]."""

    low: float
    high: float
    q: float
    log: bool = False

    @property
    def distribution(self) -> IntDistribution:
        """What the optimizer searches: which multiple."""
        return IntDistribution(round(self.low / self.q), round(self.high / self.q), log=self.log)

    def to_nni(self, value: Value) -> float:
        """The multiple itself."""
        return min(max(_number(value) * self.q, self.low), self.high)

    def from_nni(self, value: Any) -> int:
        """Which multiple is nearest."""
        number = _number(value)
        if not self.low <= number <= self.high:
            raise _outside(value, f"in [{self.low}, {self.high}]")
        return round(number / self.q)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A normal variable, or the exponential of one."""

    normal: NormalDist
    log: bool = False

    @property
    def distribution(self) -> FloatDistribution:
        """What the optimizer searches: the quantile."""
        return QUANTILES

    def to_nni(self, value: Value) -> float:
        """The number at a quantile."""
        number = self.normal.inv_cdf(_number(value))
        return math.exp(number) if self.log else number

    def from_nni(self, value: Any) -> float:
        """The quantile of a number; what lies beyond the ends goes to them."""
        number = _number(value)
        if self.log:
            number = math.log(number) if number > 0 else -math.inf
        return min(max(self.normal.cdf(number), QUANTILES.low), QUANTILES.high)


@dataclass(frozen=True, slots=True)
class Rounded:
    """A number that a trial receives rounded to a multiple of q and clipped to [low, high]."""

    exact: Real | Quantile
    q: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def distribution(self) -> FloatDistribution:
        """What the optimizer searches: the number before rounding."""
        return self.exact.distribution

    def to_nni(self, value: Value) -> float:
        """The rounded number."""
        return min(max(round(self.exact.to_nni(value) / self.q) * self.q, self.low), self.high)

    def from_nni(self, value: Any) -> float:
        """The optimizer's value for the rounded number, not for what it was rounded from."""
        return self.exact.from_nni(value)


def choice(values: Iterable[Any]) -> Choice | Ordered:
    """By order if they are three numbers or more, by name otherwise."""
    plain = Choice.of(values)
    if len(plain.values) > 2 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain.values):
        return Ordered(tuple(sorted(plain.values)))
    return plain


def grid(low: float, high: float, q: float, log: bool) -> Grid | Rounded:
    """Multiples of q; a log scale that reaches below q / 2 cannot count in them, and is rounded instead."""
    if log and round(low / q) < 1:
        return Rounded(Real(low, high, log=True), q, low, high)
    return Grid(low, high, q, log)


def canonical(value: Any) -> str:
    """JSON by which two values are the same, though they went through JavaScript, which writes 1.0 as 1."""
    return json.dumps(_as_javascript(value), sort_keys=True, default=repr)


def _as_javascript(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return [_as_javascript(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _as_javascript(v) for k, v in value.items()}
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _outside(value, "a finite number")
    return float(value)


def _outside(value: Any, rule: str) -> InvalidSearchSpaceError:
    return InvalidSearchSpaceError(f"a value of this parameter must be {rule}, but got {value!r}: leave that trial out")
