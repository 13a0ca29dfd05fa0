"""`foretell bench intervals`: what is counted, and the table."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks import study_intervals
from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problems import REPORTED, TUNED
from foretell.benchmarks.study_intervals import StudyIntervals, stated_intervals

X, Y = (a.ravel() for a in np.meshgrid(np.arange(20), np.arange(20)))
PROBLEM = grid_problem({"x": X, "y": Y}, -((X - 14.0) ** 2) - (Y - 3.0) ** 2)


def test_every_trial_of_the_surrogate_has_an_interval_stated_before_it() -> None:
    found = stated_intervals(PROBLEM, 14, 0)
    assert [row[0] for row in found["tracked"]] == list(range(6, 14))
    assert all(low < high for _, low, high, _ in found["plain"])
    assert {row[3] for row in found["plain"]} <= set(PROBLEM.values)
    wider = [t[2] - t[1] > p[2] - p[1] for t, p in zip(found["tracked"], found["plain"], strict=True)]
    assert wider[0]  # the record begins on the wide side
    assert stated_intervals(PROBLEM, 14, 0) == found


def test_shares_are_those_of_the_stated_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_intervals, "load_problem", lambda family, task: PROBLEM)
    rows = [(6, 0.0, 1.0, 0.5), (7, 0.0, 1.0, 2.0), (25, 0.0, 1.0, 1.0), (59, 0.0, 3.0, -1.0)]
    monkeypatch.setattr(study_intervals, "stated_intervals", lambda *args: {"tracked": rows, "plain": rows[:2]})
    found = StudyIntervals().measure(Cell("foretell", "fcnet", "x", 60, 0))
    assert found["tracked@6-19"][0] == 50.0
    assert found["tracked@20-39"][0] == 100.0
    assert found["tracked@6-59"][0] == 50.0
    assert "plain@20-39" not in found
    unit = PROBLEM.values[-1] - np.median(PROBLEM.values)
    assert found["tracked width@40-59"][0] == pytest.approx(3.0 / unit)


def test_cells_and_table_name_both_halves() -> None:
    bench = StudyIntervals()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert {(c.family, c.task) for c in cells} == {*REPORTED, *TUNED}
    rows = [
        Measurement("intervals", "foretell", *place, 60, s, "tracked@6-59", 90.0 + s, "%", "0")
        for place in (REPORTED[0], TUNED[0])
        for s in range(2)
    ]
    text = "\n".join(bench.report(rows))
    assert "the reported half" in text
    assert "| fcnet protein_structure |  |  |  | 90.5 |  |  |  |  | 2 |" in text
    assert "| all |  |  |  | 90.5 |  |  |  |  | 2 |" in text
