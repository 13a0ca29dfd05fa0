"""Positions as a search process sees them, with what every source expects there in columns of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jaxtyping import Float, Int

    from foretell.transfer.informed_trend import InformedTrend
    from foretell.transfer.source_knowledge import SourceKnowledge
    from foretell.unit_cube import UnitCube


_REMEMBERED = 6


@dataclass(frozen=True)
class InformedCube:
    """A `UnitCube` whose encoding ends with one column a source and objective: the normal score that it expects.

    The columns have no part in the distances of the search process. For the objective that listens, those of its
    sources have a straight effect, all with one variance: a linear kernel over the sources' means, whose most probable
    weights follow from the study's own results, negative ones included, and whose variance goes to zero where the
    sources say nothing.

    Args:
        cube: The space.
        objectives: What the sources know of each objective.
        listening: The objective for which they have an effect, None for none.
        trends: Fitted ones, for `InformedTrend.fit`.
    """

    cube: UnitCube
    objectives: tuple[SourceKnowledge, ...]
    listening: int | None = None
    trends: dict[Hashable, InformedTrend] = field(default_factory=dict, repr=False, compare=False)
    _first: dict[bytes, Float[np.ndarray, "n k"]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_groups(self) -> int:
        """As of the cube."""
        return self.cube.n_groups

    @property
    def n_blocks(self) -> int:
        """As of the cube, one more where an objective listens."""
        return self.cube.n_blocks + (self.listening is not None)

    @property
    def groups(self) -> Int[np.ndarray, " c"]:
        """Those of the cube; -1 for the sources."""
        return np.append(self.cube.groups, np.full(sum(map(len, self.objectives)), -1))

    @property
    def blocks(self) -> Int[np.ndarray, " c"]:
        """Those of the cube; for the sources of the objective that listens the last, -1 for others."""
        own = [
            np.full(len(knowledge), self.cube.n_blocks if m == self.listening else -1)
            for m, knowledge in enumerate(self.objectives)
        ]
        return np.concatenate([self.cube.blocks, *own])

    def encode(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """Columns of the cube, then of the sources; those of the first few matrices are found again."""
        key = units.tobytes()
        means = self._first.get(key)
        if means is None:
            means = np.concatenate([k.means(units) for k in self.objectives], axis=1)
            if len(self._first) < _REMEMBERED:  # those of what is known come first, and come again
                self._first[key] = means
        return np.concatenate([self.cube.encode(units), means], axis=1)
