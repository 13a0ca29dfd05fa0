"""Small changes of a trace: one decision anew, a subtree from another trace, a part of one moved to another place.

All replay the program with what is kept, so that what a change entails is drawn anew, and nothing invalid comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.distributions import CategoricalDistribution

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from foretell.distributions import Distribution, Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_TRIES = 20


def mutate(space: Space, trace: Trace, rng: np.random.Generator) -> Trace:
    """Draw one decision anew, another value for certain, and all that lies below it.

    In a grammar this is the mutation of einspace: the subtree below a random node is drawn anew.

    Args:
        space: The program.
        trace: What is changed.
        rng: Source of chance.

    Returns:
        A trace that differs; the same one where all decisions have one value only.
    """
    names = [name for name, distribution in trace.distributions.items() if distribution.size != 1]
    if not names:
        return trace
    name = names[int(rng.integers(len(names)))]
    value = _another(trace.distributions[name], trace.config[name], rng)
    return space.trace({**trace.config, name: value}, rng)


def cross(space: Space, one: Trace, other: Trace, rng: np.random.Generator) -> Trace:
    """Put a subtree of another trace into this one, at any place where the same kind of decision is taken.

    Args:
        space: The program.
        one: Keeps all but a subtree.
        other: Gives the subtree.
        rng: Source of chance.

    Returns:
        The crossing; a mutation of `one` where some tries find none that differs.
    """
    ours, theirs = list(one.config), list(other.config)
    for _ in range(_TRIES):
        name, source = ours[int(rng.integers(len(ours)))], theirs[int(rng.integers(len(theirs)))]
        fits = name.rpartition(".")[2] == source.rpartition(".")[2]
        if not (fits and one.distributions[name].contains(other.config[source])):
            continue
        at, start = _root(name), _root(source)
        kept = {k: v for k, v in one.config.items() if not _below(k, at)}
        moved = {at + k[len(start) :]: v for k, v in other.config.items() if _below(k, start)}
        made = space.trace({**kept, **moved}, rng)
        if made != one:
            return made
    return mutate(space, one, rng)


def neighbours(space: Space, trace: Trace, rng: np.random.Generator) -> Iterator[Trace]:
    """Every trace one decision away, in random order; what a decision newly entails is drawn.

    Of a number, the values next to it on either side, or a tenth of the range away where it is continuous.

    Args:
        space: The program.
        trace: Whose neighbours.
        rng: Source of chance.
    """
    moves = [(n, v) for n, d in trace.distributions.items() for v in _near(d, trace.config[n])]
    for i in rng.permutation(len(moves)).tolist():
        name, value = moves[i]
        yield space.trace({**trace.config, name: value}, rng)


def _root(name: str) -> str:
    """The path of the part that a parameter belongs to."""
    return name.rpartition(".")[0]


def _below(name: str, root: str) -> bool:
    return not root or name.startswith(f"{root}.")


def _another(distribution: Distribution, value: Value, rng: np.random.Generator) -> Value:
    for _ in range(1000):
        found = distribution.from_unit(float(rng.random()))
        if found != value:
            return found
    return value


def _near(distribution: Distribution, value: Value) -> list[Value]:
    if isinstance(distribution, CategoricalDistribution):
        return [choice for choice in distribution.choices if choice != value]
    unit = distribution.to_unit(value)
    step = 1.0 / distribution.size if distribution.size else 0.1
    found = {distribution.from_unit(min(max(unit + way * step, 0.0), 1.0)) for way in (-1, 1)} - {value}
    return [*sorted(found)]
