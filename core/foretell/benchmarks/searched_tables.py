"""Searches among the architectures of a table, step by step: what was asked, what it is worth, what was believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from foretell.architecture_search import ArchitectureSearch, LocalEdits, Pool, Proposals
from foretell.benchmarks.nasbench101_neighbours import Neighbours101
from foretell.benchmarks.program_tables import SEARCHERS, ProgramTable
from foretell.benchmarks.tables import TABLES, Table
from foretell.benchmarks.unknowing import unknowing
from foretell.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from foretell.posterior import WarpedPosterior
    from foretell.predictor import Predictor

START = 10
"""Architectures drawn at random before the search decides."""


@dataclass(frozen=True)
class Step:
    """One architecture that was asked for.

    Args:
        row: Its row in the table.
        value: Its target.
        posterior: What was believed of it before; None where it was drawn at random.
    """

    row: int
    value: float
    posterior: WarpedPosterior | None


@dataclass
class SearchedTables:
    """Tables with the searches among them; columns are kept while this lives.

    NAS-Bench-101 is too large to be judged whole at every step, and is searched by edits.

    Args:
        predictors: What may decide, by name.
    """

    predictors: Mapping[str, Callable[[], Predictor]] = field(default_factory=lambda: PRESETS)
    _tables: dict[str, Table] = field(default_factory=dict)
    _searches: dict[tuple[str, str], ArchitectureSearch[int]] = field(default_factory=dict)
    _programs: dict[str, ProgramTable] = field(default_factory=dict)

    def table(self, family: str) -> Table:
        """The table of a family."""
        if family not in self._tables:
            self._tables[family] = TABLES[family]()
        return self._tables[family]

    def steps(self, method: str, family: str, task: str, seed: int) -> Iterator[Step]:
        """All steps of a search, without end before the table's.

        `random`, one of the predictors or a search over the table's program (`program_tables`) decides. The first
        ten are the same for all methods.
        """
        truth = self.table(family).targets[task]
        order = np.random.default_rng(seed).permutation(len(truth)).tolist()
        known: dict[int, float] = {}
        for row in order if method == "random" else order[:START]:
            known[row] = float(truth[row])
            yield Step(row, known[row], None)
        if method in SEARCHERS:
            program = self._program(family)
            searcher = SEARCHERS[method](program.space)
            for row in program.asked(searcher, list(known), lambda row: float(truth[row]), seed):
                yield Step(row, float(truth[row]), None)
            return
        while len(known) < len(truth):
            found = self._search(method, family).suggest(known, seed)
            known[found.architecture] = float(truth[found.architecture])
            yield Step(found.architecture, known[found.architecture], found.posterior)

    def _program(self, family: str) -> ProgramTable:
        if family not in self._programs:
            self._programs[family] = ProgramTable.of(self.table(family))
        return self._programs[family]

    def _search(self, method: str, family: str) -> ArchitectureSearch[int]:
        if (method, family) not in self._searches:
            table = self.table(family)
            sample = partial(_row, len(table))
            proposals: Proposals[int] = Pool(range(len(table)))
            if family == "nasbench101":
                proposals = LocalEdits(sample, Neighbours101(table))
            self._searches[method, family] = ArchitectureSearch(
                table.candidate, proposals, sample, lambda: unknowing(self.predictors[method](), family)
            )
        return self._searches[method, family]


def _row(rows: int, rng: np.random.Generator) -> int:
    return int(rng.integers(rows))
