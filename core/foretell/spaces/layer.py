"""The leaf of a space: a module of one's own with the parameters that it needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foretell.spaces.part import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import nn

    from foretell.distributions import Distribution
    from foretell.spaces.part import Part, Scope, Shape


def same_shape(shape: Shape, **values: Any) -> Shape:
    """The shape that most layers give: that of what enters."""
    del values
    return shape


@dataclass(frozen=True)
class Layer:
    """A module for inputs of a shape.

    Args:
        name: How it reads.
        make: From the shape of what enters and the drawn values to a module.
        hyperparameters: What is drawn, by the names of `make`'s arguments.
        out: From the same arguments to the shape that the module gives.

    >>> from torch import nn
    >>> from foretell import IntDistribution
    >>> wide = IntDistribution(4, 64, log=True)
    >>> Layer(
    ...     "dense", lambda shape, width: nn.Linear(shape[0], width), {"width": wide}, lambda shape, width: (width,)
    ... ).members({})
    61
    """

    name: str
    make: Callable[..., nn.Module]
    hyperparameters: Mapping[str, Distribution] = field(default_factory=dict)
    out: Callable[..., Shape] = same_shape

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        values = {key: scope.value(key, distribution) for key, distribution in self.hyperparameters.items()}
        drawn = ", ".join(f"{key}={value}" for key, value in values.items())
        text = f"{self.name}({drawn})" if values else self.name
        return Plan(tuple(self.out(shape, **values)), lambda: self.make(shape, **values), text)

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return ()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        del symbols
        sizes = [math.inf if d.size is None else d.size for d in self.hyperparameters.values()]
        return math.prod(sizes)
