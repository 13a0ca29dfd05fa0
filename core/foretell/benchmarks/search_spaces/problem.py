"""What a search is measured on: a space, the value of every configuration, and all values there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.search_space import SearchSpace


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """A space with known values; larger is better, and nothing is noisy.

    Args:
        space: What may be varied.
        value: From a configuration of the space to its value, the worst known one where the table has a gap.
        values: All values of the table, or those of many random configurations where there is no table; increasing.
        graph: From a configuration to its network, None where the space makes none.
        near: Distance from the largest value that counts as having found it, in units of the value.

    Raises:
        InvalidDataError: If there are no values, they are not finite, or they do not increase.
    """

    space: SearchSpace
    value: Callable[[Mapping[str, Value]], float]
    values: Float[np.ndarray, " n"]
    graph: Callable[[Mapping[str, Value]], ComputationGraph] | None = None
    near: float | None = None

    def __post_init__(self) -> None:
        if not len(self.values) or not np.isfinite(self.values).all() or np.any(np.diff(self.values) < 0):
            msg = f"a search problem needs finite values in increasing order, but got {self.values!r}: sort them"
            raise InvalidDataError(msg)

    def share_better(self, value: float) -> float:
        """Share of all values that are larger, in [0, 1]; smaller is better.

        >>> import numpy as np
        >>> from foretell.search_space import SearchSpace
        >>> SearchProblem(SearchSpace({}), lambda config: 0.0, np.array([1.0, 2.0, 2.0, 3.0])).share_better(2.0)
        0.25
        """
        return float(len(self.values) - np.searchsorted(self.values, value, side="right")) / len(self.values)

    def found(self, value: float) -> bool:
        """Whether a value lies within `near` of the largest; False where no distance is set."""
        return self.near is not None and value >= self.values[-1] - self.near
