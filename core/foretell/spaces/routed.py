"""A part that sees its input in another layout: an image as tokens, tokens with width and length exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from foretell.errors import InvalidSearchSpaceError
from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from foretell.spaces.part import Part, Scope, Shape


class Turned(nn.Module):
    """A module for tokens, fed with an image's pixels as tokens, or with tokens whose two dimensions are exchanged.

    Args:
        inside: Takes and gives batch x tokens x width.
    """

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Turn, run, turn back."""
        result: torch.Tensor = self.inside(x.flatten(2).transpose(1, 2))
        return result.transpose(1, 2).reshape(x.shape)


@dataclass(frozen=True)
class Routed:
    """A part between a change of layout and its inverse; it must keep the shape.

    Of (channels, height, width) it sees (height x width, channels), of (tokens, width) it sees (width, tokens).

    Args:
        part: The part.
    """

    part: Part

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`.

        Raises:
            InvalidSearchSpaceError: If the part changes the shape.
        """
        turned = (torch.Size(shape[1:]).numel(), shape[0])
        plan = self.part.plan(scope, turned)
        if plan.shape != turned:
            msg = f"a routed part must keep the shape {turned}, but {plan.text} gives {plan.shape}: project it back"
            raise InvalidSearchSpaceError(msg)
        return Plan(shape, lambda: Turned(plan.build()), f"turned({plan.text})")

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return (self.part,)

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return self.part.members(symbols)
