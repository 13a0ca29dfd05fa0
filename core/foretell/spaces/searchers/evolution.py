"""Regularised evolution (Real et al., 2019, https://arxiv.org/abs/1802.01548) on subtrees, from seeds if there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError
from foretell.spaces.edits import cross, mutate
from foretell.spaces.searchers.searcher import generator, unseen

if TYPE_CHECKING:
    import numpy as np

    from foretell.distributions import Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace


@dataclass(frozen=True)
class Evolution:
    """The best of a few of the youngest has a child, and the oldest dies.

    Args:
        space: The program.
        seeds: Configurations of known networks that are tried first, as einspace starts from ResNet and ViT; then draws
            until the population is full.
        population: How many of the youngest live.
        tournament: How many of them are compared.
        crossing: Chance that a child takes a subtree of a second parent instead of a mutation.

    Raises:
        InvalidDataError: If a number is impossible.
    """

    space: Space
    seeds: Sequence[Mapping[str, Value]] = ()
    population: int = 20
    tournament: int = 5
    crossing: float = 0.2

    def __post_init__(self) -> None:
        if not (1 <= self.tournament <= self.population and 0.0 <= self.crossing <= 1.0):
            msg = (
                "`1 <= tournament <= population` and `0 <= crossing <= 1` must hold, but got "
                f"{self.tournament=}, {self.population=}, {self.crossing=}: 5, 20 and 0.2 are the defaults"
            )
            raise InvalidDataError(msg)

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        rng = generator(observed, seed)
        for config in self.seeds:
            if (known := self.space.trace(config)) not in observed:
                return known
        if len(observed) < self.population:
            return unseen(lambda: self.space.draw(rng), observed)
        return unseen(lambda: self.child(observed, rng), observed)

    def child(self, observed: Mapping[Trace, float], rng: np.random.Generator) -> Trace:
        """A child of the winners of tournaments among the youngest; it may be one that was observed."""
        alive = list(observed)[-self.population :]
        parent = self._winner(alive, observed, rng)
        if rng.random() < self.crossing:
            return cross(self.space, parent, self._winner(alive, observed, rng), rng)
        return mutate(self.space, parent, rng)

    def _winner(self, alive: Sequence[Trace], observed: Mapping[Trace, float], rng: np.random.Generator) -> Trace:
        some = rng.choice(len(alive), size=min(self.tournament, len(alive)), replace=False)
        return max((alive[int(i)] for i in some), key=lambda trace: observed[trace])
