"""`TaskDefaults`: from studies to first trials of a new one, by way of a file; and `foretell defaults`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import optuna
import pytest
from click.testing import CliRunner

from foretell import FloatDistribution, SearchSpace
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.distributions import Value
from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler, TaskDefaults, defaults_bench
from foretell_adapters.optuna.defaults_bench import DefaultsBench
from foretell_adapters.optuna.defaults_command import defaults as command

optuna.logging.set_verbosity(optuna.logging.WARNING)
ROWS = (100, 200, 300, 40_000, 50_000, 60_000)


def _best(rows: float) -> float:
    return 0.1 if rows > 1000 else 0.8


def _study(rows: int, storage: str | None = None) -> optuna.Study:
    up = rows == 300
    study = optuna.create_study(
        study_name=f"{rows}", direction="maximize" if up else "minimize", storage=storage
    )  # fmt: skip
    study.set_user_attr("foretell:task", {"rows": rows})
    for x in np.random.default_rng(rows).random(6 if storage else 14).tolist():
        study.add_trial(
            optuna.trial.create_trial(
                params={"x": x},
                distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
                value=(-1 if up else 1) * (x - _best(rows)) ** 2,
            )
        )
    return study


@pytest.fixture(scope="module")
def learnt() -> TaskDefaults:
    return TaskDefaults.from_studies([_study(rows) for rows in ROWS])


def test_studies_fall_in_clusters_whatever_their_direction(learnt: TaskDefaults) -> None:
    assert [set(c.names) for c in learnt.clusters.clusters] == [{"100", "200", "300"}, {"40000", "50000", "60000"}]


def test_a_new_study_begins_with_the_defaults_of_its_cluster(learnt: TaskDefaults, tmp_path: Path) -> None:
    learnt.save(tmp_path / "defaults.json")
    study = optuna.create_study(sampler=ForetellSampler(seed=0))
    study.set_user_attr("foretell:task", {"rows": 45_000})
    found = TaskDefaults.load(tmp_path / "defaults.json").enqueue(study, n=2)
    TaskDefaults.load(tmp_path / "defaults.json").enqueue(study, n=2)  # another worker
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.1) ** 2, n_trials=3)
    assert [t.params for t in study.trials[:2]] == [dict(c) for c in found.configurations[:2]]
    assert [t.user_attrs.get("foretell:cluster") for t in study.trials] == [1, 1, None]
    assert study.trials[0].params["x"] == pytest.approx(0.1, abs=0.1)


def test_a_space_that_is_known_has_its_own_values(learnt: TaskDefaults) -> None:
    study = optuna.create_study()
    study.set_user_attr("foretell:task", {"rows": 150})
    learnt.enqueue(study, search_space={"x": optuna.distributions.FloatDistribution(0.0, 0.5)})
    assert study.ask().suggest_float("x", 0.0, 0.5) == 0.5
    with pytest.raises(InvalidDataError, match="say nothing of"):
        learnt.enqueue(study, search_space={"lr": optuna.distributions.FloatDistribution(0.0, 0.5)})


def test_a_task_far_from_all_is_told_of(
    learnt: TaskDefaults, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("optuna"), "propagate", True)
    study = optuna.create_study(study_name="far")
    study.set_user_attr("foretell:task", {"pixels": 32})
    assert learnt.enqueue(study).cluster is None
    assert "'far', {'pixels': 32}, is near none of 2 clusters" in caplog.text
    assert study.ask().user_attrs["foretell:cluster"] == -1


def test_studies_of_one_name_are_kept_apart() -> None:
    assert TaskDefaults.from_studies([_study(100), _study(100)]).clusters.names == ("100", "100'")


def test_the_command_writes_the_file_and_says_what_is_in_it(tmp_path: Path) -> None:
    storage, out = f"sqlite:///{tmp_path / 'old.sqlite3'}", tmp_path / "out.json"
    _study(100, storage)
    told = CliRunner().invoke(command, [storage, "--out", str(out)])
    assert told.exit_code == 0
    assert "1 study in 1 cluster;" in told.output
    assert TaskDefaults.load(out).for_task({"rows": 100}).cluster == 0
    found = json.loads(CliRunner().invoke(command, [storage, "--out", str(out), "--json"]).output)
    assert [c["studies"] for c in found["clusters"]] == [["100"]]


def test_every_method_of_the_bench_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})

    def problem(_: str, task: str) -> SearchProblem:
        def value(config: Mapping[str, Value]) -> float:
            return -((float(config["x"] or 0) - _best(int(task))) ** 2)

        return SearchProblem(space, value, np.sort([value({"x": x}) for x in np.linspace(0, 1, 101)]))

    monkeypatch.setattr(defaults_bench, "described_problem", problem)
    monkeypatch.setattr(defaults_bench, "description", lambda _, task: {"rows": int(task)})
    monkeypatch.setattr(defaults_bench, "described_tasks", lambda: {"toy": tuple(map(str, ROWS))})
    monkeypatch.setattr(defaults_bench, "FAMILIES", ("toy",))
    monkeypatch.setattr(defaults_bench, "_OLD_TRIALS", 10)
    bench = DefaultsBench()
    found = {m: bench.measure(Cell(m, "toy", "50000", None, 0)) for m in bench.methods}
    assert {name for values in found.values() for name in values} == {
        "share@1", "share@3", "share@5", "clusters", "near"
    }  # fmt: skip
    assert all(values["share@1"][0] >= values["share@5"][0] >= 0.0 for values in found.values())
    assert found["clusters"]["clusters"][0] == 2.0
    assert found["clusters"]["share@1"][0] < found["one-default"]["share@1"][0]
    assert len(bench.cells(bench.methods, 2, quick=False)) == 2 * 6 * len(bench.methods)
