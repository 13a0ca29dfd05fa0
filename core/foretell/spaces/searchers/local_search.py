"""Local search: a neighbour of the best, until none is left, then of the next best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError
from foretell.spaces.edits import neighbours
from foretell.spaces.searchers.searcher import generator, unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace


@dataclass(frozen=True)
class LocalSearch:
    """Climbs from the best of some draws, as in White et al., 2021, https://arxiv.org/abs/2005.02960.

    Args:
        space: The program.
        start: Draws before the first climb.

    Raises:
        InvalidDataError: If `start` is below 1.
    """

    space: Space
    start: int = 10

    def __post_init__(self) -> None:
        if self.start < 1:
            msg = f"`start >= 1` must hold, but got {self.start=}: a climb begins somewhere"
            raise InvalidDataError(msg)

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        rng = generator(observed, seed)
        if len(observed) >= self.start:
            for trace in sorted(observed, key=lambda t: -observed[t]):
                for near in neighbours(self.space, trace, rng):
                    if near not in observed:
                        return near
        return unseen(lambda: self.space.draw(rng), observed)
