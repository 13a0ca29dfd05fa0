"""`foretell bench fidelities`: what cheap, biased evaluations are worth to a search, and what misleading ones cost.

Cost is counted in evaluations of the last level. `foretell` is `CrossFidelitySearch`; `foretell-dear` our sampler at
the last level alone; `tpe-dear` Optuna's; `hyperband-tpe` and `halving-tpe` Optuna's TPE with its two pruners of that
name, which see the cheap levels as steps of a trial and are told their costs. No evaluation goes on from a cheaper one.
`lacking@k` is the share of all configurations that are better than the best one evaluated in full at a cost of k.
"""

from __future__ import annotations

import math
import statistics
import warnings
from typing import TYPE_CHECKING

import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.fidelity_problem import CHEAPER, TASKS, fidelity_problem
from foretell.cross_fidelity import CrossFidelitySearch, FidelityTrial
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.search_spaces.fidelity_problem import FidelityProblem

_BUDGET = 40
_PLACES = (
    ("nasbench201", "cifar10"), ("nasbench201", "cifar100"), *(("steplaw", task) for task in CHEAPER),
    *(("curves", task) for task in TASKS),
)  # fmt: skip
_SHOWN, _REACHED = (5, 10, 20, 40), (10, 20)
Spent = list[tuple[float, float]]
"""Cost so far, and the value of a full evaluation that ended there."""


class Fidelities:
    """Share of configurations that are better than the best found, at equal cost."""

    name = "fidelities"
    methods: Sequence[str] = ("foretell", "foretell-dear", "tpe-dear", "hyperband-tpe", "halving-tpe")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means the constructed problem whose levels cross."""
        places = (("curves", "crossing"),) if quick else _PLACES
        return [Cell(m, *place, _BUDGET, seed) for seed in range(seeds) for place in places for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        problem = fidelity_problem(cell.family, cell.task, cell.seed if cell.family == "curves" else 0)
        spent = run(cell.method, problem, cell.n * problem.costs[-1], cell.seed)
        found = {}
        for k in range(1, cell.n + 1):
            best = max((v for c, v in spent if c <= k * problem.costs[-1] + 1e-9), default=-math.inf)
            found[f"lacking@{k}"] = (100 * problem.share_better(best), "%")
        return found

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: means over seeds, and how many times cheaper each reaches what our dear search has."""
        shown = [*(f"lacking @{k}, %" for k in _SHOWN), *(f"cheaper @{k}" for k in _REACHED)]
        lines = [f"| problem | method | {' | '.join(shown)} | seeds |", f"|{'---|' * (len(shown) + 3)}"]
        curves: dict[tuple[str, str, str, int], dict[int, float]] = {}
        for r in rows:
            key = (str(r.family), str(r.task), r.method, r.seed)
            curves.setdefault(key, {})[int(r.metric.split("@")[1])] = r.value
        for family, task in _PLACES:
            for method in self.methods:
                mine = {s: c for (f, t, m, s), c in curves.items() if (f, t, m) == (family, task, method)}
                if mine:
                    means = [f"{statistics.fmean(c[k] for c in mine.values()):.3g}" for k in _SHOWN]
                    dear = {s: c for (f, t, m, s), c in curves.items() if (f, t, m) == (family, task, "foretell-dear")}
                    pairs = [(dear[s], c) for s, c in mine.items() if s in dear]
                    means += [times_cheaper(pairs, k) for k in _REACHED]
                    lines.append(f"| {family} {task} | {method} | {' | '.join(means)} | {len(mine)} |")
        return lines


def times_cheaper(pairs: Sequence[tuple[Mapping[int, float], Mapping[int, float]]], at: int) -> str:
    """At what cost the mean over seeds first is as low as the mean of the other at a cost, as a ratio.

    Args:
        pairs: Curves of the other and of the one in question, a pair a seed.
        at: The cost; earlier if the other is as low before.

    >>> times_cheaper([({1: 5.0, 2: 4.0, 3: 1.0, 4: 1.0}, {1: 3.0, 2: 1.0, 3: 1.0, 4: 0.0})], 4)
    '1.5'
    """
    if not pairs:
        return "-"
    costs = sorted(pairs[0][0])
    other, mine = ([statistics.fmean(pair[i][k] for pair in pairs) for k in costs] for i in (0, 1))
    level = other[costs.index(at)]
    needed = next(k for k, lacking in zip(costs, other, strict=True) if lacking <= level)
    reached = [k for k, lacking in zip(costs, mine, strict=True) if lacking <= level]
    return f"{needed / reached[0]:.2g}" if reached else f"< {needed / costs[-1]:.2g}"


def run(method: str, problem: FidelityProblem, budget: float, seed: int) -> Spent:
    """Search until the budget is spent: what every full evaluation came to, and at what cost in all."""
    if method == "foretell":
        return _ours(problem, budget, seed)
    with one_quiet_thread():
        return _optuna(method, problem, budget, seed)


def _ours(problem: FidelityProblem, budget: float, seed: int) -> Spent:
    search = CrossFidelitySearch(problem.space, problem.costs)
    trials: list[FidelityTrial] = []
    cost, found = 0.0, []
    while cost < budget:
        job = search.suggest(trials, seed)
        trials.append(FidelityTrial(job.config, job.level, problem.value(job.config, job.level)))
        cost += problem.costs[job.level]
        if job.level == len(problem.costs) - 1:
            found.append((cost, trials[-1].value))
    return found


def _optuna(method: str, problem: FidelityProblem, budget: float, seed: int) -> Spent:
    low, high = problem.costs[0], problem.costs[-1]
    factor = max(math.floor(problem.costs[1] / low), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        pruners: dict[str, optuna.pruners.BasePruner] = {
            "hyperband-tpe": optuna.pruners.HyperbandPruner(int(low), int(high), factor),
            "halving-tpe": optuna.pruners.SuccessiveHalvingPruner(int(low), factor),
        }
        sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(seed=seed)
        if method == "foretell-dear":
            sampler = ForetellSampler(seed=seed, warn_independent_sampling=False)
    pruner = pruners.get(method, optuna.pruners.NopPruner())
    study = optuna.create_study(study_name="fidelities", direction="maximize", sampler=sampler, pruner=pruner)
    levels = range(len(problem.costs)) if method in pruners else [len(problem.costs) - 1]
    cost, found = 0.0, []
    while cost < budget:
        trial = study.ask()
        config = suggest(trial, problem.space)
        for level in levels:
            value = problem.value(config, level)
            cost += problem.costs[level]
            trial.report(value, int(problem.costs[level]))
            if level == len(problem.costs) - 1:
                study.tell(trial, value)
                found.append((cost, value))
            elif trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
    return found
