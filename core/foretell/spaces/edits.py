"""Small changes of a trace: one decision anew, a subtree from another trace, a part put into another or taken out.

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
        made = _moved(space, one, other, _root(source), _root(name), rng)
        if made != one:
            return made
    return mutate(space, one, rng)


def wrap(space: Space, trace: Trace, rng: np.random.Generator) -> Trace:
    """Put a part of the network into a new part, which is drawn: `relu` may become `sum(relu, tanh)`.

    Mutation loses all that lies below a decision, so that a network cannot grow by it and keep what it has; this is its
    counterpart in genetic programming. What no longer fits, because parts lie too deep, is drawn anew.

    Args:
        space: The program.
        trace: What is changed.
        rng: Source of chance.

    Returns:
        The network with more; a mutation where some tries find no room.
    """
    names = [name for name, d in trace.distributions.items() if isinstance(d, CategoricalDistribution) and d.size != 1]
    for _ in range(_TRIES if names else 0):
        name = names[int(rng.integers(len(names)))]
        root, key = _root(name), name.rpartition(".")[2]
        kept = {k: v for k, v in trace.config.items() if not _below(k, root)}
        value = _another(trace.distributions[name], trace.config[name], rng)
        drawn = space.trace({**kept, name: value}, rng)
        inner = [k for k, d in drawn.distributions.items() if k != name and _below(k, root)
                 and k.rpartition(".")[2] == key and d.contains(trace.config[name])]  # fmt: skip
        if inner:
            nearest = [k for k in inner if k.count(".") == min(k.count(".") for k in inner)]
            made = _moved(space, drawn, trace, root, _root(nearest[int(rng.integers(len(nearest)))]), rng)
            if made != trace:
                return made
    return mutate(space, trace, rng)


def unwrap(space: Space, trace: Trace, rng: np.random.Generator) -> Trace:
    """Put a part in the place of one that it lies in: `sum(relu, tanh)` may become `relu`.

    Args:
        space: The program.
        trace: What is changed.
        rng: Source of chance.

    Returns:
        The network with less; a mutation where no part lies in one of its kind.
    """
    pairs = [(outer, inner) for outer, d in trace.distributions.items() if isinstance(d, CategoricalDistribution)
             for inner in trace.config if inner != outer and _below(inner, _root(outer))
             and inner.rpartition(".")[2] == outer.rpartition(".")[2] and d.contains(trace.config[inner])]  # fmt: skip
    if not pairs:
        return mutate(space, trace, rng)
    outer, inner = pairs[int(rng.integers(len(pairs)))]
    return _moved(space, trace, trace, _root(inner), _root(outer), rng)


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


def _moved(space: Space, one: Trace, other: Trace, start: str, at: str, rng: np.random.Generator) -> Trace:
    """One trace with what the other has below `start` in place of what it has itself below `at`."""
    kept = {k: v for k, v in one.config.items() if not _below(k, at)}
    cut = len(start) + 1 if start else 0
    moved = {f"{at}.{k[cut:]}" if at else k[cut:]: v for k, v in other.config.items() if _below(k, start)}
    return space.trace({**kept, **moved}, rng)


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
