"""Parts beside each other, all fed with the same input, and how they come together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from foretell.errors import InvalidSearchSpaceError
from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from foretell.spaces.part import Part, Scope, Shape


class Joined(nn.Module):
    """Modules beside each other, and a function of their results.

    Args:
        branches: Each takes the input.
        join: From their results to one tensor.
    """

    def __init__(self, branches: Iterable[nn.Module], join: Callable[[Sequence[torch.Tensor]], torch.Tensor]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.join = join

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run all of them."""
        return self.join([branch(x) for branch in self.branches])


class Branches:
    """Parts beside each other that give equal shapes.

    Args:
        join: How their results come together, such as `added`; must keep the shape.
        *parts: Known by their position.

    Raises:
        InvalidSearchSpaceError: If there are fewer than two.
    """

    def __init__(self, join: Callable[[Sequence[torch.Tensor]], torch.Tensor], *parts: Part) -> None:
        if len(parts) < 2:
            msg = f"branches need two parts or more, but got {len(parts)}: use the part itself"
            raise InvalidSearchSpaceError(msg)
        self.join, self.parts = join, parts

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`.

        Raises:
            InvalidSearchSpaceError: If the shapes differ.
        """
        plans = [part.plan(scope.inside(i), shape) for i, part in enumerate(self.parts)]
        if len({plan.shape for plan in plans}) > 1:
            said = ", ".join(f"{plan.text} {plan.shape}" for plan in plans)
            msg = f"branches must give equal shapes, but got {said}: let each keep its shape"
            raise InvalidSearchSpaceError(msg)
        text = f"{self.join.__name__}({', '.join(p.text for p in plans)})"
        return Plan(plans[0].shape, lambda: Joined([p.build() for p in plans], self.join), text)

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return self.parts

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return math.prod(part.members(symbols) for part in self.parts)


def added(results: Sequence[torch.Tensor]) -> torch.Tensor:
    """The sum."""
    total = results[0]
    for result in results[1:]:
        total = total + result
    return total


def multiplied(results: Sequence[torch.Tensor]) -> torch.Tensor:
    """The first, each number scaled by gates between 0 and 1 that the others make."""
    product = results[0]
    for result in results[1:]:
        product = product * torch.sigmoid(result)
    return product


def attended(results: Sequence[torch.Tensor]) -> torch.Tensor:
    """The last, gathered from tokens by scaled products of the first two (Vaswani et al., 2017, equation 1)."""
    query, key, value = results
    weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]), dim=-1)
    return weights @ value
