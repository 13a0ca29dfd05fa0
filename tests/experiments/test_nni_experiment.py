"""Real NNI experiments: the tuner from a YAML, by class and by name; the strategy in a `NasExperiment`."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import foretell
import foretell_adapters
from foretell_adapters.nni.commands import nni_group
from foretell_adapters.nni.parameter_types import canonical
from foretell_adapters.nni.space import NniSpace
from foretell_adapters.nni.trial_records import TrialRecords

if TYPE_CHECKING:
    from collections.abc import Iterator

yaml = pytest.importorskip("yaml")
psutil = pytest.importorskip("psutil")
pytest.importorskip("nni")
pytestmark = [pytest.mark.nni, pytest.mark.experiments]

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOTS = [str(Path(p.__file__).parents[1]) for p in (foretell, foretell_adapters)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory of the test's own for NNI's lists and registrations; its processes go with it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NNI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(ROOTS))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield tmp_path
    for process in psutil.process_iter(["cmdline"]):
        if any(str(tmp_path) in word for word in process.info["cmdline"] or []):
            for victim in (*process.children(recursive=True), process):
                victim.kill()


def run(*arguments: str | Path, cwd: Path) -> str:
    """What a Python process prints; its error output is shown when it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def outcome_of(home: Path, config: dict[str, Any], stop_after: int = 0) -> dict[str, Any]:
    (home / "experiment.yml").write_text(yaml.safe_dump(config))
    run(Path(__file__).parent / "nni_experiment.py", home / "experiment.yml", home, str(stop_after), cwd=home)
    outcome: dict[str, Any] = json.loads((home / "outcome.json").read_text())
    return outcome


def example() -> dict[str, Any]:
    """The example's experiment, wherever it runs."""
    folder = EXAMPLES / "nni_tuner"
    config: dict[str, Any] = yaml.safe_load((folder / "experiment.yml").read_text())
    config["trialCodeDirectory"] = str(folder)
    config["tuner"]["codeDirectory"] = str(folder)
    return config


def test_tuner_by_class_in_the_example_experiment(home: Path) -> None:
    config = example() | {"maxTrialNumber": 3}
    outcome = outcome_of(home, config)
    trials = outcome["trials"]
    assert outcome["status"] == "DONE", outcome
    assert [t["status"] for t in trials] == ["SUCCEEDED"] * 3
    assert all(0.05 < t["metric"] <= 1 for t in trials)
    space = NniSpace.parse(config["searchSpace"])
    configs = [space.from_parameters(t["parameters"]) for t in trials]
    assert all(space.search_space.contains(c) for c in configs)
    assert len({c["classifier"] for c in configs}) == 2, "three trials try both alternatives"
    assert len({str(c) for c in configs}) == 3


SPACE = {
    "classifier": {
        "_type": "choice",
        "_value": [
            {
                "_name": "linear",
                "alpha": {"_type": "loguniform", "_value": [1e-5, 1.0]},
                "penalty": {"_type": "choice", "_value": ["l2", "l1"]},
            },
            {
                "_name": "network",
                "width": {"_type": "qloguniform", "_value": [4, 32, 4]},
                "rate": {"_type": "lognormal", "_value": [-5, 1.5]},
            },
        ],
    },
    "divisor": {"_type": "choice", "_value": [1, 16]},
}


def test_by_name_with_assessor_two_at_once_failing_trials_stopped_in_the_middle_and_resumed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = CliRunner().invoke(nni_group, ["register"], catch_exceptions=False)
    assert registered.exit_code == 0
    monkeypatch.setenv("TRIAL_RECORDS", str(home / "records.jsonl"))
    config = {
        "searchSpace": SPACE,
        "trialCommand": f"{sys.executable} nni_trial.py",
        "trialCodeDirectory": str(Path(__file__).parent),
        "trialConcurrency": 2,
        "maxTrialNumber": 12,
        "tuner": {"name": "Foretell", "classArgs": {"seed": 3, "n_startup_trials": 6}},
        "assessor": {"name": "Foretell", "classArgs": {"n_startup_trials": 3, "threshold": 0.1}},
        "trainingService": {"platform": "local"},
    }
    outcome = outcome_of(home, config, stop_after=5)
    assert outcome["status"] == "DONE", outcome["log"][-3000:]
    check_against_the_trials_own_records(outcome, home)


