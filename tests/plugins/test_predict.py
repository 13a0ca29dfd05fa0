"""`foretell predict` and `foretell finetune`: what they print, what they write, and their refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from foretell import ExtraTrees, FloatDistribution, GraphStatistics, Hyperparameters, Predictor, SearchSpace
from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.errors import ForetellError
from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli

_DIGITS = "210033 210233 222222 001112 441103 123401 321321 424242 111111 042042"
CELLS = [tuple(map(int, digits)) for digits in _DIGITS.split(" ")]
SPECS = [f"nasbench201:{list(cell)}" for cell in CELLS]
ACCURACY = [0.61, 0.72, 0.94, 0.30, 0.41, 0.83, 0.88, 0.90, 0.91, 0.70]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_cli(Plugins(environment={}, entry_points=[])), list(arguments))


def written(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("model", "accuracy"), *zip(SPECS[:count], ACCURACY, strict=False)])
    return path


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """A predictor of networks in a folder."""
    graphs = [nasbench201.graph(cell) for cell in CELLS]
    Predictor((GraphStatistics(),), ExtraTrees(n_trees=5)).fit(graphs, ACCURACY).save(tmp_path / "trees")
    return tmp_path / "trees"


def test_predictions_are_those_of_the_library(trees: Path, tmp_path: Path) -> None:
    table = tmp_path / "new" / "table.csv"
    said = run("predict", *SPECS[:3], "--predictor", str(trees), "--coverage", "0.5", "--json", "--out", str(table))
    assert said.exit_code == 0, said.output
    belief = Predictor.load(trees).predict([nasbench201.graph(cell) for cell in CELLS[:3]])
    found = json.loads(said.stdout)
    assert found["coverage"] == 0.5
    assert [row["model"] for row in found["predictions"]] == SPECS[:3]
    for key, values in [("predicted", belief.mean), ("std", belief.std), ("low", belief.quantile(0.25)),
                        ("high", belief.quantile(0.75))]:  # fmt: skip
        np.testing.assert_allclose([row[key] for row in found["predictions"]], values)
    assert all(row["in_domain"] for row in found["predictions"])
    with table.open(encoding="utf-8", newline="") as file:
        assert [float(row["predicted"]) for row in csv.DictReader(file)] == belief.mean.tolist()
    shown = run("predict", *SPECS[:3], "--predictor", str(trees), "--coverage", "0.5")
    assert "50% interval" in shown.stdout
    assert [line.split()[-1] for line in shown.stdout.splitlines()[1:]] == [spec.split()[-1] for spec in SPECS[:3]]


def test_hyperparameters_as_json(tmp_path: Path) -> None:
    space = SearchSpace({"lr": FloatDistribution(1e-4, 1e-1, log=True)})
    rates = [1e-4, 1e-3, 1e-2, 1e-1]
    joint = Predictor((Hyperparameters(space),)).fit(
        [Candidate(config={"lr": lr}) for lr in rates], [0.1, 0.9, 0.8, 0.2]
    )
    joint.save(tmp_path / "joint")
    said = run("predict", '{"lr": 0.001}', '{"lr": 0.09}', "--predictor", str(tmp_path / "joint"), "--json")
    better, worse = (row["predicted"] for row in json.loads(said.stdout)["predictions"])
    assert better > worse


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (['{"lr": 0.1}'], "sees nothing of number 0: give a network"),
        (["{lr}"], "hyperparameters are a JSON object"),
        (["nothing"], "a model must be an ONNX file"),
    ],
)
def test_refusals_of_predict(trees: Path, models: list[str], message: str) -> None:
    refused = run("predict", *models, "--predictor", str(trees))
    assert isinstance(refused.exception, ForetellError), refused.exception
    assert message in str(refused.exception)


@pytest.mark.parametrize(("name", "members"), [("foretell-pretrained", "pretrained"), ("gennape-nb101", "Gennape")])
def test_finetuned_checkpoints_are_read_again(tmp_path: Path, name: str, members: str) -> None:
    labels, out = written(tmp_path / "mine.csv", 10), tmp_path / "tuned"
    arguments = ["--labels", str(labels), "--out", str(out), "--json"]
    quickly = ["--no-check"] if name == "gennape-nb101" else []
    done = run("finetune", name, *arguments, *quickly)
    assert done.exit_code == 0, (done.output, done.exception)
    said = json.loads(done.stdout)
    assert (said["checkpoint"], said["labels"], said["out"]) == (name, 10, str(out))
    assert said["held_out"] is None if quickly else -1 <= said["held_out"]["tau"] <= 1
    assert members in repr(Predictor.from_pretrained(out))
    best = json.loads(run("rank", *SPECS[:4], "--predictor", str(out), "--json").stdout)["ranking"][0]
    assert best["name"] == SPECS[2]


def test_refusals_of_finetune(trees: Path, tmp_path: Path) -> None:
    labels = str(written(tmp_path / "mine.csv", 1))
    plain = run("finetune", str(trees), "--labels", labels)
    assert "is a plain predictor: fit the preset foretell" in str(plain.exception)
    few = run("finetune", "foretell-pretrained", "--labels", labels)
    assert "fine-tuning needs two labels at least" in str(few.exception)
