"""What weights that learnt on other networks expect of a search space's, before a single one of them was trained.

They give some of the first suggestions, and from then on proposals; how much their expectation counts in the surrogate,
the study's own results decide (`NetworkView`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.metrics import kendall_tau
from foretell.network_columns import network_columns
from foretell.network_expectation import EXPECTED, NetworkExpectation
from foretell.proposals import first_unseen, local_edits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.search_memory import SearchMemory
    from foretell.search_space import SearchSpace
    from foretell.unit_cube import UnitCube

    GraphFunction = Callable[[Mapping[str, Value]], ComputationGraph | None]

START = 5
"""Observations until which the prior and the quasi-random sequence take turns."""
_DRAWN, _EDITED, _CLIMBS = 64, 24, 8  # networks that are captured once to find the prior's favourites
_PARENTS, _FAVOURITES = 4, 32


@dataclass(frozen=True, eq=False)
class NetworkPrior:
    """Expectations of networks, and the configurations of a space that have the highest.

    Args:
        expectation: What is expected of networks.
    """

    expectation: NetworkExpectation
    _found: list[tuple[SearchSpace, np.ndarray]] = field(default_factory=list, repr=False)

    def expected(
        self, graph: GraphFunction, memory: SearchMemory, configs: Sequence[Mapping[str, Value]]
    ) -> Float[np.ndarray, " n"]:
        """Mean of the columns that know a configuration's network; `nan` where none does."""
        values = network_columns(graph, memory, configs, self.expectation)
        own = np.array([g.startswith(EXPECTED) for g in values.groups])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is nan, as it should be
            return np.asarray(np.nanmean(values.values[:, own], axis=1))

    def favourites(self, cube: UnitCube, graph: GraphFunction, memory: SearchMemory) -> Float[np.ndarray, "k d"]:
        """Positions with high expectations, best first, networks all different; the same for the same space."""
        for space, rows in self._found:
            if space == cube.space:
                return rows
        rng = np.random.default_rng(0)
        rows, scores = self._scored(cube, graph, memory, cube.sample(_DRAWN, rng))
        for _ in range(_CLIMBS):
            if not len(rows):
                break
            edits = local_edits(cube, rows[np.argsort(-scores, kind="stable")[:_PARENTS]], _EDITED, rng)
            more, higher = self._scored(cube, graph, memory, edits)
            rows, scores = np.concatenate([rows, more]), np.concatenate([scores, higher])
        order = np.argsort(-scores, kind="stable")
        distinct = order[np.sort(np.unique(scores[order], return_index=True)[1])]
        rows = rows[distinct[:_FAVOURITES]]
        self._found[:] = [*self._found[-3:], (cube.space, rows)]
        return rows

    def _scored(
        self, cube: UnitCube, graph: GraphFunction, memory: SearchMemory, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Those of the rows of which something is expected, and what."""
        scores = self.expected(graph, memory, [cube.space.from_unit(row) for row in rows])
        known = ~np.isnan(scores)
        return rows[known], scores[known]

    def beginning(
        self,
        cube: UnitCube,
        graph: GraphFunction,
        memory: SearchMemory,
        configs: Sequence[Mapping[str, Value]],
        y: Float[np.ndarray, " n"],
        number: int,
        seen: Float[np.ndarray, "s d"],
    ) -> Float[np.ndarray, " d"] | None:
        """The next favourite, for every other one of the first suggestions; none where results contradict the prior.

        Args:
            cube: The space.
            graph: The network of a configuration.
            memory: Where columns are found again.
            configs: What was tried, in the order in which it became known.
            y: Its objective, larger is better.
            number: Number of the suggestion.
            seen: Positions that are taken.
        """
        if number % 2 or len(configs) >= START or self.contradicted(graph, memory, configs, y):
            return None
        rows = self.favourites(cube, graph, memory)
        fresh = first_unseen(rows, seen) if len(rows) else []
        return np.asarray(rows[fresh[0]]) if fresh else None

    def contradicted(
        self,
        graph: GraphFunction,
        memory: SearchMemory,
        configs: Sequence[Mapping[str, Value]],
        y: Float[np.ndarray, " n"],
    ) -> bool:
        """Whether two or more results are ranked rather the other way round than expected."""
        if len(configs) < 2:
            return False
        expected = self.expected(graph, memory, configs)
        known = ~np.isnan(expected)
        return bool(known.sum() > 1 and kendall_tau(y[known], expected[known]) < 0)
