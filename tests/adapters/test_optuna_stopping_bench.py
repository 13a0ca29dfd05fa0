"""`foretell bench stopping`: a study goes on after the stop, and what that brought is counted."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problems import REPORTED, TUNED
from foretell_adapters.optuna import stopping_bench
from foretell_adapters.optuna.stopping_bench import Stopping
from foretell_plugins import Plugins


def test_a_small_grid_is_stopped_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = (a.ravel() for a in np.meshgrid(np.arange(6), np.arange(6)))
    problem = grid_problem({"x": x, "y": y}, -((x - 2.0) ** 2) - (y - 4.0) ** 2)
    monkeypatch.setattr(stopping_bench, "load_problem", lambda family, task: problem)
    found = Stopping().measure(Cell("tpe", *REPORTED[0], 90, 0))
    assert 20 <= found["stopped"][0] < 90
    assert found["lost"] == (0.0, "%")
    assert found["callback"][0] > 0


def test_cells_and_table() -> None:
    bench = Plugins(environment={}).benchmarks["stopping"]()
    assert isinstance(bench, Stopping)
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(set(cells)) == len(cells) == 2 * 3 * len((*TUNED, *REPORTED))
    assert len(bench.cells(("tpe",), 1, quick=True)) == 1
    rows = [
        Measurement("stopping", "tpe", *REPORTED[0], 120, seed, metric, value, "", "0")
        for seed in range(3)
        for metric, value in (("stopped", 40.0 + 10 * seed), ("lost", 0.5), ("callback", 8.0))
    ]
    assert bench.report(rows)[-1] == "| reported | fcnet | tpe | 50 | 0.5 | 8 | 3 |"
