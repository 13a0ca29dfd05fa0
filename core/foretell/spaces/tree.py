"""The tree of distributions of a program: every parameter it can ask for, and which decision each hangs on.

A program never says its conditions. Here they show by replaying it with every value of every decision, which small
spaces allow; with it a program is a `SearchSpace` like any other, for samplers and search spaces in files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.errors import InvalidSearchSpaceError
from foretell.search_space import Condition, SearchSpace

if TYPE_CHECKING:
    from foretell.distributions import Distribution, Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_MOST_VALUES = 64  # a decision with more values is not one that structure hangs on


def distribution_tree(space: Space, most: int = 1000) -> SearchSpace:
    """All parameters with their conditions.

    Args:
        space: The program. A decision may decide what comes below it; what hangs on two decisions beside each other is
            found where each alone shows it.
        most: Parameters at most.

    Raises:
        InvalidSearchSpaceError: If there are more, as in a deep grammar.

    >>> from foretell.spaces import Choice, Layer, Space
    >>> from foretell import IntDistribution
    >>> from torch import nn
    >>> wide = Layer("dense", lambda shape, width: nn.Linear(4, width), {"width": IntDistribution(1, 8)})
    >>> tree = distribution_tree(Space(Choice(none=Layer("none", lambda shape: nn.Identity()), dense=wide), (4,)))
    >>> tree.names, tree.conditions["dense.width"]
    (('is', 'dense.width'), (Condition(parent='is', values=frozenset({'dense'})),))
    """
    first = space.trace({})
    found: dict[str, Distribution] = dict(first.distributions)
    reached: dict[str, Trace] = dict.fromkeys(found, first)
    conditions: dict[str, tuple[Condition, ...]] = {}
    done: set[str] = set()
    while len(done) < len(found):
        name = next(n for n in found if n not in done)
        done.add(name)
        runs = _every_value(space, reached[name], name, found[name])
        present = {value: set(run.distributions) for value, run in runs.items()}
        for run in runs.values():
            for child, distribution in run.distributions.items():
                found.setdefault(child, distribution)
                reached.setdefault(child, run)
        if len(found) > most:
            msg = (
                f"a tree of at most {most} parameters is needed, but the program has more: make it smaller, or search "
                "it with foretell.spaces.searchers, which need no tree"
            )
            raise InvalidSearchSpaceError(msg)
        always = set.intersection(*present.values()) if present else set()
        for child in {c for names in present.values() for c in names} - always:
            values = frozenset(value for value, names in present.items() if child in names)
            nearer = conditions.get(name, ())  # the parent of the child so far may be above this decision
            kept = tuple(c for c in conditions.get(child, ()) if c not in nearer and c.parent != name)
            above = {c.parent for c in nearer} | _ancestors(name, conditions)
            conditions[child] = (*(c for c in kept if c.parent not in above), Condition(name, values))
    order: dict[str, Distribution] = {}
    while len(order) < len(found):
        for name, distribution in found.items():
            if all(c.parent in order for c in conditions.get(name, ())):
                order.setdefault(name, distribution)
    return SearchSpace(order, conditions)


def _every_value(space: Space, trace: Trace, name: str, distribution: Distribution) -> dict[Value, Trace]:
    size = distribution.size
    if size is None or not 1 < size <= _MOST_VALUES:
        return {}
    values = [distribution.from_unit((i + 0.5) / size) for i in range(size)]
    return {value: space.trace({**trace.config, name: value}) for value in values}


def _ancestors(name: str, conditions: dict[str, tuple[Condition, ...]]) -> set[str]:
    above: set[str] = set()
    left = [name]
    while left:
        for condition in conditions.get(left.pop(), ()):
            if condition.parent not in above:
                above.add(condition.parent)
                left.append(condition.parent)
    return above
