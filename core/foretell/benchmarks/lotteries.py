"""`foretell bench lottery`: how much searches of cells of NAS-Bench-201 owe to their settings.

Each kind of search runs under some settings that one might choose; `regret` is what the best test accuracy (CIFAR-10,
200 epochs) of 100 different cells lacks to the table's best, in points. The report says what the best, the middling and
the worst settings give, which share of the variance lies between settings, and how often a kind is ahead of another
where the settings of both are drawn at random (see `foretell.judging.lottery`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from foretell.benchmarks.runner import Cell
from foretell.judging import chance_ahead, lottery
from foretell.spaces.ready import nasbench201_cells
from foretell.spaces.searchers import Evolution, LocalSearch, ModelSearch, TreeSearch

if TYPE_CHECKING:
    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.spaces import Space, Trace
    from foretell.spaces.searchers import Searcher

_QUERIES = 100


def _settings() -> dict[str, Callable[[Space], Searcher]]:
    found: dict[str, Callable[[Space], Searcher]] = {}
    for population in (5, 10, 20, 50):
        for tournament in (2, 5):
            name = f"evolution: population {population}, tournament {tournament}"
            found[name] = partial(Evolution, population=population, tournament=tournament)
    for exploration in (0.0, 0.1, 0.3, 1.0):
        found[f"mcts: exploration {exploration}"] = partial(TreeSearch, exploration=exploration)
    for start in (3, 10, 30):
        found[f"local: start {start}"] = partial(LocalSearch, start=start)
    for start in (5, 20):
        for parents in (3, 20):
            found[f"foretell: start {start}, parents {parents}"] = partial(ModelSearch, start=start, parents=parents)
    return found


SETTINGS: Mapping[str, Callable[[Space], Searcher]] = _settings()
"""Searches by kind and settings."""


@dataclass
class Lotteries:
    """Regret after 100 cells, in points; smaller is better."""

    name: str = "lottery"
    methods: Sequence[str] = tuple(SETTINGS)
    _problem: list[SearchProblem] = field(default_factory=list)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick leaves out ours."""
        kept = [m for m in methods if not (quick and m.startswith("foretell"))]
        return [Cell(m, "nasbench201", "cifar10", _QUERIES, s) for s in range(seeds) for m in kept]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        if not self._problem:
            from foretell.benchmarks.search_spaces.problems import load_problem

            self._problem.append(load_problem("nasbench201", "cifar10"))
        problem = self._problem[0]
        searcher = SETTINGS[cell.method](nasbench201_cells())
        observed: dict[Trace, float] = {}
        for _ in range(cell.n or 0):
            trace = searcher.suggest(observed, cell.seed)
            observed[trace] = problem.value({f"edge{i}": op for i, op in enumerate(trace.config.values())})
        return {"regret": (float(problem.values[-1]) - max(observed.values()), "points")}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`."""
        kinds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            kind, _, settings = row.method.partition(": ")
            kinds[kind][settings].append(row.value)
        lines = [f"{'search':10} {'settings':>8} {'best':>6} {'median':>6} {'worst':>6} {'owed':>5}  best settings"]
        whole = {k: of for k, of in kinds.items() if len(of) > 1 and min(map(len, of.values())) > 1}
        for kind, of in whole.items():
            found = lottery(of)
            lines.append(
                f"{kind:10} {len(of):8} {found.best:6.3f} {found.median:6.3f} {found.worst:6.3f} {found.share:5.0%}  "
                f"{found.winner}"
            )
        for kind in whole:
            said = ", ".join(
                f"{other} {chance_ahead(whole[kind], whole[other]):.2f}" for other in whole if other != kind
            )
            lines.append(f"{kind} is ahead, settings of both drawn at random, of {said}")
        return lines
