"""Find out which parameters are conditional, from which configurations had them.

A define-by-run search space never says its conditions. They show in the data: parameter `k` occurs exactly
when `op` is "conv", or when `depth` is at least 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretell.distributions import CategoricalDistribution
from foretell.search_space import Condition, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.distributions import Distribution, Value

_MOST_VALUES = 64  # a parent with more distinct values explains anything by chance


def infer_conditions(distributions: Mapping[str, Distribution], configs: Sequence[Mapping[str, Value]]) -> SearchSpace:
    """Build the search space in which a parameter that may be absent hangs on the parent that explains it.

    A parent explains a child when each of the parent's values was seen only with the child or only without
    it. Among several, the one with the most evidence, then the one with the fewest values. Numeric parents
    generalise: when presence starts or stops at one value, unseen values on the same side count as seen. A
    child that nothing explains stays unconditional, which only costs proposals for a parameter that may not
    be asked for.

    Args:
        distributions: Everything that was ever suggested, by name.
        configs: Configurations that were tried, inactive parameters absent.
    """
    count = {name: sum(name in c for c in configs) for name in distributions}
    # a parent occurs at least as often as its child
    order = sorted(distributions, key=lambda name: -count[name])
    conditions: dict[str, tuple[Condition, ...]] = {}
    for i, child in enumerate(order):
        if count[child] == len(configs):
            continue
        found = [
            (len(values), -count[parent], parent, values)
            for parent in order[:i]
            if count[parent] > count[child] or (count[parent] == count[child] and parent in conditions)
            if (values := _explaining_values(parent, distributions[parent], child, configs)) is not None
        ]
        if found:
            best = min(found, key=lambda f: (f[1], f[0], f[2]))
            conditions[child] = (Condition(best[2], best[3]),)
    return SearchSpace({name: distributions[name] for name in order}, conditions)


def _explaining_values(
    parent: str, distribution: Distribution, child: str, configs: Sequence[Mapping[str, Value]]
) -> frozenset[Value] | None:
    """The parent's values under which the child is active, None if the parent does not explain it."""
    with_child: set[Any] = set()
    without: set[Any] = set()
    for config in configs:
        if parent in config:
            (with_child if child in config else without).add(config[parent])
        elif child in config:
            return None
    size = distribution.size
    if not with_child or not without or with_child & without or size is None or size > _MOST_VALUES:
        return None
    if isinstance(distribution, CategoricalDistribution):
        return frozenset(with_child)
    step = distribution.step or 1
    grid = (distribution.low + i * step for i in range(size))
    values = [distribution.from_unit(distribution.to_unit(v)) for v in grid]  # as the space gives them
    if min(with_child) > max(without):
        return frozenset(v for v in values if v > max(without))
    if max(with_child) < min(without):
        return frozenset(v for v in values if v < min(without))
    return frozenset(with_child)
