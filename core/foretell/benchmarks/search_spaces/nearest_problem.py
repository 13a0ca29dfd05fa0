"""A table as a search problem in units of its own: a configuration has the value of the nearest row.

For tables of one family whose grids differ. `grid_problem` numbers the values of each grid, so that the same number
means different things in two of them; here it means the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.search_space import SearchSpace


def nearest_problem(
    space: SearchSpace, configs: Sequence[Mapping[str, Value]], values: Float[np.ndarray, " n"]
) -> SearchProblem:
    """Make a problem of rows; the Euclidean distance in the unit cube decides, among equally near rows the first.

    Args:
        space: What may be varied; choices in an order that means something.
        configs: One a row.
        values: One a row, larger is better.

    >>> from foretell.distributions import IntDistribution
    >>> from foretell.search_space import SearchSpace
    >>> space = SearchSpace({"n": IntDistribution(16, 64)})
    >>> problem = nearest_problem(space, [{"n": 16}, {"n": 64}], np.array([1.0, 2.0]))
    >>> problem.value({"n": 17}), problem.value({"n": 60})
    (1.0, 2.0)
    """
    rows = space.to_unit(configs)

    def value(config: Mapping[str, Value]) -> float:
        return float(values[np.argmin(((rows - space.to_unit([config])) ** 2).sum(axis=1))])

    return SearchProblem(space, value, np.sort(values))
