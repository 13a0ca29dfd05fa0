"""A search space: named distributions, some of them active only under a condition on another.

The space works on matrices of positions in the unit cube, one column a parameter; `nan` marks an inactive
one.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.distributions import CategoricalDistribution, Distribution, Value, snap
from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the parent is active and its value is one of `values`."""

    parent: str
    values: frozenset[Value]


@dataclass(frozen=True)
class SearchSpace:
    """Named distributions, in the order in which they were given.

    Args:
        distributions: Name -> distribution.
        conditions: Name -> conditions that must all hold for it to be active; a parent precedes its children.

    Raises:
        InvalidSearchSpaceError: If a condition names an unknown parameter or one that comes later.

    >>> from foretell.distributions import CategoricalDistribution, IntDistribution
    >>> act = CategoricalDistribution(("relu", "gelu"))
    >>> space = SearchSpace({"depth": IntDistribution(1, 3), "act": act})
    >>> space.to_unit([{"depth": 2, "act": "gelu"}]).round(2).tolist()
    [[0.5, 0.75]]
    """

    distributions: Mapping[str, Distribution]
    conditions: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "distributions", MappingProxyType(dict(self.distributions)))
        object.__setattr__(self, "conditions", MappingProxyType({k: tuple(v) for k, v in self.conditions.items() if v}))
        order = {name: i for i, name in enumerate(self.distributions)}
        for name, conditions in self.conditions.items():
            for condition in conditions:
                if name not in order or order.get(condition.parent, len(order)) >= order[name]:
                    msg = (
                        f"a condition must name two known parameters, the parent first, but got {name!r} "
                        "under "
                        f"{condition.parent!r} in {list(order)}: list the parent before its child"
                    )
                    raise InvalidSearchSpaceError(msg)

    def __eq__(self, other: object) -> bool:
        """The same parameters in the same order, which decides positions, under the same conditions."""
        if not isinstance(other, SearchSpace):
            return NotImplemented
        same = self.names == other.names and self.distributions == other.distributions
        return same and self.conditions == other.conditions

    def __reduce__(self) -> tuple[Any, ...]:
        return SearchSpace, (dict(self.distributions), dict(self.conditions))

    def __len__(self) -> int:
        return len(self.distributions)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, in order."""
        return tuple(self.distributions)

    @property
    def size(self) -> int | None:
        """Number of configurations with conditions ignored, None if there are infinitely many."""
        total = 1
        for distribution in self.distributions.values():
            if distribution.size is None:
                return None
            total *= distribution.size
        return total

    def active(self, config: Mapping[str, Value]) -> dict[str, Value]:
        """Keep the known parameters whose conditions hold."""
        kept: dict[str, Value] = {}
        for name in self.distributions:
            holds = all(c.parent in kept and kept[c.parent] in c.values for c in self.conditions.get(name, ()))
            if holds and name in config:
                kept[name] = config[name]
        return kept

    def contains(self, config: Mapping[str, Value]) -> bool:
        """Whether the configuration has exactly the active parameters, each with an allowed value."""
        inside = all(name in self.distributions and self.distributions[name].contains(v) for name, v in config.items())
        return inside and len(self.active(config)) == len(config) and self._complete(config)

    def _complete(self, config: Mapping[str, Value]) -> bool:
        return all(
            name in config
            or not all(c.parent in config and config[c.parent] in c.values for c in self.conditions.get(name, ()))
            for name in self.distributions
        )

    def to_unit(self, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, "n d"]:
        """Positions in the unit cube; `nan` where a parameter is absent or its choice unknown.

        A number outside its bounds, from when these were others, lies outside the cube.
        """
        units = np.full((len(configs), len(self)), np.nan)
        for j, (name, distribution) in enumerate(self.distributions.items()):
            memo: dict[tuple[type, Value], float] = {}
            for i, config in enumerate(configs):
                if name not in config:
                    continue
                value = config[name]
                if isinstance(value, np.generic):  # what pandas and numpy hand out
                    value = value.item()
                key = (type(value), value)
                if key not in memo:
                    memo[key] = _unit_or_nan(distribution, value)
                units[i, j] = memo[key]
        return units

    def from_unit(self, row: Float[np.ndarray, " d"]) -> dict[str, Value]:
        """The configuration at a position: nearest allowed values, inactive parameters left out."""
        values = {
            name: d.from_unit(u)
            for (name, d), u in zip(self.distributions.items(), np.asarray(row).tolist(), strict=True)
            if not math.isnan(u)
        }
        return self.active(values)

    def snap(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Move every row to the nearest allowed configuration, inactive parameters to `nan`."""
        out = np.empty_like(units)
        for j, (name, distribution) in enumerate(self.distributions.items()):
            out[:, j] = snap(distribution, np.where(np.isnan(units[:, j]), 0.5, units[:, j]))
            for condition in self.conditions.get(name, ()):
                parent = self.names.index(condition.parent)
                allowed = [v for v in condition.values if self.distributions[condition.parent].contains(v)]
                positions = np.array([self.distributions[condition.parent].to_unit(v) for v in allowed])
                holds = (np.abs(out[:, parent, None] - positions) < 1e-9).any(axis=1)
                out[~holds, j] = np.nan
        return out

    def sample_units(self, n: int, rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Uniform random positions of allowed configurations."""
        return self.snap(rng.random((n, len(self))))

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        """One uniform random configuration."""
        return self.from_unit(self.sample_units(1, rng)[0])

    def quasi_random(self, index: int, seed: int) -> dict[str, Value]:
        """Point `index` of a scrambled Sobol sequence: even coverage, and another for every index."""
        from scipy.stats import qmc

        if not len(self):
            return {}
        engine = qmc.Sobol(min(len(self), 21201), scramble=True, rng=np.random.default_rng(seed))
        if index:
            engine.fast_forward(index)
        row = np.resize(engine.random(1)[0], len(self))
        return self.from_unit(self.snap(row[None])[0])


def _unit_or_nan(distribution: Distribution, value: Value) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.to_unit(value) if distribution.contains(value) else np.nan
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return distribution.to_unit(value) if number and not (distribution.log and value <= 0) else np.nan  # type: ignore[operator]


def stable_hash(text: str) -> int:
    """A hash of a string that does not change between processes."""
    return zlib.crc32(text.encode())
