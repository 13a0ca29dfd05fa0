"""`foretell bench search`: Optuna's samplers and ours on the same problems, one process, one thread.

Problems are those of `foretell.benchmarks.search_spaces.problems`, none of them noisy. A study has 60 trials, 150 where
a configuration makes a network (there it is counted how soon one within half a point of the best is found), and 60 of
a sampler that takes a second a suggestion, which runs on the reported half only. Every sampler has its default
settings; start-up trials are its own. Those of OptunaHub are read from a checkout of its registry (see
`foretell_adapters.optuna.peers`); some of them cannot do without parameters, and leave conditional spaces out. The time
of a suggestion is the processor time of all that the study does for a trial, the objective left out, in a storage in
memory. `foretell+graph` sees the network that a configuration makes, and runs where there is one;
`foretell+pretrained` also has the weights of that name, where none of those that judge a whole network has seen the
family.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_report import search_figure, search_tables
from foretell.benchmarks.search_scores import search_scores
from foretell.benchmarks.search_spaces.problems import CONSTRUCTED, NETWORKS, REPORTED, TUNED, load_problem
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import HUB, sampler_of, why_not

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.problem import SearchProblem

_TRIALS, _TRIALS_OF_NETWORKS, _TRIALS_OF_SLOW = 60, 150, 60
_SLOW = frozenset({"gp", *HUB})
_START = 10  # suggestions before are start-up, and left out of the time
_SEEN = {"foretell+graph": NETWORKS, "foretell+pretrained": NETWORKS - {"nasbench101"}}  # which the weights learnt on
_QUICK = (("hpobench-mlp", "australian"), ("nasbench201", "cifar10"))


class Search:
    """Shares, win rates, trials and milliseconds."""

    name = "search"
    methods: Sequence[str] = (
        "foretell", "foretell+graph", "foretell+pretrained", "tpe", "tpe-group", "gp", "cmaes", "random", *HUB,
    )  # fmt: skip

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means two problems, and no slow sampler."""
        found = []
        for place in _QUICK if quick else (*REPORTED, *TUNED):
            for method in methods:
                slow = method in _SLOW
                pointless = place[0] not in _SEEN.get(method, {place[0]})
                lacking = method in HUB and HUB[method].every_parameter and place[0] in CONSTRUCTED
                if pointless or lacking or (slow and (quick or place not in REPORTED)) or why_not(method):
                    continue
                trials = _TRIALS_OF_SLOW if slow else _TRIALS_OF_NETWORKS if place[0] in NETWORKS else _TRIALS
                found += [Cell(method, *place, trials, seed) for seed in range(seeds)]
        return found

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = load_problem(cell.family, cell.task)
        with one_quiet_thread():
            values, times = run_study(sampler_of(cell.method, cell.seed, problem, cell.n), problem, cell.n)
        return {"suggest": (1e3 * statistics.median(times[_START:]), "ms"), **search_scores(values, problem)}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`; ends with the samplers that could not run, and why."""
        reasons = [f"Not run: {method}, {reason}" for method in self.methods if (reason := why_not(method))]
        return [*search_tables(rows, "foretell"), *(["", *reasons] if reasons else [])]

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        """See `Drawing`."""
        return search_figure(rows)


def run_study(
    sampler: optuna.samplers.BaseSampler, problem: SearchProblem, n_trials: int
) -> tuple[list[float], list[float]]:
    """Values of all trials, larger is better, and the seconds that the study itself took for each."""
    study = optuna.create_study(sampler=sampler, direction="maximize")
    values, times = [], []
    for _ in range(n_trials):
        start = time.process_time()
        trial = study.ask()
        config = suggest(trial, problem.space)
        asked = time.process_time()
        value = problem.value(config)
        known = time.process_time()
        study.tell(trial, value)
        values.append(value)
        times.append(asked - start + time.process_time() - known)
    return values, times
