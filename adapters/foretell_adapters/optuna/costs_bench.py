"""`foretell bench costs`: quality at equal total cost, ours told what trials cost and not, beside Optuna's samplers.

Problems are those of `foretell.benchmarks.costed_problems`. A budget is counted in the mean cost of the table's
configurations; a trial that ends beyond it does not count. A study goes on until 40 such units are spent, or 150 trials
made, of a sampler that takes a second a suggestion until 20 are. `foretell` reads the cost from a user attribute of its
trials, on Step Law from a function that knows it beforehand; `foretell-plain` is told nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna

from foretell.benchmarks.costed_problems import REPORTED, TUNED, load_costed
from foretell.benchmarks.two_halves import TwoHalves
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.peers import make_sampler
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.costed_problems import CostedProblem
    from foretell.benchmarks.runner import Cell, Measurement

_BUDGET, _BUDGET_OF_SLOW = 40, 20
_CHECKPOINTS = (5, 10, 20, 40)
_MOST_TRIALS = 150
_COST = "cost"
_HALVES = TwoHalves(
    REPORTED, TUNED, "share", "Share of the table that is better in percent", _CHECKPOINTS, "budget",
    larger_is_better=False,
)  # fmt: skip


class CostsBench:
    """Share of the table that is better than the best trial within a budget, in percent; smaller is better."""

    name = "costs"
    methods: Sequence[str] = ("foretell", "foretell-plain", "tpe", "gp", "random")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one problem, and no slow sampler, which leaves the tuned half out."""
        return _HALVES.cells(methods, seeds, quick=quick, length=_BUDGET, length_of_slow=_BUDGET_OF_SLOW)

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.task is not None
        assert cell.n is not None
        costed = load_costed(cell.family, cell.task)
        with one_quiet_thread():
            values, costs = run_study(_sampler(cell, costed), costed, cell.n)
        budgets = [budget for budget in _CHECKPOINTS if budget <= cell.n]
        found = costed.shares(values, costs, budgets)
        shares = {f"share@{budget}": (share, "%") for budget, (_, share) in zip(budgets, found, strict=True)}
        return {"trials": (float(found[-1][0]), ""), **shares}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: shares and how often ours is ahead, a table a half."""
        return _HALVES.report(rows)


def run_study(
    sampler: optuna.samplers.BaseSampler, costed: CostedProblem, budget: int
) -> tuple[list[float], list[float]]:
    """Values, larger is better, and costs of all trials until a budget is spent."""
    study = optuna.create_study(sampler=sampler, direction="maximize")
    values: list[float] = []
    costs: list[float] = []
    while sum(costs) <= budget * costed.mean and len(values) < _MOST_TRIALS:
        trial = study.ask()
        config = suggest(trial, costed.problem.space)
        values.append(costed.problem.value(config))
        costs.append(costed.cost(config))
        trial.set_user_attr(_COST, costs[-1])
        study.tell(trial, values[-1])
    return values, costs


def _sampler(cell: Cell, costed: CostedProblem) -> optuna.samplers.BaseSampler:
    if cell.method == "foretell":
        cost = costed.cost if costed.exact else _COST
        return ForetellSampler(seed=cell.seed, cost=cost, warn_independent_sampling=False)
    return make_sampler(cell.method.removesuffix("-plain"), cell.seed, costed.problem.space)
