"""`foretell explain`: what it prints and draws, and its refusals."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from foretell import Candidate, Predictor
from foretell.capture import nasbench201
from foretell.encoders import Adjacency, GraphStatistics, OfCells, WeisfeilerLehman
from foretell.errors import ForetellError
from foretell.explain import explain_trees
from foretell.surrogates import ExtraTrees, GaussianProcess
from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli

MODEL = "nasbench201:[2,0,4,3,1,2]"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fitted predictors: of motifs of cells, of networks, of both, and of matrices without skips."""
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(30)]
    items = [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in specs]
    y = [s.count(2) - s.count(4) for s in specs]
    motifs = OfCells(WeisfeilerLehman(), 1)
    here = tmp_path_factory.mktemp("predictors")
    for name, encoders, surrogate in (
        ("motifs", (motifs,), GaussianProcess(length_scale=1.4)),
        ("networks", (GraphStatistics(),), ExtraTrees(n_trees=10)),
        ("both", (motifs, GraphStatistics()), ExtraTrees(n_trees=5)),
    ):
        Predictor(encoders, surrogate).fit(items, y).save(here / name)
    matrix = OfCells(Adjacency(8, ("Conv1x1", "Conv3x3", "Input", "Output")), 1)
    some = [Candidate(cells=nasbench201.cells((k,) * 6)) for k in (2, 3)]
    Predictor((matrix,), ExtraTrees(n_trees=5)).fit(some, [1.0, 0.0]).save(here / "no-skips")
    if find_spec("lightgbm"):
        Predictor.preset("gbdt-nas").fit(items, y).save(here / "trees")
    return here


def run(*arguments: object) -> Result:
    cli = build_cli(Plugins(environment={}, entry_points=[]))
    return CliRunner().invoke(cli, ["explain", *map(str, arguments)], catch_exceptions=True)


def test_a_table_and_a_drawing(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "why.svg"
    result = run(MODEL, "--predictor", folders / "motifs", "--out", out)
    assert result.exit_code == 0, result.output + repr(result.exception)
    for said in ("predicted", "mean of 30 networks compared with", "weisfeiler lehman", "operators of the cell 0:",
                 "Conv3x3 (node 1, x 1)", "motifs, change by one more, normal scores:", f"Drawing: {out}"):  # fmt: skip
        assert said in result.output
    assert "operators of the network" not in result.output  # which this predictor does not look at
    root = ET.fromstring(out.read_text("utf-8"))
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == 3


def test_json_adds_up(folders: Path) -> None:
    said = json.loads(run(MODEL, "--predictor", folders / "networks", "--json", "--samples", 5, "--seed", 3).output)
    predictor, graph = Predictor.load(folders / "networks"), nasbench201.graph((2, 0, 4, 3, 1, 2))
    assert said["prediction"] == pytest.approx(predictor.predict([graph]).mean[0])
    assert said["base"] + sum(g["contribution"] for g in said["groups"]) == pytest.approx(said["prediction"])
    assert {o["view"] for o in said["operators"]} == {"network"}
    assert sum(o["copies"] for o in said["operators"]) == len(graph) - 2  # all but input and output
    assert said["motifs"] == []
    assert said["drawing"] is None


def test_motifs_of_other_surrogates_are_removed(folders: Path) -> None:
    result = run(MODEL, "--predictor", folders / "both", "--samples", 5, "--most", 3)
    assert "motifs, loss when removed, target units:" in result.output
    said = json.loads(run(MODEL, "--predictor", folders / "both", "--samples", 5, "--json").output)
    assert all(m["nodes"] for m in said["motifs"])
    assert {o["view"] for o in said["operators"]} == {"network", "cell 0"}


def test_single_columns_of_boosted_trees(folders: Path) -> None:
    pytest.importorskip("lightgbm")
    arguments = (MODEL, "--predictor", folders / "trees", "--samples", 3)
    assert "single columns, normal scores:" in run(*arguments).output
    said = json.loads(run(*arguments, "--json").output)
    item = Candidate(cells=nasbench201.cells((2, 0, 4, 3, 1, 2)))
    (found,) = explain_trees(Predictor.load(folders / "trees"), [item])
    assert {c["name"]: c["contribution"] for c in said["columns"]} == pytest.approx(dict(found.largest(1000)))


def test_against_named_networks(folders: Path) -> None:
    others = ["nasbench201:[2,2,2,2,2,2]", "nasbench201:[4,4,4,4,4,4]"]
    arguments = [part for other in others for part in ("--against", other)]
    said = json.loads(run(MODEL, "--predictor", folders / "motifs", "--json", *arguments).output)
    items = [Candidate(cells=nasbench201.cells((k,) * 6)) for k in (2, 4)]
    assert said["base"] == pytest.approx(Predictor.load(folders / "motifs").predict(items).mean.mean())


def test_an_encoder_that_knows_no_skips_is_named(folders: Path) -> None:
    same = "nasbench201:[2,2,2,2,2,2]"
    result = run(same, "--predictor", folders / "no-skips", "--against", "nasbench201:[3,3,3,3,3,3]")
    assert result.exit_code == 0, repr(result.exception)
    assert "operators of the cell 0 are not explained: an operator's class must be one of" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MODEL, "--predictor", "absent"), "absent"),
        ((MODEL, "--predictor", "motifs", "--out", "net.png"), "drawn as an .svg file"),
        (("nasbench201:|x|", "--predictor", "motifs"), "a NAS-Bench-201 cell must be"),
        (("just text", "--predictor", "motifs"), "a model must be an ONNX file"),
        (("explained_nets:net", "--predictor", "networks", "--input", "1,3"), "name some networks by --against MODEL"),
    ],
)
def test_refusals(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, message: str
) -> None:
    (tmp_path / "explained_nets.py").write_text("import torch\nnet = torch.nn.Linear(3, 3)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run(*(folders / a if a in {"motifs", "networks"} else a for a in arguments))
    assert isinstance(result.exception, ForetellError), result.output + repr(result.exception)
    assert message in str(result.exception)
