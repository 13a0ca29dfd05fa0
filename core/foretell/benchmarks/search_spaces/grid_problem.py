"""A table of a grid as a search problem: numbers by their position in the grid, names as choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.distributions import CategoricalDistribution, Distribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value


def grid_problem(columns: Mapping[str, Sequence[Any]], values: Float[np.ndarray, " n"]) -> SearchProblem:
    """Make a problem of rows of a grid.

    A column of numbers becomes an `IntDistribution` over the positions of its sorted values, so that a sampler knows
    their order and nothing of their unit; a column of names becomes a `CategoricalDistribution`. Rows of the same
    configuration are averaged. A configuration of the grid without a row has the worst value of the table. Columns of
    one value only are left out.

    Args:
        columns: By name, one entry a row.
        values: Larger is better.

    Raises:
        InvalidDataError: If columns and values differ in length.

    >>> problem = grid_problem({"kind": ["a", "a", "b", "b"], "rate": [0.1, 0.2, 0.1, 0.1]}, np.array([1., 2., 3., 5.]))
    >>> [problem.value({"kind": kind, "rate": rate}) for kind in "ab" for rate in (0, 1)]
    [1.0, 2.0, 4.0, 1.0]
    """
    if {len(column) for column in columns.values()} != {len(values)}:
        sizes = {name: len(column) for name, column in columns.items()}
        msg = f"a grid needs one entry a row in every column, but got {sizes} and {len(values)} values: cut them alike"
        raise InvalidDataError(msg)
    found = {name: np.unique(np.asarray(column), return_inverse=True) for name, column in columns.items()}
    found = {name: levels for name, levels in found.items() if len(levels[0]) > 1}
    shape = tuple(len(levels) for levels, _ in found.values())
    cell = np.ravel_multi_index(tuple(index for _, index in found.values()), shape)
    rows = np.bincount(cell, minlength=int(np.prod(shape)))
    sums = np.bincount(cell, weights=values, minlength=len(rows))
    table = np.divide(sums, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    known = np.sort(table[rows > 0])
    table = np.where(rows > 0, table, known[0]).reshape(shape)
    distributions: dict[str, Distribution] = {
        name: CategoricalDistribution(tuple(levels.tolist()))
        if isinstance(levels[0], str)
        else IntDistribution(0, len(levels) - 1)
        for name, (levels, _) in found.items()
    }
    space = SearchSpace(distributions)

    def value(config: Mapping[str, Value]) -> float:
        return float(table[tuple(_position(d, config[name]) for name, d in distributions.items())])

    return SearchProblem(space, value, known)


def _position(distribution: Distribution, value: Value) -> int:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.index(value)
    assert isinstance(value, int)
    return value
