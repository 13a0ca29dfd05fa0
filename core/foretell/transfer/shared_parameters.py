"""Which parameters of an earlier search are those of the present one, and where a value of one lies in the other.

Positions in the unit cube mean nothing across studies, since bounds and scales differ; values do. So every parameter
that two spaces share gets a scale that holds the values of both: the source's own scale for numbers, where its
observations are spread well, and all choices of both for the others.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.encoders import Hyperparameters
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Distribution, Value
    from foretell.encoders import Encoding

_WIDE = 8.0  # numbers listed as choices that span this factor were meant on a log scale
_FEW = 1000  # positions that are carried over one by one


@dataclass(frozen=True)
class SharedParameters:
    """The parameters that two spaces share.

    Two parameters are one if their names agree, or agree but for case and punctuation and no other does; if both are
    numbers or both are choices, where choices that are all numbers count as numbers; and if they have a value in
    common: ranges that meet, or a choice of both.

    Args:
        names: Name in the target -> name in the source.
        space: The shared parameters by their names in the target, on scales that hold the values of both sides.
        target: The space whose positions `carry` takes.

    >>> ours = SearchSpace({"lr": FloatDistribution(1e-4, 1e-1, log=True), "depth": IntDistribution(1, 8)})
    >>> theirs = SearchSpace({"LR": FloatDistribution(1e-5, 1e-2, log=True), "width": IntDistribution(8, 64)})
    >>> shared = SharedParameters.between(ours, theirs)
    >>> dict(shared.names), shared.carry(ours.to_unit([{"lr": 1e-2, "depth": 3}])).tolist()
    ({'lr': 'LR'}, [[1.0]])
    """

    names: Mapping[str, str]
    space: SearchSpace
    target: SearchSpace

    @classmethod
    def between(cls, target: SearchSpace, source: SearchSpace) -> SharedParameters:
        """Match the parameters of two spaces; there may be none."""
        theirs = {name: name for name in source.names}
        loose: dict[str, list[str]] = {}
        for name in source.names:
            loose.setdefault(_plain(name), []).append(name)
        names, scales = {}, {}
        ambiguous = [plain for plain in map(_plain, target.names) if plain]
        for name, distribution in target.distributions.items():
            near = loose.get(_plain(name), [])
            only = near[0] if len(near) == 1 and ambiguous.count(_plain(name)) == 1 else None
            match = theirs.get(name, only)
            scale = None if match is None else _joint_scale(distribution, source.distributions[match])
            if match is not None and scale is not None:
                names[name], scales[name] = match, scale
        return cls(MappingProxyType(names), SearchSpace(scales), target)

    def __len__(self) -> int:
        return len(self.names)

    def of_source(self, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, "n s"]:
        """Positions of the source's configurations on the shared scales; `nan` where a parameter is absent."""
        renamed = [{name: c[there] for name, there in self.names.items() if there in c} for c in configs]
        return self.space.to_unit(renamed)

    def carry(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n s"]:
        """Positions in the target's cube -> positions on the shared scales; may lie outside [0, 1]."""
        columns = [
            _carried(self.target.distributions[name], scale, units[:, self.target.names.index(name)])
            for name, scale in self.space.distributions.items()
        ]
        return np.stack(columns, axis=1) if columns else np.empty((len(units), 0))

    def encode(self, units: Float[np.ndarray, "n d"]) -> Encoding:
        """Columns of positions in the target's cube, on the shared scales."""
        return Hyperparameters(self.space).encode_units(self.carry(units))

    def to_target(self, config: Mapping[str, Value]) -> dict[str, Value]:
        """What a source's configuration says about the target's parameters: the nearest values that it allows."""
        found: dict[str, Value] = {}
        for name, there in self.names.items():
            if there not in config:
                continue
            distribution, value = self.target.distributions[name], config[there]
            if not isinstance(distribution, CategoricalDistribution):
                low = distribution.low
                within = min(max(float(value), low), distribution.high)  # type: ignore[arg-type]
                found[name] = distribution.from_unit(distribution.to_unit(within))
            elif distribution.contains(value):
                found[name] = distribution.choices[distribution.index(value)]
            elif _is_numeric(distribution):
                found[name] = min(distribution.choices, key=lambda c: abs(float(c) - float(value)))  # type: ignore[arg-type]
        return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_numeric(distribution: Distribution) -> bool:
    if not isinstance(distribution, CategoricalDistribution):
        return True
    return len(distribution.choices) > 1 and all(
        isinstance(c, int | float) and not isinstance(c, bool) and math.isfinite(c) for c in distribution.choices
    )


def _joint_scale(target: Distribution, source: Distribution) -> Distribution | None:
    """A scale for the values of both, None if they are different things."""
    if _is_numeric(target) and _is_numeric(source):
        (low, high, log), (a, b, _) = _range(source), _range(target)
        if max(low, a) > min(high, b):
            return None
        return FloatDistribution(low, high, log=log)
    if not (isinstance(target, CategoricalDistribution) and isinstance(source, CategoricalDistribution)):
        return None
    ours = [c for c in target.choices if not source.contains(c)]
    return CategoricalDistribution((*source.choices, *ours)) if len(ours) < target.size else None


def _range(distribution: Distribution) -> tuple[float, float, bool]:
    if not isinstance(distribution, CategoricalDistribution):
        return float(distribution.low), float(distribution.high), distribution.log
    numbers = [float(c) for c in distribution.choices]  # type: ignore[arg-type]
    low, high = min(numbers), max(numbers)
    return low, high, low > 0 and high / low >= _WIDE


def _carried(target: Distribution, scale: Distribution, units: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Positions of one parameter from the target's distribution to another scale."""
    if not isinstance(target, CategoricalDistribution):
        assert isinstance(scale, FloatDistribution)
        values = _values(target, units)
        if scale.log:
            values = np.log(values, out=np.full_like(values, np.nan), where=values > 0)
        start, end = (math.log(scale.low), math.log(scale.high)) if scale.log else (scale.low, scale.high)
        return (values - start) / (end - start) if end > start else np.where(np.isnan(units), np.nan, 0.5)
    there = SearchSpace({"": scale}).to_unit([{"": choice} for choice in target.choices])[:, 0]
    codes = np.minimum(np.floor(np.nan_to_num(units) * target.size), target.size - 1).astype(np.int64)
    return np.where(np.isnan(units), np.nan, there[codes])


def _values(distribution: FloatDistribution | IntDistribution, units: Float[np.ndarray, " n"]) -> np.ndarray:
    """Numbers at the positions of allowed values: those, or their logarithms, lie evenly."""
    last = distribution.low + ((distribution.size or 1) - 1) * (distribution.step or 0)
    low, high = float(distribution.low), float(last if distribution.size is not None else distribution.high)
    if low == high:
        return np.where(np.isnan(units), np.nan, low)
    at, other = distribution.to_unit(low), distribution.to_unit(high)
    a, b = (math.log(low), math.log(high)) if distribution.log else (low, high)
    values = a + (units - at) / (other - at) * (b - a)
    return np.exp(values) if distribution.log else values
