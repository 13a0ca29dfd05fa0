"""The sources of a study, and what was worked out about them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError
from foretell.transfer.guidance import Guidance
from foretell.transfer.nearness import NOTHING
from foretell.transfer.shared_parameters import SharedParameters
from foretell.transfer.source_knowledge import SourceKnowledge

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import numpy as np
    from jaxtyping import Bool, Float

    from foretell.distributions import Value
    from foretell.search_space import SearchSpace
    from foretell.transfer.nearness import TaskDescription
    from foretell.transfer.source import Source

_MOST_KNOWLEDGE = 4


class Sources:
    """Earlier studies that a search may learn from; the same sources give the same answers.

    Safe for threads. Pickling leaves what was worked out behind.

    Args:
        sources: The sources.
        task: What is known of the present task beforehand: sources whose tasks are nearer weigh more until there are
            results, see `trust`.

    Raises:
        InvalidDataError: If they differ in their number of objectives, or two have the same name.
    """

    def __init__(self, sources: Sequence[Source] = (), task: TaskDescription = NOTHING) -> None:
        self._sources = tuple(sources)
        self._task = dict(task)
        counts = sorted({s.n_objectives for s in self._sources})
        if len(counts) > 1:
            msg = f"sources must agree in their number of objectives, but have {counts}: leave out the others"
            raise InvalidDataError(msg)
        names = [s.name for s in self._sources]
        if len(set(names)) < len(names):
            msg = f"sources need names of their own, but got {sorted(names)}: rename those that occur twice"
            raise InvalidDataError(msg)
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._guidance: tuple[Hashable, Guidance] | None = None
        self._known: dict[Hashable, tuple[SourceKnowledge, ...]] = {}

    def __len__(self) -> int:
        return len(self._sources)

    @property
    def n_objectives(self) -> int:
        """Number of objectives that they agree in; 0 without sources."""
        return self._sources[0].n_objectives if self._sources else 0

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources)

    def about(self, space: SearchSpace) -> tuple[SourceKnowledge, ...]:
        """What the sources know of every objective on a space; empty if they share nothing with it.

        Args:
            space: The space that is searched now.
        """
        key = tuple(space.distributions.items())
        found = self._known.get(key)
        if found is None:
            found = tuple(SourceKnowledge.learn(self._sources, space, m, self._task) for m in range(self.n_objectives))
            found = found if all(map(len, found)) else ()
            with self._lock:
                while len(self._known) >= _MOST_KNOWLEDGE:
                    del self._known[next(iter(self._known))]
                self._known[key] = found
        return found

    def guidance(
        self,
        space: SearchSpace,
        units: Float[np.ndarray, "n d"],
        values: Float[np.ndarray, "n m"],
        partial: Bool[np.ndarray, " n"],
    ) -> Guidance | None:
        """What to do after some results; the last answer is kept, since it is asked for more than once.

        Args:
            space: What is searched.
            units: Positions that were tried, in the order in which they became known.
            values: Objectives, larger is better; without observations, any shape.
            partial: Which were stopped early.

        Returns:
            None if the sources share no parameter with the space, or have another number of objectives.
        """
        if not len(self) or (len(units) and values.shape[1] != self.n_objectives):
            return None
        objectives = self.about(space)
        if not objectives:
            return None
        key = (id(objectives), units.tobytes(), values.tobytes(), partial.tobytes())
        last = self._guidance
        if last is None or last[0] != key:
            last = (key, Guidance(objectives, units, values, partial))
            self._guidance = last
        return last[1]

    def beginning(self, target: SearchSpace, index: int) -> dict[str, Value]:
        """Values for parameters of a study that has not shown its space yet, from the sources' portfolio on their own.

        Args:
            target: Parameters that are asked for now.
            index: Which item of the portfolio.

        Returns:
            Values of those parameters that the first source shares; none beyond the portfolio.
        """
        if not self._sources:
            return {}
        space = self._sources[0].space
        round_, objective = divmod(index, self.n_objectives)
        row = self.about(space)[objective].portfolio[round_ : round_ + 1]
        if not len(row):
            return {}
        return SharedParameters.between(target, space).to_target(space.from_unit(space.snap(row)[0]))

    def __getstate__(self) -> dict[str, object]:
        return {"sources": self._sources, "task": self._task}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._sources, self._task = state["sources"], state["task"]
        self._start()
