"""Find out which parameters are conditional, from which configurations had them.

A define-by-run search space never says its conditions. They show in the data: parameter `k` occurs exactly
when `op` is "conv", or when `depth` is at least 3.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    explained = _Explained.by(distributions, configs, present)
    # a parent occurs at least as often as its child
    order = sorted(range(len(names)), key=lambda j: -count[j])
    depth = np.zeros(len(names), dtype=np.int64)
    conditions = {}
    place = {child: at for at, child in enumerate(order)}
    for child in order:
        options = []
        for parent in np.flatnonzero(explained.decides[:, child]).tolist():
            if place[parent] < place[child] and (count[parent] > count[child] or depth[parent]):
                values = _generalised(distributions[names[parent]], *explained.values(parent, child))
                options.append((-int(count[parent]), len(values), names[parent], values, parent))
        if options:
            best = min(options, key=lambda f: f[:3])
            conditions[names[child]] = (Condition(best[2], best[3]),)
            depth[child] = 1 + depth[best[4]]
    # the same order as long as the same depends on the same, whatever was seen how often
    return SearchSpace({names[j]: distributions[names[j]] for j in np.argsort(depth, kind="stable")}, conditions)


@dataclass(frozen=True)
class _Explained:
    """Which parameters' values decide which others' presence.

    Args:
        decides: Whether a parameter (row) decides the presence of another (column).
        levels: Every value of every parameter, a parameter's together.
        first: Number of each parameter's first value among them.
        always: Whether with a value (row) every configuration had the parameter (column).
    """

    decides: np.ndarray
    levels: list[Value]
    first: np.ndarray
    always: np.ndarray

    @classmethod
    def by(
        cls, distributions: Mapping[str, Distribution], configs: Sequence[Mapping[str, Value]], present: np.ndarray
    ) -> _Explained:
        d = len(distributions)
        numbers: list[dict[Value, int]] = [{} for _ in range(d)]
        sizes = [distribution.size for distribution in distributions.values()]
        few = [(j, name) for j, name in enumerate(distributions) if sizes[j] is not None and sizes[j] <= _MOST_VALUES]  # type: ignore[operator]
        seen = [
            (i, j, numbers[j].setdefault(config[name], len(numbers[j])))
            for j, name in few
            for i, config in enumerate(configs)
            if name in config
        ]
        first = np.cumsum([0, *map(len, numbers)])
        hot = np.zeros((len(configs), int(first[-1])), dtype=np.float32)
        at = np.array(seen, dtype=np.int64).reshape(len(seen), 3)
        hot[at[:, 0], first[at[:, 1]] + at[:, 2]] = 1.0
        total = hot.sum(axis=0)[:, None]
        with_it = hot.T @ present.astype(np.float32)  # (values, parameters)
        always, never = with_it == total, with_it == 0
        decides = np.zeros((d, d), dtype=bool)
        several = np.flatnonzero(np.diff(first) > 1)
        if len(several):
            # each value was seen only with it or only without it, both occur, and it never comes without the parent
            pick = np.concatenate([np.arange(first[j], first[j + 1]) for j in several])
            starts = np.cumsum([0, *np.diff(first)[several][:-1]])
            clear = np.logical_and.reduceat((always | never)[pick], starts, axis=0)
            both = np.logical_or.reduceat(always[pick], starts) & np.logical_or.reduceat(never[pick], starts)
            decides[several] = clear & both & (np.add.reduceat(with_it[pick], starts) == present.sum(axis=0))
        return cls(decides, [value for known in numbers for value in known], first, always)

    def values(self, parent: int, child: int) -> tuple[set[Any], set[Any]]:
        """The parent's values with and without the child."""
        a, b = self.first[parent : parent + 2].tolist()
        both: tuple[set[Any], set[Any]] = (set(), set())
        for level, there in zip(self.levels[a:b], self.always[a:b, child].tolist(), strict=True):
            both[not there].add(level)
        return both


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
