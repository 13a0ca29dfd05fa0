"""Limits as a rule for proposals: what an optimizer asks before it proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foretell.distributions import CategoricalDistribution
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from foretell.distributions import Value
    from foretell.graph_source import GraphSource
    from foretell.limits_keeper import LimitsKeeper

_LOOKED_AT = 48  # networks that are captured for a suggestion to find some within the limits


@dataclass(frozen=True)
class Filled:
    """Configurations with a value for every parameter, so that what a program asks for is known beforehand.

    Conditions of a program are guessed from its trials and may be wrong; a limit must hold all the same.

    Args:
        space: Without conditions.
    """

    space: SearchSpace

    @classmethod
    def of(cls, space: SearchSpace) -> Filled:
        """Of a space whose conditions are left out."""
        return cls(SearchSpace(space.distributions))

    def __call__(self, config: Mapping[str, Value]) -> dict[str, Value]:
        """The configuration, with the first choice or the middle for what it lacks."""
        return {
            name: config[name]
            if name in config
            else d.from_unit(0.0 if isinstance(d, CategoricalDistribution) else 0.5)
            for name, d in self.space.distributions.items()
        }


@dataclass
class Affordable:
    """Whether a configuration is within limits, for as many new networks as one suggestion may capture.

    Args:
        keeper: The limits.
        filled: Completes configurations.
        graph: Where networks are remembered; None where nothing is captured.
    """

    keeper: LimitsKeeper
    filled: Filled
    graph: GraphSource | None
    _left: int = field(default=_LOOKED_AT, init=False)

    def __call__(self, config: Mapping[str, Value]) -> bool:
        """See `BayesianOptimizer.admissible`."""
        whole = self.filled(config)
        if self.graph is not None and not self.graph.knows(whole):
            self._left -= 1
            if self._left < 0:
                return False
        return self.keeper.within(whole)
