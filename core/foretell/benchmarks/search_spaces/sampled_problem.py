"""A constructed function as a search problem: its values are those of many random configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.problem import SearchProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from foretell.distributions import Value
    from foretell.search_space import SearchSpace

_SAMPLES, _SEED = 20_000, 20_000


def sampled_problem(space: SearchSpace, value: Callable[[Mapping[str, Value]], float]) -> SearchProblem:
    """Draw 20,000 configurations, always the same, whose values stand for all."""
    units = space.sample_units(_SAMPLES, np.random.default_rng(_SEED))
    return SearchProblem(space, value, np.sort([value(space.from_unit(row)) for row in units]))
