"""Find out which parameters are conditional, from which configurations had them.

A define-by-run search space never says its conditions. They show in the data: parameter `k` occurs exactly
when `op` is "conv", or when `depth` is at least 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.presence_counts import PresenceCounts
from foretell.search_space import Condition, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.distributions import Distribution, Value


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
    if all(len(c) >= len(distributions) for c in configs) and all(c.keys() >= distributions.keys() for c in configs):
        return SearchSpace(distributions)
    counts = PresenceCounts(distributions)
    for config in configs:
        counts.add(config)
    return counted_conditions(distributions, counts)


def counted_conditions(distributions: Mapping[str, Distribution], counts: PresenceCounts) -> SearchSpace:
    """The same of configurations that were counted.

    Args:
        distributions: As for the counts.
        counts: Of all configurations that were tried.
    """
    names, count = counts.names, counts.present.tolist()
    if min(count, default=counts.n) == counts.n:
        return SearchSpace(distributions)
    decides = counts.decides
    # a parent occurs at least as often as its child
    order = sorted(range(len(names)), key=lambda j: -count[j])
    depth = [0] * len(names)
    conditions = {}
    place = {child: at for at, child in enumerate(order)}
    for child in order:
        options = []
        for parent in np.flatnonzero(decides[:, child]).tolist():
            if place[parent] < place[child] and (count[parent] > count[child] or depth[parent]):
                values = _generalised(distributions[names[parent]], *counts.values(names[parent], names[child]))
                options.append((-count[parent], len(values), names[parent], values, parent))
        if options:
            best = min(options, key=lambda f: f[:3])
            conditions[names[child]] = (Condition(best[2], best[3]),)
            depth[child] = 1 + depth[best[4]]
    # the same order as long as the same depends on the same, whatever was seen how often
    return SearchSpace({names[j]: distributions[names[j]] for j in np.argsort(depth, kind="stable")}, conditions)


def _generalised(distribution: Distribution, with_child: set[Any], without: set[Any]) -> frozenset[Value]:
    """The parent's values under which the child is active, unseen ones included where the seen ones tell."""
    if isinstance(distribution, CategoricalDistribution):
        return frozenset(with_child)
    step = distribution.step or 1
    grid = (distribution.low + i * step for i in range(distribution.size or 0))
    values = [distribution.from_unit(distribution.to_unit(v)) for v in grid]  # as the space gives them
    if min(with_child) > max(without):
        return frozenset(v for v in values if v > max(without))
    if max(with_child) < min(without):
        return frozenset(v for v in values if v < min(without))
    return frozenset(with_child)
