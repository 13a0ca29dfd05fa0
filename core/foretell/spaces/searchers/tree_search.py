"""Monte Carlo tree search over the decisions of a program, as in DeepArchitect.

Negrinho and Gordon, 2017, https://arxiv.org/abs/1704.08792, section 5.2: from the root the child with the largest upper
confidence bound, until one was never tried; from there at random. The tree is that of the observed traces.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.errors import InvalidDataError
from foretell.spaces.edits import mutate
from foretell.spaces.searchers.searcher import generator, unseen
from foretell.spaces.trace import Tracer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from foretell.distributions import Distribution, Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

Prefix = tuple[tuple[str, int], ...]
_CUTS = 4  # bins of a number with more values
_TRIES = 10


@dataclass(frozen=True)
class TreeSearch:
    """Upper confidence bounds on trees.

    Args:
        space: The program.
        exploration: Weight of the bound's width; rewards are ranks, scaled to [0, 1].

    Raises:
        InvalidDataError: If the exploration is negative.
    """

    space: Space
    exploration: float = 0.3

    def __post_init__(self) -> None:
        if not self.exploration >= 0:
            msg = f"`exploration >= 0` must hold, but got {self.exploration=}: 0.3 is the default"
            raise InvalidDataError(msg)

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        rng = generator(observed, seed)
        rewards = _ranks(list(observed.values()))
        visits: dict[Prefix, int] = defaultdict(int)
        totals: dict[Prefix, float] = defaultdict(float)
        for trace, reward in zip(observed, rewards, strict=True):
            prefix: Prefix = ()
            for name, distribution in trace.distributions.items():
                visits[prefix] += 1
                totals[prefix] += reward
                prefix = (*prefix, (name, _bin(distribution, trace.config[name])))
            visits[prefix] += 1
            totals[prefix] += reward

        def draw() -> Trace:
            tracer = _Climber(visits, totals, self.exploration, rng)
            self.space.plan(tracer)
            return tracer.trace

        for _ in range(_TRIES):
            if (found := draw()) not in observed:
                return found
        walk = [found]  # what is best there is known to the leaf: away from it step by step

        def step() -> Trace:
            walk[0] = mutate(self.space, walk[0], rng)
            return walk[0]

        return unseen(step, observed)


class _Climber(Tracer):
    """A trial that follows the bounds as far as the tree goes."""

    def __init__(
        self, visits: Mapping[Prefix, int], totals: Mapping[Prefix, float], c: float, rng: np.random.Generator
    ) -> None:
        super().__init__({}, rng)
        self._visits, self._totals, self._c, self._source = visits, totals, c, rng
        self._prefix: Prefix = ()

    def _take(self, name: str, distribution: Distribution, weights: Sequence[float] | None) -> Any:
        if name not in self._config and self._prefix in self._visits and distribution.size != 1:
            order = self._source.permutation(_size(distribution)).tolist()
            best = max(order, key=lambda i: self._bound((*self._prefix, (name, i))))
            self._given = {**self._given, name: _drawn(distribution, best, self._source)}
        first = name not in self._config
        value = super()._take(name, distribution, weights)
        if first:
            self._prefix = (*self._prefix, (name, _bin(distribution, value)))
        return value

    def _bound(self, child: Prefix) -> float:
        n = self._visits.get(child, 0)
        if not n:
            return math.inf
        width = math.sqrt(2.0 * math.log(self._visits[self._prefix]) / n)
        return self._totals[child] / n + self._c * width


def _ranks(values: Sequence[float]) -> list[float]:
    """Share of the others that each is at least as good as."""
    y = np.asarray(values, dtype=np.float64)
    return [float((y <= v).sum() - 1) / max(len(y) - 1, 1) for v in y.tolist()]


def _size(distribution: Distribution) -> int:
    """Children of a decision: choices, values, or bins of a number."""
    size = distribution.size
    if isinstance(distribution, CategoricalDistribution):
        return distribution.size
    return _CUTS if size is None or size > 2 * _CUTS else size


def _bin(distribution: Distribution, value: Value) -> int:
    """Which child a value belongs to."""
    k = _size(distribution)
    return min(int(distribution.to_unit(value) * k), k - 1)


def _drawn(distribution: Distribution, child: int, rng: np.random.Generator) -> Value:
    """A value of a child."""
    return distribution.from_unit((child + float(rng.random())) / _size(distribution))
