"""`foretell bench grammar`: searches over spaces that a grammar writes, every network really trained.

Digits: `einspace_images` of depth 4, 8 channels, 2e22 derivations. Text: `einspace_tokens` of depth 4, width 16, 4e45
derivations. A run is `n` trainings (see `foretell.benchmarks.small_tasks`), the same start for all (a network drawn
by a seed is that of every method); its targets are held-out cross-entropies in nats, smaller is better. Networks that
are equal as graphs are trained once and share their result. `best@k` is the least after k trials.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.spaces import Space
    from foretell.spaces.searchers import Searcher

_TRIALS, _STEPS = 100, (25, 50, 75, 100)
_TASKS = ("digits", "direction")


@dataclass
class Grammars:
    """Least loss after so many trials; smaller is better."""

    name: str = "grammar"
    methods: Sequence[str] = ("foretell", "evolution", "random", "mcts", "local")
    _known: dict[tuple[str, str], float] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means 30 trials on digits."""
        tasks, n = (_TASKS[:1], 30) if quick else (_TASKS, _TRIALS)
        return [Cell(m, "einspace", task, n, seed) for task in tasks for seed in range(seeds) for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        import torch

        assert cell.task is not None
        assert cell.n is not None
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            losses, seconds = self._run(cell.method, cell.task, cell.n, cell.seed)
        finally:
            torch.set_num_threads(threads)
        best = np.minimum.accumulate(losses)
        found = {f"best@{k}": (float(best[min(k, cell.n) - 1]), "nats") for k in _STEPS if k <= max(cell.n, _STEPS[0])}
        return found | {"suggest": (1e3 * float(np.median(seconds)), "ms")}

    def _run(self, method: str, task: str, n: int, seed: int) -> tuple[list[float], list[float]]:
        from foretell.spaces.trace import Trace

        space = space_of(task)
        searcher = searcher_of(method, space)
        observed: dict[Trace, float] = {}
        seconds = []
        for _ in range(n):
            start = time.process_time()
            trace = searcher.suggest(observed, seed)
            seconds.append(time.process_time() - start)
            observed[trace] = -self._loss(task, space, trace)
        return [-value for value in observed.values()], seconds

    def _loss(self, task: str, space: Space, trace: object) -> float:
        from foretell.benchmarks.small_tasks import TASKS, trained
        from foretell.spaces.trace import Trace

        assert isinstance(trace, Trace)
        key = task, space.graph(trace.config).digest
        if key not in self._known:
            self._known[key] = trained(space, trace.config, TASKS[task]())[0]
        return self._known[key]

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: mean over seeds of the best, and in how many seeds ours is ahead."""
        lines = [f"{'task':10} {'method':10} {'seeds':>5} {'best@50':>8} {'best@100':>8} {'ours ahead':>11}"]
        last = {(r.task, r.method, r.seed): r.value for r in rows if r.metric == "best@100"}
        for task in _TASKS:
            for method in self.methods:
                seeds = [s for t, m, s in last if (t, m) == (task, method)]
                pairs = [
                    (last[task, "foretell", s], last[task, method, s]) for s in seeds if (task, "foretell", s) in last
                ]
                ahead = sum((a < b) + 0.5 * (a == b) for a, b in pairs)
                early = [r.value for r in rows if (r.task, r.method, r.metric) == (task, method, "best@50")]
                if seeds:
                    mean = np.mean([last[task, method, s] for s in seeds])
                    lines.append(
                        f"{task:10} {method:10} {len(seeds):5} {np.mean(early):8.3f} {mean:8.3f} "
                        f"{'' if method == 'foretell' else f'{ahead:g} of {len(pairs)}':>11}"
                    )
        return lines


def space_of(task: str) -> Space:
    """The space of a task."""
    from foretell.benchmarks.small_tasks import LETTERS, TOKENS
    from foretell.spaces.ready import einspace_images, einspace_tokens

    if task == "digits":
        return einspace_images((1, 8, 8), width=8, depth=4)
    return einspace_tokens(TOKENS, len(LETTERS), width=16, depth=4)


def searcher_of(method: str, space: Space) -> Searcher:
    """A searcher with its default settings."""
    from foretell.spaces import searchers

    kinds = {
        "foretell": searchers.ModelSearch, "evolution": searchers.Evolution, "random": searchers.RandomSearch,
        "mcts": searchers.TreeSearch, "local": searchers.LocalSearch,
    }  # fmt: skip
    made: Searcher = kinds[method](space)
    return made
