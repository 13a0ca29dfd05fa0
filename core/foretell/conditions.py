"""Find out which parameters are conditional, from which configurations had them.

A define-by-run search space never says its conditions. They show in the data: parameter `k` occurs exactly
when `op` is "conv", or when `depth` is at least 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
    names = list(distributions)
    if all(len(c) >= len(names) for c in configs) and all(c.keys() >= distributions.keys() for c in configs):
        return SearchSpace(distributions)
    present = np.array([[name in c for name in names] for c in configs], dtype=bool).reshape(len(configs), len(names))
    count = present.sum(axis=0)
    # a parent occurs at least as often as its child
    order = sorted(range(len(names)), key=lambda j: -count[j])
    place = {j: i for i, j in enumerate(order)}
    found: dict[int, list[tuple[int, int, str, frozenset[Value]]]] = {}
    conditional: set[int] = set()
    explained = {
        parent: _explained(names[parent], distributions[names[parent]], configs, present, present[:, parent])
        for parent in order
    }
    for child in order:
        if count[child] == len(configs):
            continue
        for parent in order[: place[child]]:
            if not (count[parent] > count[child] or (count[parent] == count[child] and parent in conditional)):
                continue
            values_of = explained[parent].get(child)
            if values_of is not None:
                values = _generalised(distributions[names[parent]], *values_of)
                found.setdefault(child, []).append((-int(count[parent]), len(values), names[parent], values))
        if child in found:
            conditional.add(child)
    conditions = {}
    for child, options in found.items():
        best = min(options, key=lambda f: f[:3])
        conditions[names[child]] = (Condition(best[2], best[3]),)
    return SearchSpace({names[j]: distributions[names[j]] for j in order}, conditions)


def _explained(
    parent: str,
    distribution: Distribution,
    configs: Sequence[Mapping[str, Value]],
    present: np.ndarray,
    has_parent: np.ndarray,
) -> dict[int, tuple[set[Any], set[Any]]]:
    """Children whose presence the parent's value decides: number -> the values with and without it."""
    size = distribution.size
    if size is None or size > _MOST_VALUES:
        return {}
    numbers: dict[Any, int] = {}
    rows = np.flatnonzero(has_parent)
    codes = np.array([numbers.setdefault(configs[i][parent], len(numbers)) for i in rows.tolist()], dtype=np.int64)
    if len(numbers) < 2:
        return {}
    hot = (codes[:, None] == np.arange(len(numbers))).astype(np.float32)
    with_child = hot.T @ present[rows].astype(np.float32)  # (values, parameters)
    total = hot.sum(axis=0)[:, None]
    always, never = with_child == total, with_child == 0
    decides = (always | never).all(axis=0) & always.any(axis=0) & never.any(axis=0)
    decides &= with_child.sum(axis=0) == present.sum(axis=0)  # the child never comes without the parent
    values = list(numbers)
    return {
        child: ({v for v, a in zip(values, always[:, child].tolist(), strict=True) if a},
                {v for v, a in zip(values, always[:, child].tolist(), strict=True) if not a})
        for child in np.flatnonzero(decides).tolist()
    }  # fmt: skip


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
