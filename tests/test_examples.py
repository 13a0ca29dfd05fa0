"""Every example runs as its reader runs it, shorter where it says how."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SHORT = {
    "few_shot_estimator": ["26"], "one_shot_fidelity": ["4", "1"],
    "optuna_accuracy_and_size": ["12"], "optuna_joint_search": ["12"],
    "optuna_network_program": ["12"], "optuna_pruning": ["9"], "optuna_tracking": ["7"], "optuna_warm_start": ["5"],
    "own_graph_network": ["2"], "pyg_data": [], "zero_shot_ranking": [],
}  # fmt: skip
"""Arguments of those that run here; the others have tests beside their framework's."""
SAYS = {
    "few_shot_estimator": "90 % intervals hold", "one_shot_fidelity": "rank correlation of score",
    "optuna_accuracy_and_size": "thousand FLOPs",
    "optuna_joint_search": "best accuracy",
    "optuna_network_program": "networks; best of 12: accuracy", "optuna_pruning": "epochs instead of 180",
    "optuna_tracking": "followed by",
    "optuna_warm_start": "said of the old study: {'sources':", "own_graph_network": "after 2 epochs",
    "pyg_data": "log10 of FLOPs: true", "zero_shot_ranking": "cnn-64x9-skip",
}  # fmt: skip
ELSEWHERE = {"latent_sampling", "naslib_benchmark", "nni_strategy", "optuna_workers_postgresql"}


def test_all_examples_are_run() -> None:
    assert {p.stem for p in EXAMPLES.glob("*.py")} == set(SHORT) | ELSEWHERE


@pytest.mark.parametrize("name", sorted(SHORT))
def test_it_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *SHORT[name]])
    monkeypatch.setitem(sys.modules, "timm", None)  # its models take seconds
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert SAYS[name] in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(({*SHORT} | ELSEWHERE) - {"latent_sampling"}))  # that one is an experiment
def test_it_is_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) <= 60


@pytest.mark.filterwarnings("ignore")  # of MLflow's dependencies
def test_mlflow_has_every_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("optuna_integration")
    test_it_runs("optuna_tracking", tmp_path, monkeypatch, capsys)
    runs = mlflow.MlflowClient("sqlite:///mlflow.db").search_runs(["1"])
    assert len(runs) == 7
    assert all({"lr", "depth"} <= set(run.data.params) and "loss" in run.data.metrics for run in runs)


def test_the_plugin_is_found_once_installed(tmp_path: Path) -> None:
    information = tmp_path / "foretell_node_count-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: foretell-node-count\nVersion: 0.1.0\n")
    (information / "entry_points.txt").write_text("[foretell]\nnode_count = node_count\n")
    code = (
        "from foretell import Candidate\n"
        "from foretell.capture import nasbench201\n"
        "from foretell.encoders import ENCODERS\n"
        "from foretell_plugins.registry import Plugins\n"
        "print([r.status for r in Plugins().records if r.name == 'node_count'])\n"
        "graph = nasbench201.graph((2, 2, 2, 2, 2, 2))\n"
        "print(2 ** ENCODERS.make('node_count', {}).encode([Candidate(graph)]).values[0, 0] - len(graph) < 1e-9)\n"
    )
    path = [str(tmp_path), str(EXAMPLES / "encoder_plugin")]
    script = f"import sys; sys.path[:0] = {path!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['ok']", "True"]
