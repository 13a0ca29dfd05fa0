"""Substitution: one of several parts, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from foretell.errors import InvalidSearchSpaceError
from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from foretell.spaces.part import Part, Scope, Shape


class Choice:
    """One of several parts, by a categorical parameter named `is`.

    Args:
        **options: The parts by label; what an option draws is named under its label, so it exists with it alone.

    Raises:
        InvalidSearchSpaceError: If there is no option.
    """

    def __init__(self, **options: Part) -> None:
        if not options:
            msg = "a choice needs at least one option, but got none: write Choice(conv=..., pool=...)"
            raise InvalidSearchSpaceError(msg)
        self.options = options

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        label = scope.choice("is", list(self.options))
        return self.options[label].plan(scope.inside(label), shape)

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return self.options.values()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return sum(option.members(symbols) for option in self.options.values())


class Maybe:
    """A part that may be left out, by a parameter named `on`; it must keep the shape.

    Args:
        part: The part.
    """

    def __init__(self, part: Part) -> None:
        self.part = part

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`.

        Raises:
            InvalidSearchSpaceError: If the part changes the shape.
        """
        if scope.choice("on", ("no", "yes")) == "no":
            return Plan(shape, nn.Identity, "none")
        plan = self.part.plan(scope.inside("yes"), shape)
        if plan.shape != shape:
            msg = f"a part that may be left out must keep the shape {shape}, but {plan.text} gives {plan.shape}: pad it"
            raise InvalidSearchSpaceError(msg)
        return plan

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return (self.part,)

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return 1 + self.part.members(symbols)
