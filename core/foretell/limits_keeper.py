"""Keeps every proposal of a search within limits: rejection with a bound on tries, then projection.

RC-DARTS (Jin et al., 2019, https://arxiv.org/abs/1912.12814) projects a network's choices onto those that a device can
afford. Where these are distinct, so are the steps: one parameter at a time to another value, as long as it makes the
network cheaper, and of those that make it cheap enough the dearest, which is the least change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foretell.distributions import CategoricalDistribution
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    import numpy as np

    from foretell.distributions import Distribution, Value
    from foretell.graph import ComputationGraph
    from foretell.limit import Limit
    from foretell.search_space import SearchSpace

_CHANGES = 32  # single changes that are looked at before a step is taken
_STEPS = 64
_DRAWS = 500


def _as_it_is(config: Mapping[str, Value]) -> Mapping[str, Any]:
    return config


@dataclass(frozen=True)
class LimitsKeeper:
    """Says what is affordable, and makes of what is not something that is.

    Args:
        limits: What must hold.
        graph: The network of a configuration, for limits that are counted on it.
        sample: From a configuration to what the limits' functions take.
    """

    limits: Sequence[Limit]
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None] | None = None
    sample: Callable[[Mapping[str, Value]], Mapping[str, Any]] = _as_it_is

    def share(self, config: Mapping[str, Value]) -> float:
        """The largest cost as a share of its limit; 1 or less is affordable, without limits 0."""
        seen = self.graph is not None and any(limit.sees_network for limit in self.limits)
        graph = self.graph(config) if seen and self.graph is not None else None
        given = self.sample(config)
        return max((limit.share(given, graph) for limit in self.limits), default=0.0)

    def within(self, config: Mapping[str, Value]) -> bool:
        """Whether every limit holds."""
        return self.share(config) <= 1.0

    def affordable(self, config: Mapping[str, Value], space: SearchSpace, rng: np.random.Generator) -> dict[str, Value]:
        """A configuration within the limits: this one, its projection, or a projection of random draws.

        Args:
            config: Where to start, with all of its active parameters.
            space: What may be varied.
            rng: Source of chance.

        Raises:
            InvalidDataError: If nothing affordable is found.
        """
        best: tuple[float, dict[str, Value]] | None = None
        for attempt in range(_DRAWS):
            start = dict(config) if not attempt else space.sample(rng)
            share = self.share(start)
            if share <= 1.0:
                return start
            if attempt % 50 == 0:
                share, start = self._projected(start, share, space, rng)
                if share <= 1.0:
                    return start
            if best is None or share < best[0]:
                best = share, start
        assert best is not None
        msg = (
            f"a search needs a network within its limits, but the cheapest of {_DRAWS} draws and their projections "
            f"costs {best[0]:.3g} times what is allowed: raise the limits, or give the space smaller choices"
        )
        raise InvalidDataError(msg)

    def _projected(
        self, config: dict[str, Value], share: float, space: SearchSpace, rng: np.random.Generator
    ) -> tuple[float, dict[str, Value]]:
        """Steps to cheaper neighbours until one is affordable or none is cheaper."""
        for _ in range(_STEPS):
            found = []
            changes = _changes(config, space)
            for i in rng.permutation(len(changes))[:_CHANGES].tolist():
                name, value = changes[i]
                other = _completed({**config, name: value}, space)
                found.append((self.share(other), other))
            enough = [pair for pair in found if pair[0] <= 1.0]
            if enough:
                return max(enough, key=lambda pair: pair[0])
            least = min(found, key=lambda pair: pair[0], default=(share, config))
            if least[0] >= share:
                break
            share, config = least
        return share, config


def _changes(config: Mapping[str, Value], space: SearchSpace) -> list[tuple[str, Value]]:
    return [
        (name, value)
        for name, now in config.items()
        if name in space.distributions
        for value in _others(space.distributions[name], now)
    ]


def _others(distribution: Distribution, now: Value) -> list[Value]:
    """Other choices; of numbers the ends, the middles to either end, and the next values."""
    if isinstance(distribution, CategoricalDistribution):
        return [choice for choice in distribution.choices if choice != now]
    unit = distribution.to_unit(now)
    step = 1.0 / distribution.size if distribution.size else 0.05
    units = (0.0, unit / 2, unit - step, unit + step, (1 + unit) / 2, 1.0)
    return list(dict.fromkeys(v for u in units if (v := distribution.from_unit(min(max(u, 0.0), 1.0))) != now))


def _completed(config: Mapping[str, Value], space: SearchSpace) -> dict[str, Value]:
    """What is active, with the first choice or the middle for what a change makes active."""
    whole = {
        name: config[name] if name in config else d.from_unit(0.0 if isinstance(d, CategoricalDistribution) else 0.5)
        for name, d in space.distributions.items()
    }
    return space.active(whole)
