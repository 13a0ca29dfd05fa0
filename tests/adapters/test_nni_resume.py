"""What the tuner writes down, and how it goes on when NNI resumes an experiment and hands over its own pairs."""

from __future__ import annotations

import json
import math
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

from foretell_adapters.nni import ForetellAssessor, ForetellTuner
from foretell_adapters.nni.trial_records import Result, TrialRecords

if TYPE_CHECKING:
    from pathlib import Path

SPACE = {"x": {"_type": "uniform", "_value": [0, 1]}, "n": {"_type": "randint", "_value": [0, 9]}}


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an experiment, as NNI's manager lays it out."""
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "db").mkdir()
    monkeypatch.setenv("NNI_CHECKPOINT_DIRECTORY", str(tmp_path / "checkpoint"))
    return tmp_path


def tuner(**args: Any) -> ForetellTuner:
    ready = ForetellTuner(**{"n_startup_trials": 4, **args})
    ready.update_search_space(SPACE)
    return ready


def metric_of(folder: Path, rows: list[tuple[str, int]]) -> None:
    """The manager's table of metrics: which trial reported for which parameters."""
    with sqlite3.connect(folder / "db" / "nni.sqlite") as base:
        base.execute("create table MetricData (timestamp integer, trialJobId text, parameterId text, type text,"
                     " sequence integer, data text)")  # fmt: skip
        base.executemany("insert into MetricData values (0, ?, ?, 'FINAL', 0, '1')", rows)
    base.close()


def resumed(**args: Any) -> ForetellTuner:
    ready = ForetellTuner(**{"n_startup_trials": 4, **args})
    ready.load_checkpoint()
    ready.update_search_space(SPACE)
    return ready


def test_goes_on_where_it_was_stopped_with_the_same_seed(experiment: Path) -> None:
    first, whole = tuner(), ForetellTuner(n_startup_trials=4)
    whole._records.seed = first._records.seed
    whole.update_search_space(SPACE)
    whole._records.keep_in = lambda folder: None  # writes nothing
    told = []
    for i in range(10):
        if i == 6:
            first = resumed()
            first.import_data([])
        a, b = first.generate_parameters(i), whole.generate_parameters(i)
        assert json.dumps(a) == json.dumps(b)
        told.append(a)
        first.receive_trial_result(i, a, a["x"], trial_job_id=f"job{i}")
        whole.receive_trial_result(i, b, b["x"], trial_job_id=f"job{i}")
    assert len(told) == len(resumed()._known())


def test_own_records_win_over_the_managers_pairs(experiment: Path) -> None:
    first = tuner(seed=1)
    parameters = first.generate_multiple_parameters([0, 1, 2, 3])
    for i in (0, 1):
        first.receive_trial_result(i, parameters[i], parameters[i]["x"], trial_job_id=f"job{i}")
    # the metric of job 2 reached the manager but not the tuner; the manager believes it had the parameters of 3
    metric_of(experiment, [("job0", 0), ("job1", 1), ("job2", 2)])
    ready = resumed()
    ready.import_data(
        [
            {"parameter": parameters[1], "value": parameters[0]["x"], "trialJobId": "job0"},
            {"parameter": parameters[0], "value": parameters[1]["x"], "trialJobId": "job1"},
            {"parameter": parameters[3], "value": parameters[2]["x"], "trialJobId": "job2"},
        ]
    )
    assert [(o.config["x"], o.values) for o in ready._known()] == [(p["x"], (p["x"],)) for p in parameters[:3]]
    assert ready._records.pending == [parameters[3]]
    ready.import_data([{"parameter": parameters[3], "value": 0.5}])  # it is run again
    assert ready._records.pending == []
    assert len(ready._known()) == 4


def test_what_was_imported_counts_once_however_often_it_is_resumed(experiment: Path) -> None:
    record = {"parameter": {"x": 0.5, "n": 3}, "value": 0.7}
    first = tuner()
    first.generate_parameters(0)
    first.import_data([record, record, {"parameter": {"x": 0.25, "n": 1}, "value": float("nan")}])
    for _ in range(2):
        ready = resumed()
        ready.import_data([record, record, {"parameter": {"x": 0.25, "n": 1}, "value": {"default": math.nan}}])
        assert [o.values for o in ready._known()] == [(0.7,), (0.7,), (-math.inf,)]


def test_failed_and_stopped_trials_survive(experiment: Path) -> None:
    first = tuner()
    a, b = first.generate_multiple_parameters([0, 1])
    first._records.learn(0, Result(a, 0.25, "job0", partial=True))
    first.trial_end(1, False)
    again = resumed()
    assert [(o.values, o.partial) for o in again._known()] == [((0.25,), True)]
    assert [r.parameters for r in again._records.results if r.value is None] == [b]


def test_a_torn_line_is_left_out(experiment: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = tuner()
    parameters = first.generate_parameters(0)
    first.receive_trial_result(0, parameters, 1.0, trial_job_id="job0")
    file = experiment / "checkpoint" / "foretell_trials.jsonl"
    file.write_text(file.read_text() + '{"event": "res')
    assert len(resumed()._known()) == 1
    assert "is left out" in caplog.text


def test_without_the_managers_database_its_pairs_are_believed(experiment: Path, caplog: Any) -> None:
    (experiment / "db" / "nni.sqlite").write_text("this is no database, but long enough to look like one " * 20)
    tuner().generate_parameters(0)
    ready = resumed()
    ready.import_data([{"parameter": {"x": 0.5, "n": 3}, "value": 0.7, "trialJobId": "job"}])
    assert [o.values for o in ready._known()] == [(0.7,)]
    assert "cannot be read" in caplog.text


def test_outside_an_experiment_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNI_CHECKPOINT_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    ready = tuner()
    ready.receive_trial_result(0, ready.generate_parameters(0), 1.0)
    ready.save_checkpoint()
    assert not list(tmp_path.iterdir())


def test_ids_that_begin_anew_do_not_mix_trials() -> None:
    records = TrialRecords(0)
    records.ask(1, {"x": 1})
    records.fail(1)
    records.ask(1, {"x": 2})
    records.learn(1, Result({"x": 2}, 5.0, "job"))
    assert [(r.parameters, r.value) for r in records.results] == [({"x": 1}, None), ({"x": 2}, 5.0)]


def test_the_assessor_keeps_its_curves(experiment: Path) -> None:
    first = ForetellAssessor()
    for k in range(3):
        for n in range(1, 5):
            first.assess_trial(f"job{k}", [0.1 * i for i in range(n)])
        first.trial_end(f"job{k}", k < 2)
    again = ForetellAssessor()
    again.load_checkpoint()
    again.save_checkpoint()
    assert again._ended == first._ended
    assert [run.final for run in again._ended] == pytest.approx([0.3, 0.3])
