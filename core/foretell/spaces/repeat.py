"""A part several times: each with values of its own, or all alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.distributions import IntDistribution
from foretell.spaces.chain import in_order
from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from foretell.spaces.part import Part, Scope, Shape


class Repeat:
    """A part as often as a parameter named `times` says, each time with values of its own.

    Args:
        part: The part; number `i` of it is there where `times` is larger than `i`.
        low: Fewest times.
        high: Most times.
    """

    def __init__(self, part: Part, low: int, high: int) -> None:
        self.part, self.times = part, IntDistribution(low, high)

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        plans: list[Plan] = []
        for i in range(int(scope.value("times", self.times) or 0)):
            plans.append(self.part.plan(scope.inside(i), shape))
            shape = plans[-1].shape
        return Plan(shape, lambda: in_order(plans), " > ".join(p.text for p in plans) or "none")

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return (self.part,)

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        each = self.part.members(symbols)
        return sum(each**n for n in range(self.times.low, self.times.high + 1))


class Stack:
    """One part, drawn once, as often as a parameter named `times` says; it must take what it gives.

    Args:
        part: The part.
        low: Fewest times.
        high: Most times.
    """

    def __init__(self, part: Part, low: int, high: int) -> None:
        self.part, self.times = part, IntDistribution(low, high)

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        times = int(scope.value("times", self.times) or 0)
        plans: list[Plan] = []
        for _ in range(times):  # the same names again: the same values, for another shape
            plans.append(self.part.plan(scope.inside("each"), shape))
            shape = plans[-1].shape
        return Plan(shape, lambda: in_order(plans), f"{times} x ({plans[0].text})" if plans else "none")

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return (self.part,)

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return sum(self.part.members(symbols) if n else 1 for n in range(self.times.low, self.times.high + 1))