def check_against_the_trials_own_records(outcome: dict[str, Any], home: Path) -> None:
    """What the tuner knows is what the trials say they did, and everything of it."""
    own = [json.loads(line) for line in (home / "records.jsonl").read_text().splitlines()]
    trials = outcome["trials"]
    assert len(trials) == 12
    assert "RUNNING" in outcome["before"], "it was stopped in the middle"
    known = TrialRecords(0)
    known.keep_in(f"{outcome['folder']}/checkpoint")
    whole = [r for r in known.results if r.value is not None and not r.partial]
    said = {(r["job"], canonical(r["parameters"]), r["value"]) for r in own if r["value"] is not None}
    nameless = {(p, v) for _, p, v in said}
    for r in whole:
        key = canonical(r.parameters), r.value
        assert (r.job, *key) in said if r.job is not None else key in nameless, "paired wrongly"
    assert {(canonical(r.parameters), r.value) for r in whole} == nameless, "lost"
    failed = [t for t in trials if t["status"] == "FAILED"]
    too_narrow = {canonical(r["parameters"]) for r in own if r["value"] is None}
    assert len(failed) >= len(too_narrow) > 0
    assert {canonical(r.parameters) for r in known.results if r.value is None} <= too_narrow
    stopped = [t["job"] for t in trials if t["status"] == "USER_CANCELED"]
    assert {r.job for r in known.results if r.partial} <= set(stopped)
    # which trials are stopped, if any, hangs on the order in which they end; one may end before it is killed
    assert outcome["log"].count("is stopped after") >= len(stopped)


def test_wrong_class_argument_ends_the_dispatcher_with_a_sentence(home: Path) -> None:
    tuner = {
        "className": "foretell_adapters.nni.ForetellTuner",
        "codeDirectory": ".",
        "classArgs": {"optimise_mode": 1},
    }
    experiment = base64.b64encode(json.dumps({"tuner": tuner}).encode()).decode()
    command = [sys.executable, "-m", "nni", "--exp_params", experiment]  # as NNI's manager starts it
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "write 'optimize_mode'" in done.stdout + done.stderr


def test_strategy_example(home: Path) -> None:
    out = run(EXAMPLES / "nni_strategy.py", cwd=home)
    best = [line for line in out.splitlines() if "learning_rate" in line]
    assert len(best) == 3
    assert float(best[0].split()[0]) >= float(best[1].split()[0])
    checkpoint = next((home / "nni-experiments").glob("*/checkpoint/state.ckpt*"))
    import torch

    state = torch.load(checkpoint, weights_only=True)["strategy"]
    samples = [r["sample"] for r in state["results"]]
    assert len(samples) == 8
    assert len({str(s) for s in samples}) == 8
    assert {"width", "mixer", "learning_rate", "optimizer"} == set(samples[0])


def test_three_spaces_of_the_hub_under_a_limit_on_flops_one_interrupted_and_resumed(home: Path) -> None:
    out = run(Path(__file__).parent / "nni_hub.py", home, cwd=home)
    found = json.loads((home / "hub.json").read_text())
    assert list(found) == ["NasBench201", "DARTS", "MobileNetV3Space"]
    for name, search in found.items():
        samples = [m["sample"] for m in search["models"]]
        assert len({canonical(s) for s in samples}) == len(samples) == (3 if name == "NasBench201" else 4)
        assert all("learning_rate" in s for s in samples), "the recipe is searched too"
        assert max(search["flops"]) <= search["limit"]
        assert all(s in samples for s in search["before"]), "nothing is lost"
        assert json.loads(Path(search["written"]).read_text()) == search["models"]
    assert len(found["NasBench201"]["before"]) == 2, "the third was interrupted: NNI counts it, and it has no metric"
    assert len(json.loads((home / "example.json").read_text())) == 6
    assert "6 models" in out


def test_training_service_through_the_runner_interrupted_and_resumed(home: Path) -> None:
    if not os.environ.get("FORETELL_COMPLETE"):
        pytest.skip("takes minutes: set FORETELL_COMPLETE")
    config = yaml.safe_load((EXAMPLES / "nni_run.yml").read_text())
    config |= {"engine": "ts", "maxTrialNumber": 6, "trialConcurrency": 2, "trainingService": {"platform": "local"}}
    (home / "run.yml").write_text(yaml.safe_dump(config))
    shutil.copy(EXAMPLES / "nni_strategy.py", home)
    command = [
        "-c",
        "import sys; from foretell_plugins.cli import main; main(['nni', 'run', 'run.yml', *sys.argv[1:]])",
    ]
    with (home / "first.txt").open("w+") as said:
        first = subprocess.Popen(
            [sys.executable, *command],
            cwd=home,
            stdout=said,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in jobs behind a shell
        )
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline and (home / "first.txt").read_text().count("Checkpoint saved") < 4:
            time.sleep(0.5)  # one when it starts, then one a model
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 0, (home / "first.txt").read_text()
    before = json.loads((home / "models.json").read_text())
    assert 2 <= len(before) < 6
    (resume,) = re.findall(r"--resume (\S+)", (home / "first.txt").read_text())
    out = run(*command, "--resume", resume, cwd=home)
    models = json.loads((home / "models.json").read_text())
    assert len({canonical(m["sample"]) for m in models}) == len(models) == 6, "what was running is trained again"
    assert all(m in models for m in before)
    assert all(0.05 < m["metric"] <= 1 for m in models)
    assert "6 models" in out
