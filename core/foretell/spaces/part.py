"""A part of a program, and what it plans once its parameters are drawn.

Drawing and building are apart, so that a search can look at thousands of architectures without making a module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from foretell.distributions import CategoricalDistribution, IntDistribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import nn

    from foretell.distributions import Distribution, Value
    from foretell.graph import ComputationGraph
    from foretell.spaces.grammar import Grammar
    from foretell.spaces.trial import Trial, WeightedTrial

Shape = tuple[int, ...]
"""Of a tensor without its batch dimension: (channels, height, width), (tokens, width) or (width,)."""


@dataclass(frozen=True)
class Plan:
    """An architecture that is drawn and not yet built.

    Args:
        shape: What it gives.
        build: Makes the module, with weights of its own at every call.
        text: How it reads, such as `conv(width=16) > pool`.
        graph: Makes its computation graph where that is quicker than capturing the module.
    """

    shape: Shape
    build: Callable[[], nn.Module]
    text: str
    graph: Callable[[], ComputationGraph] | None = None


class Part(Protocol):
    """A piece of a space: draws its own parameters, under names that say where in the tree it stands."""

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """Draw, and plan for inputs of a shape."""
        ...

    def inner(self) -> Iterable[Part]:
        """Parts inside."""
        ...

    def members(self, symbols: Mapping[str, float]) -> float:
        """How many architectures it can draw, infinite where a number is continuous.

        Args:
            symbols: How many each symbol of the grammar around it can draw.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """Where in the tree a part stands, and the trial that it draws from.

    Args:
        trial: Gives the values.
        path: Names from the root down, joined by dots; empty at the root.
        grammar: What symbols refer to.
        depth: Rules that may still be nested.
    """

    trial: Trial
    path: str = ""
    grammar: Grammar | None = None
    depth: int = 0

    def inside(self, name: str | int, depth: int | None = None) -> Scope:
        """The scope of a part of this one, with as many rules left unless said."""
        return Scope(self.trial, self.name(name), self.grammar, self.depth if depth is None else depth)

    def name(self, key: str | int) -> str:
        """The full name of a parameter of this part."""
        return f"{self.path}.{key}" if self.path else str(key)

    def value(self, key: str, distribution: Distribution) -> Value:
        """Draw a parameter."""
        name = self.name(key)
        if isinstance(distribution, CategoricalDistribution):
            found: Value = self.trial.suggest_categorical(name, list(distribution.choices))
            return found
        if isinstance(distribution, IntDistribution):
            return self.trial.suggest_int(
                name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
            )
        return self.trial.suggest_float(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )

    def choice(self, key: str, choices: Sequence[str], weights: Sequence[float] | None = None) -> str:
        """Draw one of some labels; a trial that cannot weigh them draws as it likes."""
        if weights is not None and hasattr(self.trial, "suggest_weighted"):
            return cast("WeightedTrial", self.trial).suggest_weighted(self.name(key), choices, weights)
        return str(self.trial.suggest_categorical(self.name(key), list(choices)))
