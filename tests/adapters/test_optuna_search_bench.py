"""`foretell bench search` on a small grid: studies, what they are worth, tables and plot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foretell.benchmarks import runner
from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_report import search_tables
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.search_spaces.problems import CONSTRUCTED, NETWORKS, REPORTED, TUNED
from foretell_adapters.optuna import search_bench
from foretell_adapters.optuna.peers import sampler_of
from foretell_adapters.optuna.search_bench import Search, run_study
from foretell_plugins import Plugins


def bowl() -> SearchProblem:
    x, y = (a.ravel() for a in np.meshgrid(np.arange(20), np.arange(20)))
    kind = ["a" if i % 2 else "b" for i in range(400)]
    values = -((x - 14.0) ** 2) - (y - 3.0) ** 2 - 40.0 * (np.array(kind) == "a")
    return replace(grid_problem({"x": x, "y": y, "kind": kind}, values), near=2.5)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = bowl()
    monkeypatch.setattr(search_bench, "load_problem", lambda family, task: problem)


def test_cells_cover_both_halves_and_leave_out_what_says_nothing() -> None:
    bench = Search()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(set(cells)) == len(cells)
    assert {(c.family, c.task) for c in cells if c.method == "tpe"} == {*TUNED, *REPORTED}
    assert {(c.family, c.task) for c in cells if c.method == "gp"} == set(REPORTED)
    assert {c.family for c in cells if c.method == "foretell+graph"} == NETWORKS
    assert {c.family for c in cells if c.method == "foretell+pretrained"} == {"nasbench201"}
    assert {c.n for c in cells if c.method == "tpe"} == {60, 150}
    assert {c.seed for c in cells} == {0, 1}
    assert {c.method for c in bench.cells(bench.methods, 1, quick=True)} >= {"foretell", "tpe", "random"}


def test_what_cannot_run_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_bench, "why_not", lambda m: "which is not there" if m == "cmaes" else None)
    assert Search().cells(("cmaes",), 1, quick=False) == []
    assert Search().report([])[-1] == "Not run: cmaes, which is not there"
    assert {c.family for c in Search().cells(("smac",), 1, quick=False)}.isdisjoint(CONSTRUCTED)
    assert {c.family for c in Search().cells(("auto",), 1, quick=False)} > CONSTRUCTED


@pytest.mark.parametrize("method", ["foretell", "tpe", "tpe-group", "random"])
def test_a_study_has_a_value_and_a_time_a_trial(method: str) -> None:
    problem = bowl()
    values, times = run_study(sampler_of(method, 0, problem), problem, 14)
    assert len(values) == len(times) == 14
    assert set(values) <= set(problem.values)
    assert all(0 < t < 5 for t in times)
    assert values == run_study(sampler_of(method, 0, problem), problem, 14)[0]


@pytest.mark.usefixtures("small")
def test_measures_agree_with_the_study() -> None:
    cell = Cell("random", "fcnet", "naval_propulsion", 25, 4)
    found = Search().measure(cell)
    problem = bowl()
    best = np.maximum.accumulate(run_study(sampler_of("random", 4, problem), problem, 25)[0])
    assert found["best@20"][0] == best[19]
    assert found["share@20"][0] == pytest.approx(100 * np.mean(problem.values > best[19]))
    assert "best@40" not in found
    near = np.flatnonzero(best >= -2.5)
    assert found["trials_to_near"][0] == (near[0] + 1 if len(near) else 0)


@pytest.mark.usefixtures("small")
def test_tables_and_plot_of_a_run_that_resumes(tmp_path: Path) -> None:
    bench, out = Search(), tmp_path / "search.jsonl"
    cells = [Cell(m, f, t, 12, s) for f, t in (REPORTED[0], REPORTED[4], TUNED[0]) for m in ("foretell", "random")
             for s in range(2)]  # fmt: skip
    assert list(runner.run(bench, cells[:3], out)) == cells[:3]
    before = out.read_text(encoding="utf-8")
    assert list(runner.run(bench, cells, out)) == cells
    assert out.read_text(encoding="utf-8").startswith(before)
    rows = runner.read(out)
    text = "\n".join(bench.report(rows))
    assert "### The reported half: fcnet naval_propulsion" in text
    assert "### The tuned half" in text
    assert "(4) |" in text  # studies that a win rate rests on
    assert len(bench.figure(rows).axes) == 2


def test_win_rates_of_the_report() -> None:
    rows = [
        Measurement("search", method, family, task, 60, seed, "best@20", value, "target", "0")
        for (family, task), seed, pair in zip(REPORTED[:4], (0, 1, 2, 3), ((1, 0), (1, 0), (0, 0), (0, 1)), strict=True)
        for method, value in zip(("foretell", "tpe"), map(float, pair), strict=True)
    ]
    line = next(line for line in search_tables(rows, "foretell") if line.startswith("| tpe | all"))
    assert line.split(" | ")[3].startswith("0.62 [")


def test_it_is_registered() -> None:
    assert Plugins(environment={}).benchmarks["search"]().name == "search"
