"""A program of `foretell.spaces` as the search space of an NNI experiment, and a trial's parameters as its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretell.distributions import CategoricalDistribution, IntDistribution
from foretell.spaces.tree import distribution_tree

if TYPE_CHECKING:
    from foretell.distributions import Distribution
    from foretell.spaces import Space


def search_space_json(space: Space) -> dict[str, dict[str, Any]]:
    """What `searchSpace` of an experiment holds: every parameter of the program, side by side.

    A trial is given all of them, and `space.build(parameters)` reads those that its network has.
    `ForetellTuner(graph="module:function")`, with a function that gives `space.graph(parameters)`, sees that network.

    Raises:
        InvalidSearchSpaceError: If the program has too many, as a deep grammar.

    >>> from foretell.spaces.ready import nasbench201_cells
    >>> search_space_json(nasbench201_cells())["edge.0.1"]["_type"]
    'choice'
    """
    return {name: _entry(distribution) for name, distribution in distribution_tree(space).distributions.items()}


def _entry(distribution: Distribution) -> dict[str, Any]:
    if isinstance(distribution, CategoricalDistribution):
        return {"_type": "choice", "_value": list(distribution.choices)}
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution) and not distribution.log:
        values = list(range(distribution.low, distribution.high + 1, distribution.step))
        return {"_type": "choice", "_value": values} if distribution.step > 1 else _numbers("randint", low, high + 1)
    if distribution.log:
        return (
            _numbers("qloguniform", low, high, 1)
            if isinstance(distribution, IntDistribution)
            else _numbers("loguniform", low, high)
        )
    if distribution.step is not None:
        return _numbers("quniform", low, high, distribution.step)
    return _numbers("uniform", low, high)


def _numbers(kind: str, *values: float) -> dict[str, Any]:
    return {"_type": kind, "_value": list(values)}
