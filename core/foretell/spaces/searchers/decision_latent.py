"""The decisions of a program as coordinates: a column for each choice, one for each number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.distributions import Distribution, Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_SPREAD = 0.2887  # standard deviation of a number that is uniform in [0, 1]


@dataclass(frozen=True)
class DecisionLatent:
    """The input itself: one-hot decisions, scaled as if all values were as frequent.

    The nearest architecture is the program replayed with the largest choice of each decision, so it is always valid;
    decisions that no observed architecture has taken are drawn.

    Args:
        space: The program.
    """

    space: Space

    def chart(self, observed: Sequence[Trace], rng: np.random.Generator) -> DecisionChart:
        """See `Latent.chart`."""
        named = {name: d for trace in observed for name, d in trace.distributions.items() if d.size != 1}
        return DecisionChart(self.space, named, rng)


class DecisionChart:
    """See `Chart`.

    Args:
        space: The program.
        distributions: Decisions that have columns.
        rng: Draws the others.
    """

    def __init__(self, space: Space, distributions: dict[str, Distribution], rng: np.random.Generator) -> None:
        self._space, self._rng, self._distributions = space, rng, distributions
        self._at: dict[str, slice] = {}
        end = 0
        for name, distribution in distributions.items():
            size = len(distribution.choices) if isinstance(distribution, CategoricalDistribution) else 1
            self._at[name] = slice(end, end + size)
            end += size
        self._width = end

    def rows(self, traces: Sequence[Trace]) -> Float[np.ndarray, "n d"]:
        """See `Chart.rows`; decisions that an architecture does not take are 0."""
        found = np.zeros((len(traces), self._width))
        for row, trace in zip(found, traces, strict=True):
            for name, value in trace.config.items():
                if name in self._at and self._distributions[name].contains(value):
                    row[self._at[name]] = _scaled(self._distributions[name], value)
        return found

    def nearest(self, points: Float[np.ndarray, "n d"]) -> list[Trace]:
        """See `Chart.nearest`."""
        found = []
        for point in points:
            config = {n: _value(d, point[self._at[n]]) for n, d in self._distributions.items()}
            found.append(self._space.trace(config, self._rng))
        return found


def _scaled(distribution: Distribution, value: Value) -> Float[np.ndarray, " k"]:
    if not isinstance(distribution, CategoricalDistribution):
        return np.array([(distribution.to_unit(value) - 0.5) / _SPREAD])
    k = len(distribution.choices)
    one = np.array([choice == value for choice in distribution.choices], dtype=np.float64)
    return np.asarray((one - 1.0 / k) / np.sqrt((k - 1.0) / k**2))


def _value(distribution: Distribution, point: Float[np.ndarray, " k"]) -> Value:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(point.argmax())]
    return distribution.from_unit(float(np.clip(point[0] * _SPREAD + 0.5, 0.0, 1.0)))
