"""`foretell bench soak` and `foretell bench workers`: what they count, on small studies."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from foretell.benchmarks.runner import Measurement
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problems import REPORTED
from foretell_adapters.optuna import soak, workers_bench
from foretell_adapters.optuna.soak import Soak
from foretell_adapters.optuna.workers_bench import Workers, run_workers
from foretell_plugins import Plugins

optuna.logging.set_verbosity(optuna.logging.ERROR)


def rows_of(bench: str, *entries: tuple[str, int, str, float]) -> list[Measurement]:
    return [
        Measurement(bench, method, *REPORTED[0], n, 0, metric, value, "", "0") for method, n, metric, value in entries
    ]


def test_a_study_is_looked_at_now_and_then() -> None:
    found = dict(soak._checkpoints("foretell", 23, 0, 10))
    assert list(found) == [10, 20, 23]
    assert all(0 < row["median"][0] < 10_000 and row["memory"][0] > 10 for row in found.values())


def test_cells_and_table_of_soak() -> None:
    bench = Plugins(environment={}).benchmarks["soak"]()
    assert isinstance(bench, Soak)
    assert {c.method: c.n for c in bench.cells(bench.methods, 1, quick=False)} == {
        "foretell": 5000, "tpe": 5000, "gp": 300, "random": 5000,
    }  # fmt: skip
    assert len(bench.cells(bench.methods, 2, quick=True)) == 6
    rows = rows_of(
        "soak",
        *(("tpe", 5000, f"{k}@{at}", v) for at, ms, mb in ((250, 5.0, 200.0), (500, 6.0, 210.0), (1500, 9.0, 214.0))
          for k, v in (("median", ms), ("mean", ms), ("memory", mb))),
    )  # fmt: skip
    assert bench.report(rows)[-1] == "| tpe | 1500 | 6.0 (at 500) | 9.0 | 3.0 | 214 | 4.0 |"
    pytest.importorskip("matplotlib")
    assert len(bench.figure(rows).axes) == 2


def test_eight_workers_see_what_runs_and_repeat_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = (a.ravel() for a in np.meshgrid(np.arange(12), np.arange(12)))
    problem = grid_problem({"x": x, "y": y}, -((x - 2.0) ** 2) - (y - 4.0) ** 2)
    order: list[int] = []
    study = optuna.create_study(sampler=workers_bench.sampler_of("foretell", 0, problem), direction="maximize")
    tell = study.tell
    monkeypatch.setattr(study, "tell", lambda trial, value: (order.append(trial.number), tell(trial, value)))
    values = run_workers(study, problem, 8, 40, seed=0)
    assert sorted(order) == list(range(40))
    assert order != sorted(order)
    assert len({(t.params["x"], t.params["y"]) for t in study.trials}) == 40
    assert max(values) == 0.0


def test_cells_and_table_of_workers() -> None:
    bench = Plugins(environment={}).benchmarks["workers"]()
    assert isinstance(bench, Workers)
    assert {c.n for c in bench.cells(("tpe",), 1, quick=True)} == {1, 8}
    rows = rows_of(
        "workers",
        *(("tpe", n, f"regret@{k}", 2.0 * n) for n in (1, 8) for k in workers_bench.CHECKPOINTS),
        ("tpe", 8, "copies", 1.5),
    )
    cells = "2.00, 16.00 (8.00)"
    assert bench.report(rows)[-1] == f"| reported | **all** | tpe | {cells} | {cells} | {cells} | 1.5 % | 1 |"
