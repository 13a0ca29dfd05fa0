"""Ours: edits of good derivations, and draws, judged by a surrogate that sees the tree of decisions.

A decision of a grammar is taken by few trials under the same name; the columns of `Derivation` count what it does
wherever it is. Networks equal to an observed one are left out, however they are derived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders import Derivation
from foretell.errors import InvalidDataError
from foretell.graph_source import GraphSource
from foretell.known_columns import KnownColumns
from foretell.spaces.edits import cross, mutate
from foretell.spaces.searchers.derivation_belief import DerivationBelief
from foretell.spaces.searchers.searcher import generator, unseen

if TYPE_CHECKING:
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_DRAWS = 1000
_CLIMBED = 5  # of those found, edited in turn


@dataclass(frozen=True)
class ModelSearch:
    """Expected improvement over edits of the best and over draws.

    Args:
        space: The program.
        start: Draws before the surrogate decides.
        parents: How many observed ones are edited.
        edits: How many edits are judged, a third of them crossings.
        draws: How many draws are.
        climbs: How often the best found are edited in turn, a third as often.
        admissible: Whether a network may be tried at all.
        seeds: Configurations of known networks that are tried first.

    Raises:
        InvalidDataError: If `start`, `parents` or `edits` is below 1; if draws give nothing admissible.
    """

    space: Space
    start: int = 10
    parents: int = 10
    edits: int = 90
    draws: int = 90
    climbs: int = 2
    admissible: Callable[[Trace], bool] | None = None
    seeds: Sequence[Mapping[str, Any]] = ()
    _graph: GraphSource = field(init=False, repr=False, compare=False)
    _columns: KnownColumns[Trace] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if min(self.start, self.parents, self.edits) < 1:
            msg = (
                f"`start`, `parents` and `edits` must be 1 or more, but got {self.start}, {self.parents}, {self.edits}"
            )
            raise InvalidDataError(f"{msg}: the defaults are 10, 10 and 90")
        object.__setattr__(self, "_graph", GraphSource(self.space.graph))
        columns: KnownColumns[Trace] = KnownColumns(Derivation().encode, _candidate)
        object.__setattr__(self, "_columns", columns)

    def __reduce__(self) -> tuple[Any, ...]:
        settings = (self.start, self.parents, self.edits, self.draws, self.climbs, self.admissible, self.seeds)
        return ModelSearch, (self.space, *settings)

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        for config in self.seeds:
            if (known := self.space.trace(config)) not in observed:
                return known
        rng = generator(observed, seed)
        if len(observed) < self.start:
            return unseen(lambda: self._draw(rng), observed)
        belief = DerivationBelief.fit(self._columns.rows(list(observed)), np.array(list(observed.values())))
        parents = sorted(observed, key=lambda t: -observed[t])[: self.parents]
        found: dict[Trace, float] = {}
        fresh = self._children(parents, self.edits, rng) + [self.space.draw(rng) for _ in range(self.draws)]
        for climb in range(self.climbs + 1):
            new = [t for t in dict.fromkeys(fresh) if t not in observed and t not in found]
            if new:
                found.update(zip(new, belief.score(self._columns.rows(new)).tolist(), strict=True))
            if climb < self.climbs:
                best = sorted(found, key=lambda t: -found[t])[:_CLIMBED] or parents
                fresh = self._children(best, self.edits // 3, rng)
        known_networks = {self._digest(trace) for trace in observed}
        for trace in sorted(found, key=lambda t: -found[t]):
            if (self.admissible is None or self.admissible(trace)) and self._digest(trace) not in known_networks:
                return trace
        return unseen(lambda: self._draw(rng), observed)

    def _children(self, parents: Sequence[Trace], n: int, rng: np.random.Generator) -> list[Trace]:
        made = []
        for i in range(n):
            parent, other = parents[i % len(parents)], parents[int(rng.integers(len(parents)))]
            made.append(cross(self.space, parent, other, rng) if i % 3 == 2 else mutate(self.space, parent, rng))
        return made

    def _draw(self, rng: np.random.Generator) -> Trace:
        for _ in range(_DRAWS):
            found = self.space.draw(rng)
            if self.admissible is None or self.admissible(found):
                return found
        msg = f"a search needs a network that may be tried, but {_DRAWS} draws gave none: loosen `admissible`"
        raise InvalidDataError(msg)

    def _digest(self, trace: Trace) -> object:
        graph = self._graph(trace.config)
        return trace if graph is None else graph.digest


def _candidate(trace: Trace) -> Candidate:
    return Candidate(config=trace.config)
