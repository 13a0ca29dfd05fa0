"""The tuner, called as NNI's dispatcher calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from foretell.errors import CaptureWarning, InvalidDataError, InvalidSearchSpaceError
from foretell.graph import ComputationGraph

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

from foretell_adapters.nni import ForetellClassArgsValidator, ForetellTuner, early_stops

SPACE = {
    "x": {"_type": "uniform", "_value": [-4, 4]},
    "n": {"_type": "quniform", "_value": [0, 8, 2]},
    "kind": {
        "_type": "choice",
        "_value": [{"_name": "plain"}, {"_name": "shifted", "by": {"_type": "randint", "_value": [0, 4]}}],
    },
}


def loss(parameters: dict[str, Any]) -> float:
    shift = parameters["kind"].get("by", 3)
    return float((parameters["x"] - 1) ** 2 + parameters["n"] / 4 + shift)


def tuner(**args: Any) -> ForetellTuner:
    ready = ForetellTuner(**{"seed": 0, "n_startup_trials": 5, "optimize_mode": "minimize"} | args)
    ready.update_search_space(SPACE)
    return ready


def replay(ready: ForetellTuner, n: int, start: int = 0) -> list[dict[str, Any]]:
    """`n` trials one after the other, parameters going through JSON as they do in NNI."""
    trials = []
    for i in range(start, start + n):
        parameters = json.loads(json.dumps(ready.generate_parameters(i, st_callback=None)))
        trials.append(parameters)
        ready.receive_trial_result(i, parameters, loss(parameters), trial_job_id=f"job{i}")
        ready.trial_end(i, True)
    return trials


def test_finds_the_minimum_and_asks_for_one_more() -> None:
    ready = tuner()
    trials = replay(ready, 30)
    assert min(map(loss, trials)) < 0.05
    extra = ready.generate_parameters(30)
    assert set(extra) == set(SPACE)


def test_maximize_is_minimize_upside_down() -> None:
    up, down = tuner(optimize_mode="maximize"), tuner()
    for i in range(12):
        a, b = up.generate_parameters(i), down.generate_parameters(i)
        assert a == b
        up.receive_trial_result(i, a, -loss(a))
        down.receive_trial_result(i, b, loss(b))


def test_same_seed_same_trials_and_another_seed_others() -> None:
    assert replay(tuner(), 10) == replay(tuner(), 10)
    assert replay(tuner(), 3) != replay(tuner(seed=1), 3)


def test_running_trials_are_not_proposed_again() -> None:
    ready = tuner(n_startup_trials=2)
    replay(ready, 6)
    at_once = ready.generate_multiple_parameters(list(range(6, 12)))
    assert len({json.dumps(p) for p in at_once}) == 6


def test_results_are_paired_by_parameters_although_trial_end_names_another() -> None:
    ready = tuner()
    first, second = ready.generate_multiple_parameters([0, 1])
    ready.trial_end(1, True)
    ready.receive_trial_result(0, first, 1.0)
    ready.trial_end(0, True)
    ready.receive_trial_result(1, second, {"default": 2.0, "other": 5})
    assert [o.values for o in ready._known()] == [(-1.0,), (-2.0,)]
    assert ready._known()[1].config["x"] == second["x"]


@pytest.mark.parametrize(
    ("mode", "reward"), [("minimize", float("nan")), ("minimize", float("inf")), ("maximize", -float("inf"))]
)
def test_diverged_trials_count_as_the_worst(mode: str, reward: float) -> None:
    ready = tuner(optimize_mode=mode)
    for i in range(12):
        parameters = ready.generate_parameters(i)
        sign = 1 if mode == "minimize" else -1
        ready.receive_trial_result(i, parameters, reward if i % 3 == 0 else sign * loss(parameters))
    assert ready._known()[0].values == (-float("inf"),)


def test_failed_trials_are_not_asked_for_again() -> None:
    ready = tuner()
    failed = [ready.generate_parameters(i) for i in range(8)]
    for i in range(8):
        ready.trial_end(i, False)
    assert not ready._records.pending
    assert ready._known() == []
    again = replay(ready, 8, start=8)
    assert not [p for p in again if p in failed]


def test_a_metric_that_comes_after_a_failure_corrects_it() -> None:
    ready = tuner()
    first, second = ready.generate_multiple_parameters([0, 1])
    ready.trial_end(1, False)  # NNI names the neighbour of the one that failed
    ready.receive_trial_result(1, second, 2.0, trial_job_id="b")
    assert [o.values for o in ready._known()] == [(-2.0,)]
    assert ready._records.pending == [first]


def test_trials_that_never_return_are_given_up_in_the_end() -> None:
    ready = tuner(n_startup_trials=1000)
    lost = ready.generate_parameters(0)
    assert ready._records.pending == [lost]
    replay(ready, 60, start=1)
    assert ready._records.pending == []


def test_trials_that_our_assessor_stopped_are_learnt_as_partial() -> None:
    ready = tuner()
    first, second = ready.generate_multiple_parameters([0, 1])
    early_stops.tell("a", 9.0)
    ready.receive_trial_result(0, first, 9.0, trial_job_id="a")
    ready.trial_end(0, False)
    ready.receive_trial_result(1, second, 2.0, trial_job_id="b")
    assert [(o.values, o.partial) for o in ready._known()] == [((-9.0,), True), ((-2.0,), False)]
    ready.receive_trial_result(0, first, 5.0, trial_job_id="a")  # it ended before it could be killed
    assert [(o.values, o.partial) for o in ready._known()] == [((-2.0,), False), ((-5.0,), False)]


@pytest.mark.parametrize(
    ("received", "values", "partial"),
    [
        ([9.0], -9.0, True),
        ([9.0, 5.0], -5.0, False),
        ([5.0, 9.0], -5.0, False),
        ([9.0, 9.0], -9.0, False),  # stopped at its last epoch, and ended with that metric
    ],
)
def test_a_trial_that_ends_while_it_is_stopped_is_whole(received: list[float], values: float, partial: bool) -> None:
    ready = tuner()
    parameters = ready.generate_parameters(0)
    early_stops.tell("late", 9.0)
    for value in received:
        ready.receive_trial_result(0, parameters, value, trial_job_id="late")
    assert [(o.values, o.partial) for o in ready._known()] == [((values,), partial)]


def test_imported_data_count_and_bad_records_do_not(caplog: pytest.LogCaptureFixture) -> None:
    ready = tuner(n_startup_trials=3)
    good = {"x": 1, "n": 0, "kind": {"_name": "shifted", "by": 0}}
    records = [{"parameter": {**good, "x": x}, "value": (x - 1) ** 2} for x in (-3, -1, 0, 1, 2, 4)]
    ready.import_data(
        [
            *records,
            {"parameter": {"x": 99}, "value": 1},
            {"parameter": good},
            {"parameter": good, "value": "hm"},
        ]
    )
    assert len(ready._known()) == 6
    assert "1 left out" not in caplog.text
    assert caplog.text.count("left out") == 3
    assert abs(ready.generate_parameters(0)["x"]) < 4


def test_space_changes_while_running() -> None:
    ready = tuner()
    replay(ready, 8)
    narrow = {"x": {"_type": "uniform", "_value": [0, 2]}, "kind": SPACE["kind"]}
    ready.update_search_space(narrow)
    kept = len(ready._known())
    assert kept < 8
    for i in range(8, 12):
        parameters = ready.generate_parameters(i)
        assert set(parameters) == {"x", "kind"}
        assert 0 <= parameters["x"] <= 2
    ready.update_search_space(SPACE)
    assert len(ready._known()) == 8


def test_threads_may_ask_and_tell_at_once() -> None:
    ready = tuner()

    def one(i: int) -> str:
        parameters = ready.generate_parameters(i)
        ready.receive_trial_result(i, parameters, loss(parameters))
        ready.trial_end(i, True)
        return json.dumps(parameters)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(one, range(16)))) == 16
    assert len(ready._known()) == 16


def network(parameters: dict[str, Any]) -> Any:
    """What `graph` names in these tests: a module and its example input."""
    import torch

    width = 1 + int(parameters["n"])
    return torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.Linear(width, 2)), torch.zeros(1, 4)


def test_graph_function_shows_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "my_networks", sys.modules[__name__])
    ready = tuner(graph="my_networks:network")
    replay(ready, 8)
    assert ready._graph is not None
    graphs = [ready._graph(o.config) for o in ready._known()]
    assert all(isinstance(g, ComputationGraph) for g in graphs)
    assert len({g.digest for g in graphs if g}) == len({o.config["n"] for o in ready._known()})
    assert "and network" in repr(ready)


def broken(parameters: dict[str, Any]) -> Any:
    """A graph function that fails."""
    raise KeyError("depth")


def test_graph_function_that_fails_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "my_networks", sys.modules[__name__])
    ready = tuner(graph="my_networks:broken")
    with pytest.warns(CaptureWarning, match="judged without their network") as caught:
        replay(ready, 7)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"optimise_mode": "maximize"}, "got 'optimise_mode': write 'optimize_mode'"),
        (
            {"population": 3},
            "are optimize_mode, seed, n_startup_trials, graph, but got 'population': drop it",
        ),
        ({"optimize_mode": "max"}, "optimize_mode must be 'maximize' or 'minimize', but got 'max'"),
        ({"seed": "0"}, "seed must be a whole number"),
        ({"n_startup_trials": -1}, "n_startup_trials must be a whole number >= 0, but got -1"),
        ({"n_startup_trials": True}, "n_startup_trials must be a whole number"),
        ({"graph": "net.build"}, "graph must be 'module:function', but got 'net.build'"),
        ({"graph": "no_such_module:build"}, "'no_such_module:build' failed .*PYTHONPATH"),
        ({"graph": "json:no_such_function"}, "can be imported"),
        ({"graph": "json:__name__"}, "must name a function, but 'json:__name__' is str"),
    ],
)
def test_wrong_settings_are_answered_with_a_sentence(args: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        ForetellTuner(**args)


def test_validator_says_the_same_before_the_experiment() -> None:
    ForetellClassArgsValidator("tuners").validate_class_args(seed=3, optimize_mode="minimize")
    with pytest.raises(InvalidDataError, match="write 'seed'"):
        ForetellClassArgsValidator("tuners").validate_class_args(seeds=3)


def test_misspelt_type_and_bad_metric_are_answered_with_a_sentence() -> None:
    with pytest.raises(InvalidSearchSpaceError, match="write 'quniform'"):
        tuner().update_search_space({"x": {"_type": "quinform", "_value": [0, 1, 1]}})
    for bad in ({"accuracy": 1}, "good", None, [0.5]):
        with pytest.raises(InvalidDataError, match="a number, or a dict with a number as `default`.*write e.g."):
            tuner().receive_trial_result(0, {}, bad)


def test_empty_space_is_answered_with_a_sentence() -> None:
    with pytest.raises(InvalidSearchSpaceError, match="space is empty"):
        ForetellTuner().generate_parameters(0)


WITHOUT_NNI = """
import sys
sys.modules["nni"] = None
import foretell_adapters.nni as adapter
from foretell_adapters.nni.commands import nni_group
from foretell_adapters.nni.space import NniSpace
from foretell.errors import MissingDependencyError
from click.testing import CliRunner
for get in (lambda: adapter.ForetellTuner, lambda: adapter.ForetellStrategy):
    try:
        get()
    except MissingDependencyError as error:
        assert "pip install 'foretell[nni]'" in str(error), error
    else:
        raise SystemExit("imported")
for command in ("register", "unregister"):
    assert isinstance(CliRunner().invoke(nni_group, [command]).exception, MissingDependencyError)
assert not hasattr(adapter, "Typo")
"""


def test_without_nni_the_remedy_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NNI],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
