"""`foretell bench costs`: studies end with their budget, shares are those of what was paid for."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks.costed_problems import REPORTED, TUNED, CostedProblem
from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.distributions import IntDistribution
from foretell.search_space import SearchSpace
from foretell_adapters.optuna import costs_bench
from foretell_adapters.optuna.costs_bench import CostsBench, run_study
from foretell_adapters.optuna.peers import make_sampler

SPACE = SearchSpace({"k": IntDistribution(1, 9)})


def problem(exact: bool) -> CostedProblem:
    """The larger the better and the dearer; mean cost 5."""
    table = SearchProblem(SPACE, lambda config: float(config["k"]), np.arange(1.0, 10.0))  # type: ignore[arg-type]
    return CostedProblem(table, lambda config: float(config["k"]), 5.0, exact)  # type: ignore[arg-type]


def test_slow_samplers_run_less_and_on_the_reported_half() -> None:
    bench = CostsBench()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(set(cells)) == len(cells)
    assert not {*REPORTED} & {*TUNED}
    assert {(c.family, c.task) for c in cells if c.method == "gp"} == {*REPORTED}
    assert {c.n for c in cells if c.method == "gp"} == {20}
    assert {c.method for c in bench.cells(bench.methods, 1, quick=True)} == {*bench.methods} - {"gp"}


def test_a_study_goes_on_until_its_budget_is_spent() -> None:
    values, costs = run_study(make_sampler("random", 0), problem(exact=False), 4)
    assert values == costs
    assert sum(costs) > 20 >= sum(costs[:-1])


def test_what_ends_beyond_a_budget_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = [10.0, 15.0, 1.0, 24.0, 100.0, 50.0]  # 2, 5, 5.2, 10, 30, 40 units
    monkeypatch.setattr(costs_bench, "load_costed", lambda family, task: problem(exact=False))
    monkeypatch.setattr(costs_bench, "run_study", lambda *args: ([1.0, 3.0, 5.0, 7.0, 8.0, 9.0], costs))
    found = CostsBench().measure(Cell("random", "fcnet", "x", 40, 0))
    expected = [100 * better / 9 for better in (6, 2, 2, 0)]
    assert [found[f"share@{k}"][0] for k in (5, 10, 20, 40)] == pytest.approx(expected)
    assert found["trials"][0] == 6


@pytest.mark.parametrize("exact", [True, False])
def test_ours_is_told_the_cost(exact: bool) -> None:
    costed = problem(exact)
    sampler = costs_bench._sampler(Cell("foretell", "fcnet", "x", 40, 0), costed)
    run_study(sampler, costed, 3)
    assert sampler._cost is not None  # type: ignore[attr-defined]
    assert callable(sampler._cost.source) == exact  # type: ignore[attr-defined]
    assert costs_bench._sampler(Cell("foretell-plain", "fcnet", "x", 40, 0), costed)._cost is None  # type: ignore[attr-defined]


def test_the_table_has_shares_and_rates() -> None:
    rows = [
        Measurement("costs", method, "fcnet", "naval_propulsion", 40, seed, "share@20", value, "%", "0")
        for method, value in (("foretell", 0.25), ("tpe", 1.5))
        for seed in range(2)
    ]
    text = "\n".join(CostsBench().report(rows))
    assert "| fcnet naval_propulsion | 20 | 0.25 | 1.5 | 2/2 |" in text
    assert "| tpe |  |  | 1.00 [1.00, 1.00] (2) |  |" in text
