"""Random search: every network drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.spaces.searchers.searcher import generator, unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace


@dataclass(frozen=True)
class RandomSearch:
    """Draws from the space, by the chances that a grammar gives.

    Args:
        space: The program.
    """

    space: Space

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        rng = generator(observed, seed)
        return unseen(lambda: self.space.draw(rng), observed)
