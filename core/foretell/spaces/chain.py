"""Parts one after the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from foretell.spaces.part import Part, Scope, Shape


class Chain:
    """Parts in order, each fed with what the one before gives.

    Args:
        *parts: Known by their position.
        **named: Known by their name, after the others.
    """

    def __init__(self, *parts: Part, **named: Part) -> None:
        self.parts: dict[str, Part] = {str(i): part for i, part in enumerate(parts)} | named

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        plans: list[Plan] = []
        for name, part in self.parts.items():
            plans.append(part.plan(scope.inside(name), shape))
            shape = plans[-1].shape
        return Plan(shape, lambda: in_order(plans), " > ".join(p.text for p in plans))

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return self.parts.values()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return math.prod(part.members(symbols) for part in self.parts.values())


def in_order(plans: Iterable[Plan]) -> nn.Module:
    """The modules of some plans, one after the other."""
    return nn.Sequential(*(plan.build() for plan in plans))
