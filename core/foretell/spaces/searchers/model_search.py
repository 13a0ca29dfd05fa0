"""Ours: draws, edits of the young, edits of the best, in turns, judged by a surrogate that sees the tree of decisions.

A decision of a grammar is taken by few trials under the same name; the columns of `Derivation` count what it does
wherever it is. Networks equal to an observed one are left out, however they are derived.

Three proposals, because no single one is right in all spaces:

- The best of a few draws, with chance `start` / n at trial n, spread evenly (Auer, Cesa-Bianchi and Fischer, 2002,
  "Finite-time analysis of the multiarmed bandit problem", https://doi.org/10.1023/A:1013689704352, figure 3). Where
  most networks learn nothing, the first few that do are seldom of the best kind, and edits do not leave their kind.
- Children as in `Evolution`, of which the surrogate picks one: near what is known, and the young are not all alike.
- Edits of the best and of what was found among them, as far as the surrogate promises more: large steps.

For the first two the surrogate sees a random part of what was observed (bootstrapped Thompson sampling, Osband and
Van Roy, 2015, https://arxiv.org/abs/1507.00300), so that a kind of network that failed once or twice is tried again.
"""

from __future__ import annotations

import math
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
from foretell.spaces.searchers.evolution import Evolution
from foretell.spaces.searchers.searcher import generator, unseen

if TYPE_CHECKING:
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_DRAWS = 1000
_CLIMBED = 5  # of those found, edited in turn


@dataclass(frozen=True)
class ModelSearch:
    """Expected improvement over draws and edits.

    Args:
        space: The program.
        start: Draws before the surrogate decides; of n trials `start` ln n others are draws as well.
        parents: How many of the best are edited.
        edits: How many edits of them are judged, a third of them crossings.
        children: How many children of the young are.
        draws: How many draws are.
        climbs: How often the best found are edited in turn, a third as often.
        admissible: Whether a network may be tried at all.
        seeds: Configurations of known networks that are tried first.

    Raises:
        InvalidDataError: If `start`, `parents`, `edits`, `children` or `draws` is below 1; if draws give nothing
            admissible.
    """

    space: Space
    start: int = 10
    parents: int = 10
    edits: int = 90
    children: int = 20
    draws: int = 8
    climbs: int = 2
    admissible: Callable[[Trace], bool] | None = None
    seeds: Sequence[Mapping[str, Any]] = ()
    _graph: GraphSource = field(init=False, repr=False, compare=False)
    _columns: KnownColumns[Trace] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = {k: getattr(self, k) for k in ("start", "parents", "edits", "children", "draws")}
        if min(counts.values()) < 1:
            msg = f"`start`, `parents`, `edits`, `children` and `draws` must be 1 or more, but are {counts}"
            raise InvalidDataError(f"{msg}: the defaults are 10, 10, 90, 20 and 8")
        object.__setattr__(self, "_graph", GraphSource(self.space.graph))
        columns: KnownColumns[Trace] = KnownColumns(Derivation().encode, _candidate)
        object.__setattr__(self, "_columns", columns)

    def __reduce__(self) -> tuple[Any, ...]:
        counts = (self.start, self.parents, self.edits, self.children, self.draws, self.climbs)
        return ModelSearch, (self.space, *counts, self.admissible, self.seeds)

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        for config in self.seeds:
            if (known := self.space.trace(config)) not in observed:
                return known
        rng, n = generator(observed, seed), len(observed)
        if n < self.start:
            return unseen(lambda: self._draw(rng), observed)
        if draws_at(n, self.start):
            judged = self._judged([self._draw(rng) for _ in range(self.draws)], observed, self._part(observed, rng))
        elif n % 2:
            evolution = Evolution(self.space)
            young = [evolution.child(observed, rng) for _ in range(self.children)]
            judged = self._judged(young, observed, self._part(observed, rng))
        else:
            judged = self._climbed(observed, rng)
        known_networks = {self._digest(trace) for trace in observed}
        for trace in sorted(judged, key=lambda t: -judged[t]):
            if (self.admissible is None or self.admissible(trace)) and self._digest(trace) not in known_networks:
                return trace
        return unseen(lambda: self._draw(rng), observed)

    def _belief(self, observed: Mapping[Trace, float]) -> DerivationBelief:
        return DerivationBelief.fit(self._columns.rows(list(observed)), np.array(list(observed.values())))

    def _part(self, observed: Mapping[Trace, float], rng: np.random.Generator) -> DerivationBelief:
        """What is believed given those that a bootstrap sample has."""
        traces = list(observed)
        chosen = np.unique(rng.integers(len(traces), size=len(traces)))
        return self._belief({traces[i]: observed[traces[i]] for i in chosen.tolist()})

    def _judged(
        self, fresh: Sequence[Trace], observed: Mapping[Trace, float], belief: DerivationBelief
    ) -> dict[Trace, float]:
        new = [t for t in dict.fromkeys(fresh) if t not in observed]
        return dict(zip(new, belief.score(self._columns.rows(new)).tolist(), strict=True)) if new else {}

    def _climbed(self, observed: Mapping[Trace, float], rng: np.random.Generator) -> dict[Trace, float]:
        """Edits of the best, then of the most promising of those."""
        belief = self._belief(observed)
        parents = sorted(observed, key=lambda t: -observed[t])[: self.parents]
        found = self._judged(self._edits(parents, self.edits, rng), observed, belief)
        for _ in range(self.climbs):
            best = sorted(found, key=lambda t: -found[t])[:_CLIMBED] or parents
            found |= self._judged(self._edits(best, self.edits // 3, rng), observed, belief)
        return found

    def _edits(self, parents: Sequence[Trace], n: int, rng: np.random.Generator) -> list[Trace]:
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


def draws_at(n: int, start: int) -> bool:
    """Whether the trial after n is a draw: the first `start` are, and `start` ln n of the first n on the whole.

    >>> [n for n in range(60) if draws_at(n, 4)]
    [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 21, 26, 34, 43, 55]
    """
    return n < max(start, 2) or math.floor(start * math.log(n)) > math.floor(start * math.log(n - 1))


def _candidate(trace: Trace) -> Candidate:
    return Candidate(config=trace.config)
