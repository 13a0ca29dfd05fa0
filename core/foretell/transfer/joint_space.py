"""One space that holds the configurations of several earlier searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.distributions import CategoricalDistribution, Distribution, FloatDistribution, IntDistribution
from foretell.search_space import Condition, SearchSpace
from foretell.transfer.shared_parameters import SharedParameters

if TYPE_CHECKING:
    from collections.abc import Sequence


def joint_space(spaces: Sequence[SearchSpace]) -> SearchSpace:
    """Every parameter of any of the spaces, under the name of the first that has it: all its values, all its choices.

    Where one space has numbers and another has choices under the same name, the first of the two is kept, as are its
    conditions; values of a parent under which any space has the child are united.

    Args:
        spaces: One or more.

    >>> wide = joint_space([SearchSpace({"lr": FloatDistribution(0.1, 1.0, log=True)}),
    ...                     SearchSpace({"LR": FloatDistribution(0.01, 0.5, log=True), "n": IntDistribution(1, 3)})])
    >>> wide.distributions["lr"].low, wide.names
    (0.01, ('lr', 'n'))
    """
    distributions = dict(spaces[0].distributions)
    conditions = dict(spaces[0].conditions)
    for space in spaces[1:]:
        shared = SharedParameters.between(SearchSpace(distributions), space)
        ours = {there: here for here, there in shared.names.items()}
        for there, distribution in space.distributions.items():
            here = ours.get(there, there)
            known = here in distributions
            distributions[here] = _widened(distributions[here], distribution) if known else distribution
            renamed = tuple(
                Condition(ours.get(c.parent, c.parent), c.values) for c in space.conditions.get(there, ())
            )  # fmt: skip
            conditions[here] = _united(conditions.get(here, ()), renamed) if known else renamed
    return SearchSpace(distributions, conditions)


def _widened(a: Distribution, b: Distribution) -> Distribution:
    if isinstance(a, CategoricalDistribution) or isinstance(b, CategoricalDistribution):
        if not (isinstance(a, CategoricalDistribution) and isinstance(b, CategoricalDistribution)):
            return a
        return CategoricalDistribution((*a.choices, *[c for c in b.choices if not a.contains(c)]))
    low, high, log = min(a.low, b.low), max(a.high, b.high), a.log and b.log
    if isinstance(a, IntDistribution) and isinstance(b, IntDistribution):
        same = a.step == b.step and (a.low - b.low) % a.step == 0
        return IntDistribution(int(low), int(high), log, a.step if same else 1)
    same_steps = a.step is not None and a.step == b.step and a.contains(min(max(b.low, a.low), a.high))
    return FloatDistribution(float(low), float(high), log, float(a.step) if same_steps and a.step else None)


def _united(a: tuple[Condition, ...], b: tuple[Condition, ...]) -> tuple[Condition, ...]:
    more = {c.parent: c.values for c in b}
    return tuple(Condition(c.parent, c.values | more.get(c.parent, frozenset())) for c in a)
