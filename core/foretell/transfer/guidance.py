"""What sources tell a search to do: where to begin, whether the surrogate may decide early, what it hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.proposals import first_unseen
from foretell.transfer.informed_cube import InformedCube
from foretell.transfer.informed_trend import InformedTrend

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from foretell.search_memory import SearchMemory
    from foretell.search_space import SearchSpace
    from foretell.transfer.source_knowledge import SourceKnowledge
    from foretell.unit_cube import UnitCube

START = 5
"""Observations until which the sources' portfolio and the quasi-random sequence take turns."""
_DEAF, _DEAF_FROM = 4, 8  # every fourth suggestion hears no source, once there are eight observations


@dataclass(frozen=True, eq=False)
class Guidance:
    """Knowledge of every objective, and the study's own results so far, which may contradict it.

    Both are needed at the start. Trials of the portfolio alone could all look alike, so that nothing would tell a good
    source from a bad one; next to points from everywhere, the order of the first few results shows which it is. Sources
    that are wrong therefore cost one or two trials.

    Args:
        objectives: What the sources know of each objective.
        units: Positions that were tried, in the order in which they became known.
        values: Objectives, larger is better.
        partial: Which were stopped early.
    """

    objectives: tuple[SourceKnowledge, ...]
    units: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, "n m"]
    partial: Bool[np.ndarray, " n"]
    _informed: list[InformedCube] = field(default_factory=list, repr=False)

    @property
    def contradicted(self) -> bool:
        """Whether two or more own results are ranked rather the other way round than the sources say."""
        known = zip(self.objectives, self.values.T, strict=True) if len(self.units) > 1 else ()
        return any(knowledge.contradicted(self.units, column) for knowledge, column in known)

    def beginning(
        self, number: int, space: SearchSpace, seen: Float[np.ndarray, "s d"]
    ) -> Float[np.ndarray, " d"] | None:
        """The next of the portfolio, for every other one of the first suggestions; none if it is contradicted.

        Args:
            number: Number of the suggestion.
            space: What is searched.
            seen: Positions that are taken.
        """
        if number % 2 or len(self.units) >= START or self.contradicted or not len(self.portfolio):
            return None
        rows = space.snap(self.portfolio)
        fresh = first_unseen(rows, seen)
        return np.asarray(rows[fresh[0]]) if fresh else None

    def listens(self, number: int) -> bool:
        """Whether suggestion `number` hears the sources; every fourth does not.

        A source that is right on the whole and wrong about where the best is predicts all that is tried around its own
        best, and would never be outvoted there. (FCNet, 10 studies whose source is another function: .10 % of the
        table are better after 40 trials, .43 % without this, none without sources.)

        Args:
            number: Number of the suggestion.
        """
        return number % _DEAF != _DEAF - 1 or len(self.units) < _DEAF_FROM

    @cached_property
    def portfolio(self) -> Float[np.ndarray, "k d"]:
        """The portfolios of all objectives, in turn."""
        each = [knowledge.portfolio for knowledge in self.objectives]
        return np.concatenate([rows[i : i + 1] for i in range(max(map(len, each))) for rows in each] or each)

    def informed(self, cube: UnitCube) -> InformedCube:
        """The cube with what the sources expect; the same for the same cube."""
        found = [informed for informed in self._informed if informed.cube is cube]
        if not found:
            found = [InformedCube(cube, self.objectives)]
            self._informed[:] = found
        return found[0]

    def heard(self, cube: UnitCube, memory: SearchMemory) -> bool:
        """Whether the sources help to predict every objective of what is known, so that the surrogate need not wait."""
        return len(self.units) >= START and all(t.share > 0.5 for t in self._trends(cube, memory))

    def weights(self, cube: UnitCube, memory: SearchMemory) -> dict[str, tuple[float, ...]]:
        """What the sources weigh, one number an objective.

        Returns:
            Under "sources" the weight, in [0, 1], of the surrogate that hears them against the one that does not; under
            each source's name the most probable slope of own standardised results against the normal score that it
            expects. Before there are five results, how far each source is believed, and under "sources" 1, or 0 if they
            are contradicted or none is believed.
        """
        if len(self.units) < START:
            over = self.contradicted
            found = [(float(bool(k.trust.any()) and not over), k.trust) for k in self.objectives]
        else:
            found = [(t.share, t.slopes) for t in self._trends(cube, memory)]
        each = [dict(zip(k.names, s.tolist(), strict=True)) for k, (_, s) in zip(self.objectives, found, strict=True)]
        names = [name for name in each[0] if all(name in slopes for slopes in each)]
        return {"sources": tuple(share for share, _ in found)} | {n: tuple(s[n] for s in each) for n in names}

    def _trends(self, cube: UnitCube, memory: SearchMemory) -> list[InformedTrend]:
        informed, partial = self.informed(cube), self.partial if self.partial.any() else None
        return [
            InformedTrend.fit(informed, self.units, column, m, memory, partial)
            for m, column in enumerate(self.values.T)
        ]
