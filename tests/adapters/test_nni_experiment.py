"""Real NNI experiments: the tuner from a YAML, by class and by name; the strategy in a `NasExperiment`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import foretell
import foretell_adapters
from foretell_adapters.nni.commands import nni_group
from foretell_adapters.nni.space import NniSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

yaml = pytest.importorskip("yaml")
psutil = pytest.importorskip("psutil")
pytest.importorskip("nni")
pytestmark = [pytest.mark.nni, pytest.mark.xdist_group("nni")]  # experiments share ports

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
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tuner_outcome(home: Path, tuner: dict[str, Any] | None) -> dict[str, Any]:
    """The outcome of the example's experiment, with its tuner replaced if told so."""
    folder = EXAMPLES / "nni_tuner"
    config = yaml.safe_load((folder / "experiment.yml").read_text())
    config["trialCodeDirectory"] = str(folder)
    config["tuner"]["codeDirectory"] = str(folder)
    config["tuner"] = tuner or config["tuner"]
    (home / "experiment.yml").write_text(yaml.safe_dump(config))
    run(Path(__file__).parent / "nni_experiment.py", home / "experiment.yml", home, cwd=home)
    outcome: dict[str, Any] = json.loads((home / "outcome.json").read_text())
    return {**outcome, "space": config["searchSpace"]}


def check_trials(outcome: dict[str, Any]) -> None:
    trials = outcome["trials"]
    assert outcome["status"] == "DONE", outcome
    assert [t["status"] for t in trials] == ["SUCCEEDED"] * 5
    assert all(0.05 < t["metric"] <= 1 for t in trials)
    space = NniSpace.parse(outcome["space"])
    configs = [space.from_parameters(t["parameters"]) for t in trials]
    assert all(space.search_space.contains(c) for c in configs)
    assert len({c["classifier"] for c in configs}) == 2, "five trials try both alternatives"
    assert len({str(c) for c in configs}) == 5


def test_tuner_by_class_in_the_example_experiment(home: Path) -> None:
    check_trials(tuner_outcome(home, None))


def test_tuner_by_registered_name(home: Path) -> None:
    registered = CliRunner().invoke(nni_group, ["register"], catch_exceptions=False)
    assert registered.exit_code == 0
    check_trials(tuner_outcome(home, {"name": "Foretell", "classArgs": {"seed": 0, "n_startup_trials": 3}}))


def test_wrong_class_argument_ends_the_experiment_with_a_sentence(home: Path) -> None:
    wrong = {
        "className": "foretell_adapters.nni.ForetellTuner",
        "codeDirectory": ".",
        "classArgs": {"optimise_mode": "maximize"},
    }
    outcome = tuner_outcome(home, wrong)
    assert outcome["status"] == "ERROR"
    assert "write 'optimize_mode'" in outcome["log"]


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
