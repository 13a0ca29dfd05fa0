"""Tables whose architectures a program draws, so that any search over programs can be asked for their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.capture import nasbench201, transnasbench101
from foretell.spaces.ready import nasbench201_cells, transnasbench101_cells
from foretell.spaces.searchers import EncodedLatent, Evolution, LatentSearch, LocalSearch, ModelSearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from foretell.benchmarks.tables import Table
    from foretell.spaces import Space, Trace
    from foretell.spaces.searchers import Searcher

SEARCHERS: Mapping[str, Callable[[Space], Searcher]] = {
    "latent": LatentSearch,
    "latent-columns": lambda space: LatentSearch(space, EncodedLatent),
    "model": ModelSearch,
    "evolution": Evolution,
    "local": LocalSearch,
}
"""Searches over programs by name, with their default settings."""
_SPACES: Mapping[str, Callable[[], Space]] = {
    "nasbench201": nasbench201_cells, "transnasbench101": transnasbench101_cells,
}  # fmt: skip
_FORMS = {"nasbench201": nasbench201, "transnasbench101": transnasbench101}
FAMILIES = tuple(_SPACES)
"""Tables that have a program."""


@dataclass(frozen=True, eq=False)
class ProgramTable:
    """The rows of a table as paths of a program.

    Args:
        space: The program.
        traces: The path of each row.
        rows: The row of each path.
    """

    space: Space
    traces: Sequence[Trace]
    rows: Mapping[Trace, int]

    @classmethod
    def of(cls, table: Table) -> ProgramTable:
        """Both ways between rows and paths; `FAMILIES` have them."""
        space, family = _SPACES[table.family](), _FORMS[table.family]
        names = [f"edge.{a}.{b}" for a, b in family.EDGES]
        some = space.trace({})
        traces = []
        for spec in table.specs:
            digits = family.parse(spec)
            config = {name: family.OPERATIONS[digit] for name, digit in zip(names, digits, strict=True)}
            traces.append(type(some)(some.distributions, config))
        return cls(space, traces, {trace: row for row, trace in enumerate(traces)})

    def asked(
        self, searcher: Searcher, first: Sequence[int], values: Callable[[int], float], seed: int
    ) -> Iterator[int]:
        """Rows that a search asks for, after the first ones, which it is told.

        Args:
            searcher: Over the program.
            first: Rows that were asked for already.
            values: Target of a row, larger is better.
            seed: Of the search.
        """
        observed = {self.traces[row]: values(row) for row in first}
        while len(observed) < len(self.traces):
            trace = searcher.suggest(observed, seed)
            row = self.rows[trace]
            observed[trace] = values(row)
            yield row
