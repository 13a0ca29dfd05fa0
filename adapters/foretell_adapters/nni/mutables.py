"""The mutables of NNI's model space and evaluator, as a search space of ours, and samples to and fro.

Constraints among them add no dimension: `freeze` refuses a sample that breaks one.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nni.mutable import Categorical, CategoricalMultiple, MutableAnnotation, Numerical

from foretell.distributions import CategoricalDistribution, FloatDistribution
from foretell.errors import InvalidSearchSpaceError
from foretell.search_space import SearchSpace
from foretell_adapters.nni.parameter_types import QUANTILES, Choice, Real, canonical, choice, grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Distribution, Value
    from foretell_adapters.nni.parameter_types import ParameterType

_MAX_COMBINATIONS = 1000


@dataclass(frozen=True, slots=True)
class MutableQuantile:
    """A `Numerical` of any distribution, searched by its quantile; rounding and clipping are its own."""

    mutable: Any

    @property
    def distribution(self) -> FloatDistribution:
        """What the optimizer searches: the quantile."""
        return QUANTILES

    def to_nni(self, value: Value) -> float:
        """The number at a quantile."""
        return float(self.mutable.qclip(self.mutable.distribution.ppf(value)))

    def from_nni(self, value: Any) -> float:
        """The quantile of a number."""
        return min(max(float(self.mutable.distribution.cdf(value)), QUANTILES.low), QUANTILES.high)


@dataclass(frozen=True, slots=True)
class Subset:
    """Several of many values: a yes or no for each, or as many as are wanted, those with the largest keys."""

    values: tuple[Any, ...]
    n_chosen: int | None

    @property
    def distribution(self) -> Distribution:
        """What the optimizer searches for every value."""
        return CategoricalDistribution((False, True)) if self.n_chosen is None else FloatDistribution(0.0, 1.0)

    def to_nni(self, keys: list[Value]) -> list[Any]:
        """The values chosen, in their own order."""
        order = sorted(range(len(keys)), key=lambda i: -float(keys[i] or 0.0))
        chosen = [i for i in order if keys[i]] if self.n_chosen is None else order[: self.n_chosen]
        return [self.values[i] for i in sorted(chosen)]

    def from_nni(self, chosen: list[Any]) -> list[Value]:
        """A key for every value."""
        inside = [v in chosen for v in self.values]
        return list(inside) if self.n_chosen is None else [float(i) for i in inside]


@dataclass(frozen=True)
class MutableSpace:
    """Labelled mutables, one parameter each, or one for every value of a large subset."""

    types: Mapping[str, ParameterType]
    subsets: Mapping[str, Subset]

    @classmethod
    def parse(cls, mutables: Mapping[str, Any]) -> MutableSpace:
        """Read what `model_space.simplify()` gives.

        Raises:
            InvalidSearchSpaceError: If a mutable is of a kind of its own.
        """
        types: dict[str, ParameterType] = {}
        subsets: dict[str, Subset] = {}
        for nni_label, mutable in mutables.items():
            label = str(nni_label)  # NNI's own kind of string would not survive its checkpoints in today's torch
            if isinstance(mutable, MutableAnnotation):
                continue
            if isinstance(mutable, Categorical):
                types[label] = choice(mutable.values)
            elif isinstance(mutable, Numerical):
                types[label] = _numerical(mutable)
            elif isinstance(mutable, CategoricalMultiple):
                values, k = tuple(mutable.values), mutable.n_chosen
                if k is not None and math.comb(len(values), k) <= _MAX_COMBINATIONS:
                    types[label] = _Combination.of(values, k)
                else:
                    subsets[label] = Subset(values, k)
            else:
                msg = (
                    "a mutable must be Categorical, CategoricalMultiple or Numerical, but "
                    f"{label!r} is {type(mutable).__name__}: let its `leaf_mutables` yield these"
                )
                raise InvalidSearchSpaceError(msg)
        return cls(types, subsets)

    @property
    def search_space(self) -> SearchSpace:
        """The space that the optimizer searches."""
        found: dict[str, Distribution] = {label: t.distribution for label, t in self.types.items()}
        for label, subset in self.subsets.items():
            found.update(dict.fromkeys(_names(label, subset), subset.distribution))
        return SearchSpace(found)

    def to_sample(self, config: Mapping[str, Value]) -> dict[str, Any]:
        """The sample to freeze a model space with."""
        sample = {label: t.to_nni(config[label]) for label, t in self.types.items()}
        for label, subset in self.subsets.items():
            sample[label] = subset.to_nni([config[name] for name in _names(label, subset)])
        return sample

    def from_sample(self, sample: Mapping[str, Any]) -> dict[str, Value]:
        """The configuration of a sample.

        Raises:
            InvalidSearchSpaceError: If a label is missing or has a value that its mutable cannot have.
        """
        missing = [label for label in (*self.types, *self.subsets) if label not in sample]
        if missing:
            msg = f"a sample must have every label, but {missing} are missing: leave that model out"
            raise InvalidSearchSpaceError(msg)
        config = {label: t.from_nni(sample[label]) for label, t in self.types.items()}
        for label, subset in self.subsets.items():
            config.update(zip(_names(label, subset), subset.from_nni(sample[label]), strict=True))
        return config


def sample_key(sample: Mapping[str, Any]) -> str:
    """A string by which two samples are the same."""
    return canonical(dict(sample))


@dataclass(frozen=True, slots=True)
class _Combination:
    """A fixed number of many values, where there are few such sets: a choice between the sets."""

    choice: Choice
    values: tuple[Any, ...]

    @classmethod
    def of(cls, values: tuple[Any, ...], n_chosen: int) -> _Combination:
        return cls(Choice.of([list(c) for c in itertools.combinations(values, n_chosen)]), values)

    @property
    def distribution(self) -> CategoricalDistribution:
        return self.choice.distribution

    def to_nni(self, value: Value) -> Any:
        return list(self.choice.to_nni(value))

    def from_nni(self, value: Any) -> Value:
        return self.choice.from_nni([v for v in self.values if v in value])


def _numerical(mutable: Any) -> ParameterType:
    low, high, q = mutable.low, mutable.high, mutable.quantize
    frozen = mutable.distribution
    name = frozen.dist.name
    flat = name in {"uniform", "loguniform", "reciprocal"} and tuple(map(float, frozen.support())) == (
        low,
        high,
    )
    if not flat:
        return MutableQuantile(mutable)
    log = name != "uniform"
    return grid(low, high, q, log) if q is not None else Real(low, high, log)


def _names(label: str, subset: Subset) -> list[str]:
    return [f"{label}/{i}" for i in range(len(subset.values))]
