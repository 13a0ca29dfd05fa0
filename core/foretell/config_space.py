"""Search spaces of the library ConfigSpace, in and out; `pip install 'foretell[configspace]'`.

Choices, constants, ordered choices and ranges are converted with the conditions under which they are active. What one
side cannot say is refused, or said in a warning: forbidden combinations, conditions on real numbers, priors that are
not uniform. Steps go out as ordered choices, which come back as plain ones.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.distributions import CategoricalDistribution, Distribution, FloatDistribution, IntDistribution
from foretell.errors import ForetellWarning, InvalidSearchSpaceError, MissingDependencyError
from foretell.search_space import Condition, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import ConfigSpace

    from foretell.distributions import Value

_MOST_VALUES = 1000  # of a whole number that a condition hangs on


def from_configspace(space: ConfigSpace.ConfigurationSpace) -> SearchSpace:
    """A search space of ours with the parameters and conditions of one of ConfigSpace.

    Raises:
        InvalidSearchSpaceError: If it has forbidden combinations, alternatives of conditions on different parents, or a
            condition on a real number.
    """
    if space.forbidden_clauses:
        msg = (
            f"a search space cannot say what is forbidden, but got {len(space.forbidden_clauses)} such clauses: leave "
            "them out, and let the objective fail there"
        )
        raise InvalidSearchSpaceError(msg)
    distributions = {name: _distribution(space[name]) for name in space}
    conditions: dict[str, tuple[Condition, ...]] = {}
    for given in space.conditions:
        for child, condition in _conditions(given, distributions):
            conditions[child] = (*conditions.get(child, ()), condition)
    return SearchSpace(_parents_first(distributions, conditions), conditions)


def to_configspace(space: SearchSpace, *, name: str | None = None, seed: int | None = None) -> Any:
    """A `ConfigurationSpace` with the parameters and conditions of a search space of ours.

    Args:
        space: The search space.
        name: Of the new one.
        seed: Of the new one's own sampling.

    Raises:
        InvalidSearchSpaceError: If ConfigSpace cannot hold it, such as choices that are equal in Python.
        MissingDependencyError: Without ConfigSpace.
    """
    cs = _library()
    made = cs.ConfigurationSpace(name=name, seed=seed)
    try:
        made.add(*(_hyperparameter(cs, key, d) for key, d in space.distributions.items()))
        for child, conditions in space.conditions.items():
            parts = [
                cs.InCondition(made[child], made[c.parent], [v for v in _values(space, c) if v in c.values])
                for c in conditions
            ]
            made.add(parts[0] if len(parts) == 1 else cs.AndConjunction(*parts))
    except (ValueError, TypeError) as e:
        msg = f"ConfigSpace must be able to hold the search space, but it is not ({e}): change that parameter"
        raise InvalidSearchSpaceError(msg) from e
    return made


def from_configuration(configuration: Mapping[str, Any]) -> dict[str, Value]:
    """A configuration of ConfigSpace as plain values, inactive parameters absent."""
    return {name: v.item() if isinstance(v, np.generic) else v for name, v in dict(configuration).items()}


def _library() -> Any:
    try:
        import ConfigSpace
    except ModuleNotFoundError as e:
        msg = "this conversion needs ConfigSpace, but it is absent: pip install 'foretell[configspace]'"
        raise MissingDependencyError(msg) from e
    return ConfigSpace


def _distribution(parameter: Any) -> Distribution:
    kind = type(parameter).__name__
    if hasattr(parameter, "choices"):
        return CategoricalDistribution(tuple(from_configuration(dict(enumerate(parameter.choices))).values()))  # type: ignore[arg-type]
    if hasattr(parameter, "sequence"):
        return CategoricalDistribution(tuple(from_configuration(dict(enumerate(parameter.sequence))).values()))  # type: ignore[arg-type]
    if not hasattr(parameter, "lower"):
        return CategoricalDistribution((parameter.value,))
    if not kind.startswith("Uniform"):
        warnings.warn(
            f"{parameter.name!r} is {kind}: its range is kept, its prior is not", ForetellWarning, stacklevel=3
        )
    log = bool(getattr(parameter, "log", False))
    if "Integer" in kind:
        return IntDistribution(int(parameter.lower), int(parameter.upper), log)
    return FloatDistribution(float(parameter.lower), float(parameter.upper), log)


def _conditions(given: Any, distributions: Mapping[str, Distribution]) -> Iterable[tuple[str, Condition]]:
    kind = type(given).__name__
    if kind == "AndConjunction":
        for part in given.components:
            yield from _conditions(part, distributions)
        return
    if kind == "OrConjunction":
        found = [c for part in given.components for c in _conditions(part, distributions)]
        if len({condition.parent for _, condition in found}) > 1:
            msg = f"alternatives of a condition must be on one parent, but got {given}: list the parents' values singly"
            raise InvalidSearchSpaceError(msg)
        yield found[0][0], Condition(found[0][1].parent, frozenset().union(*(c.values for _, c in found)))
        return
    parent, child = given.parent.name, given.child.name
    distribution = distributions[parent]
    size = distribution.size
    if size is None or size > _MOST_VALUES:
        msg = (
            f"a condition must be on choices or at most {_MOST_VALUES} whole numbers, but got {given}: make the parent "
            "a choice"
        )
        raise InvalidSearchSpaceError(msg)
    values = _listed(distribution)
    yield child, Condition(parent, frozenset(v for v in values if given.satisfied_by_value({parent: v})))


def _listed(distribution: Distribution) -> list[Value]:
    """All values of a distribution that has finitely many."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    step, size = distribution.step or 1, distribution.size or 0
    return [distribution.from_unit(distribution.to_unit(distribution.low + i * step)) for i in range(size)]


def _values(space: SearchSpace, condition: Condition) -> list[Value]:
    distribution = space.distributions[condition.parent]
    if distribution.size is None:
        msg = f"a condition must be on finitely many values, but {condition.parent!r} is real: give it a step"
        raise InvalidSearchSpaceError(msg)
    return _listed(distribution)


def _hyperparameter(cs: Any, name: str, distribution: Distribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return cs.Constant(name, choices[0]) if len(choices) == 1 else cs.CategoricalHyperparameter(name, choices)
    low, high = distribution.low, distribution.high
    if distribution.size == 1:
        return cs.Constant(name, distribution.low)
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        return cs.UniformFloatHyperparameter(name, low, high, log=distribution.log)
    if distribution.step == 1 and isinstance(distribution, IntDistribution):
        return cs.UniformIntegerHyperparameter(name, low, high, log=distribution.log)
    return cs.OrdinalHyperparameter(name, _listed(distribution))


def _parents_first(
    distributions: Mapping[str, Distribution], conditions: Mapping[str, tuple[Condition, ...]]
) -> dict[str, Distribution]:
    """The same, in the given order but for parents, which precede their children; ConfigSpace has no cycles."""
    ordered: dict[str, Distribution] = {}

    def add(name: str) -> None:
        for condition in conditions.get(name, ()):
            add(condition.parent)
        ordered.setdefault(name, distributions[name])

    for name in distributions:
        add(name)
    return ordered
