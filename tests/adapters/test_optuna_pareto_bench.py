"""`foretell bench pareto`: studies of several objectives, their volumes, the table."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks.pareto_problems import REPORTED, TUNED, load_pareto
from foretell.benchmarks.runner import Cell, Measurement
from foretell_adapters.optuna import pareto_bench
from foretell_adapters.optuna.pareto_bench import Pareto, run_study
from foretell_adapters.optuna.peers import make_sampler


def test_slow_samplers_run_less_and_on_the_reported_half() -> None:
    bench = Pareto()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(set(cells)) == len(cells)
    assert {(c.family, c.task) for c in cells if c.method == "gp"} == set(REPORTED)
    assert {(c.family, c.task) for c in cells if c.method == "tpe"} == {*REPORTED, *TUNED}
    assert {c.n for c in cells if c.method == "gp"} == {60}
    assert {c.method for c in bench.cells(bench.methods, 1, quick=True)} == {*bench.methods} - {"gp"}


@pytest.mark.parametrize("method", ["foretell", "nsgaii"])
def test_a_study_has_all_objectives_of_every_trial(method: str) -> None:
    problem = load_pareto("zdt", "1")
    values, times = run_study(make_sampler(method, 0), problem, 12)
    assert values.shape == (12, 2)
    assert len(times) == 12
    assert (values == run_study(make_sampler(method, 0), problem, 12)[0]).all()


def test_volumes_are_those_of_the_first_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = load_pareto("dtlz2", "2")
    rows = np.vstack([np.full((20, 2), -2.0), np.full((40, 2), -0.8)])
    monkeypatch.setattr(pareto_bench, "run_study", lambda sampler, problem, n: (rows, [0.001] * 60))
    found = Pareto().measure(Cell("random", "dtlz2", "2", 60, 0))
    assert found["volume@20"] == (0.0, "%")
    assert found["volume@60"][0] == pytest.approx(100 * 0.3**2 / problem.most)
    assert "volume@100" not in found


def test_the_table_has_volumes_and_rates() -> None:
    rows = [
        Measurement("pareto", method, "zdt", "2", 100, seed, "volume@60", value, "%", "0")
        for method, value in (("foretell", 80.0), ("tpe", 60.0))
        for seed in range(2)
    ]
    text = "\n".join(Pareto().report(rows))
    assert "| zdt 2 | 60 | 80.0 | 60.0 | 2/2 |" in text
    assert "| tpe |  | 1.00 [1.00, 1.00] (2) |  |" in text
