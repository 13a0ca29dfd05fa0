"""What a program drew: the path through its decisions, which is its architecture.

DeepArchitect (Negrinho and Gordon, 2017, https://arxiv.org/abs/1704.08792) walks a space in a fixed order, so that it
becomes a tree of decisions; a trace is one path from its root to a leaf. All searches here work on traces alone, and so
on any program.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.distributions import Distribution, Value


@dataclass(frozen=True, eq=False)
class Trace:
    """Parameters in the order in which they were asked for; equal where names and values are, in any order.

    Args:
        distributions: Name -> what it was drawn from.
        config: Name -> value.
    """

    distributions: Mapping[str, Distribution]
    config: Mapping[str, Value]

    def __post_init__(self) -> None:
        object.__setattr__(self, "distributions", MappingProxyType(dict(self.distributions)))
        object.__setattr__(self, "config", MappingProxyType(dict(self.config)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and dict(self.config) == dict(other.config)

    def __hash__(self) -> int:
        return hash(frozenset(self.config.items()))

    def __len__(self) -> int:
        return len(self.config)

    def __reduce__(self) -> tuple[Any, ...]:
        return Trace, (dict(self.distributions), dict(self.config))


class Tracer:
    """A trial that repeats what it was given, draws the rest, and notes everything.

    Args:
        given: Values by name; one that its distribution does not hold is drawn anew.
        rng: Draws what is not given; None takes the middle of its distribution, of choices the first.

    >>> tracer = Tracer({"depth": 3}, np.random.default_rng(0))
    >>> tracer.suggest_int("depth", 1, 4), tracer.suggest_categorical("act", ["relu", "gelu"]) in ("relu", "gelu")
    (3, True)
    >>> list(tracer.trace.config)
    ['depth', 'act']
    """

    def __init__(self, given: Mapping[str, Value] | None = None, rng: np.random.Generator | None = None) -> None:
        self._given: Mapping[str, Value] = {} if given is None else given
        self._rng = rng
        self._distributions: dict[str, Distribution] = {}
        self._config: dict[str, Value] = {}

    @property
    def trace(self) -> Trace:
        """What was asked for so far."""
        return Trace(self._distributions, self._config)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """See `Trial`."""
        return self._take(name, CategoricalDistribution(tuple(choices)), None)

    def suggest_weighted(self, name: str, choices: Sequence[str], weights: Sequence[float]) -> str:
        """See `WeightedTrial`."""
        return str(self._take(name, _labels(tuple(choices)), weights))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """See `Trial`."""
        return int(self._take(name, IntDistribution(low, high, log, step), None))  # type: ignore[arg-type]

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """See `Trial`."""
        return float(self._take(name, FloatDistribution(low, high, log, step), None))  # type: ignore[arg-type]

    def _take(self, name: str, distribution: Distribution, weights: Sequence[float] | None) -> Value:
        if name in self._config:
            if self._distributions[name] != distribution:
                msg = (
                    f"a parameter must have one distribution, but {name!r} is asked for from "
                    f"{self._distributions[name]} and {distribution}: give the second another name"
                )
                raise InvalidSearchSpaceError(msg)
            return self._config[name]
        given = self._given.get(name)
        if isinstance(distribution, IntDistribution) and isinstance(given, float) and given.is_integer():
            given = int(given)  # other frameworks give whole numbers so
        if name in self._given and distribution.contains(given):
            value = given
        elif self._rng is None:
            value = distribution.from_unit(0.0 if isinstance(distribution, CategoricalDistribution) else 0.5)
        elif weights is not None:
            assert isinstance(distribution, CategoricalDistribution)
            value = distribution.choices[bisect(list(accumulate(weights)), self._rng.random() * sum(weights))]
        else:
            value = distribution.from_unit(float(self._rng.random()))
        self._distributions[name], self._config[name] = distribution, value
        return value


@lru_cache(maxsize=1024)
def _labels(choices: tuple[str, ...]) -> CategoricalDistribution:
    """Labels are text, so that equal ones are the same; a grammar asks for the same ones again and again."""
    return CategoricalDistribution(choices)
