"""`foretell bench pruning`: the runs, the studies, the table."""

from __future__ import annotations

import json
import lzma
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import optuna
import pytest

from foretell.benchmarks import digits, pruning_runs, taskset, trained_curves
from foretell.benchmarks.digits import train, train_curve
from foretell.benchmarks.runner import Cell, Measurement
from foretell.errors import InvalidDataError
from foretell_adapters.optuna import pruning_bench
from foretell_adapters.optuna.pruning_bench import Pruning, pruner_of, run_study
from foretell_plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one small task of TaskSet's form; one run of nine diverges."""
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    losses = [[1.0 - a * (1 - 0.8**t) for t in range(21)] for a in rng.uniform(0, 1, 80)]
    runs = [{"hp": {"learning_rate": 0.1}, "valid": {"loss": loss}} for loss in losses]
    for run in runs[::9]:
        run["valid"]["loss"][4:] = [None] * 17  # type: ignore[index]
    (tmp_path / "taskset").mkdir()
    name = f"taskset/FixedTextRNNClassification_imdb_{taskset.TASKS[1]}.json.xz"
    (tmp_path / name).write_bytes(lzma.compress(json.dumps(runs).encode()))
    pruning_runs.pruning_runs.cache_clear()
    pruning_runs._taskset.cache_clear()
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_curves_of_taskset_are_read_and_drawn() -> None:
    curves = taskset.taskset_curves(taskset.TASKS[1])
    assert curves.shape == (80, 21)
    assert np.isnan(curves[9, 4:]).all()
    assert (curves[1] <= 0).all()
    drawn = pruning_runs.pruning_runs("taskset", taskset.TASKS[1], 12, 3)
    assert drawn.shape == (12, 20)  # the point before training is left out
    again = pruning_runs.pruning_runs("taskset", taskset.TASKS[1], 12, 3)
    assert np.array_equal(drawn, again, equal_nan=True)
    assert all(any(np.array_equal(row, c[1:], equal_nan=True) for c in curves) for row in drawn)


def test_the_halves_are_apart() -> None:
    assert not set(pruning_runs.TUNED) & set(pruning_runs.REPORTED)
    assert {task for _, task in (*pruning_runs.TUNED, *pruning_runs.REPORTED)} == {*taskset.TASKS, "cnn", "mlp"}


def test_a_curve_of_digits_ends_where_training_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_CURVES", str(tmp_path))
    config = {**digits.SPACE.sample(np.random.default_rng(1)), "family": "mlp", "width": 8, "batch_size": 256}
    whole = train_curve(config, 3, digits.EPOCHS)
    assert len(whole) == digits.EPOCHS
    assert whole[-1] == train(config, 3)
    monkeypatch.setattr(pruning_runs, "EPOCHS", 2)
    curves = pruning_runs.pruning_runs("digits", "cnn", 2, 0)
    assert curves.shape == (2, 2)
    assert (curves < 0).all()
    pruning_runs.pruning_runs.cache_clear()
    kept = sorted(tmp_path.iterdir())
    kept[0].unlink()  # as if it had been interrupted
    trained: list[int] = []

    def counted(config: Mapping[str, Value], seed: int, epochs: int) -> list[digits.Score]:
        trained.append(seed)
        return train_curve(config, seed, epochs)

    monkeypatch.setattr(trained_curves, "train_curve", counted)
    assert np.array_equal(pruning_runs.pruning_runs("digits", "cnn", 2, 0), curves)
    assert len(trained) == 1
    assert sorted(tmp_path.iterdir()) == kept
    for damaged in ('{"log_loss": [1.0, 2.0]}', "[]", "{"):
        kept[0].write_text(damaged, encoding="utf-8")
        pruning_runs.pruning_runs.cache_clear()
        with pytest.raises(InvalidDataError, match="a kept curve must be"):
            pruning_runs.pruning_runs("digits", "cnn", 2, 0)
    pruning_runs.pruning_runs.cache_clear()


@pytest.mark.usefixtures("folder")
def test_every_pruner_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Pruning()
    found = {m: bench.measure(Cell(m, "taskset", taskset.TASKS[1], 40, 0)) for m in bench.methods}
    assert found["none"]["epochs"] == (100.0, "%")
    assert found["none"]["same"] == (100.0, "%")
    assert found["none"]["lost"] == (0.0, "%")
    for method, row in found.items():
        assert 0 < row["epochs"][0] <= 100, method
        assert row["lost"][0] >= 0
        assert (row["lost"][0] == 0) == (row["same"][0] == 100)
    assert found["foretell"]["epochs"][0] < 60
    assert found["foretell"]["lost"][0] < 2


def test_a_study_without_pruner_runs_everything_and_fails_what_diverges() -> None:
    curves = [[1.0, 2.0, 3.0], [1.0, math.nan, math.nan], [1.0, 2.0, 2.5]]
    spent, best, times = run_study(optuna.pruners.NopPruner(), curves)
    assert (spent, best, len(times)) == (3 + 2 + 3, 3.0, 7)


def test_cells_and_table() -> None:
    bench = Pruning()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(cells) == (8 + 2) * 2 * 6  # 60 networks as well as 30
    assert bench.cells(("median",), 1, quick=True) == [Cell("median", "taskset", taskset.TASKS[1], 60, 0)]
    rows = [
        Measurement("pruning", "median", "digits", "cnn", 30, seed, metric, value, "%", "0")
        for seed in (0, 1)
        for metric, value in (("epochs", 30.0 + seed), ("same", 100.0 * seed), ("lost", 1.0), ("decide", 2.0))
    ]
    assert bench.report(rows)[-1] == "| digits cnn | 30 | median | 30.5 | 50 | 1 | 2 | 2 |"


@pytest.mark.parametrize("method", Pruning.methods)
def test_pruners_are_optunas(method: str) -> None:
    assert isinstance(pruner_of(method, 27), optuna.pruners.BasePruner)
    assert Plugins(environment={}).benchmarks["pruning"]().name == pruning_bench.Pruning.name
