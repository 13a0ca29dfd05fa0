"""`foretell search` and `foretell rank`: what they print and write, and their refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from foretell import ComputationGraph, Predictor
from foretell.capture.families import FAMILIES
from foretell.compile import compile_graph
from foretell.errors import ForetellError
from foretell.search.named_starts import NAMED_STARTS
from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli
from foretell_plugins.show import read_model

MACRO = [f"nasbench_macro:{spec}" for spec in ("01201201", "22222222", "11111111", "00000000", "21012101", "12121212")]

SMALL = "searched_nets:net"
NETS = """
from foretell.capture import nasbench201

def net():
    return nasbench201.graph((2, 2, 0, 2, 2, 3), channels=4, cells=1)
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in a folder with labels and a saved predictor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "searched_nets", raising=False)
    (tmp_path / "searched_nets.py").write_text(NETS, encoding="utf-8")
    rng = np.random.default_rng(0)
    graphs = [FAMILIES["nasbench_macro"].graph(FAMILIES["nasbench_macro"].sample(rng)) for _ in range(12)]
    Predictor().fit(graphs, [np.log(g.flops) for g in graphs]).save(tmp_path / "saved")
    rows = "".join(f"{model},{np.log(read_model(model).flops)}\n" for model in MACRO)
    (tmp_path / "labels.csv").write_text("model,accuracy\n" + rows)
    group = build_cli(Plugins(environment={}, entry_points=[]))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(group, arguments, catch_exceptions=True)

    return run


def test_search_writes_a_front_of_networks_that_train(cli, tmp_path: Path) -> None:
    arguments = ("search", "--start", SMALL, "--predictor", "saved", "--queries", "12", "--out", "found")
    result = cli(*arguments, "--json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    said = json.loads(result.output)
    assert said == json.loads((tmp_path / "found/front.json").read_text())
    assert said["judged"] == 13
    assert said["rests_on"] == "saved, 12 labels"
    flops = [row["flops"] for row in said["front"]]
    assert flops == sorted(flops)
    assert all(row["trains"] and row["trained"] == 1.0 for row in said["front"])
    assert all(0.5 * said["flops"] <= f <= said["flops"] for f in flops)
    best = said["front"][0]
    with np.load(tmp_path / "found" / best["graph"]) as stored:
        graph = ComputationGraph.from_arrays(dict(stored))
    assert (graph.digest, graph.params) == (best["digest"], best["params"])
    assert sum(p.numel() for p in compile_graph(graph).parameters()) == best["params"]
    assert (tmp_path / "found/front.svg").read_text().startswith("<?xml")
    shown = cli("show", f"found/{best['graph']}", "--json", "--no-drawing")
    assert json.loads(shown.output)["digest"] == best["digest"]
    again = cli(*arguments)
    assert "13 networks judged; rests on saved, 12 labels." in again.output
    assert f"{said['front'][-1]['params']:,}" in again.output


def test_search_on_labels(cli) -> None:
    result = cli("search", "--start", SMALL, "--labels", "labels.csv", "--queries", "3", "--out", "found")
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert "rests on 6 labels of labels.csv" in result.output


def test_the_named_starts_are_networks() -> None:
    assert {name: read_model(text).params for name, text in NAMED_STARTS.items()} == {
        "nb101-best": 32_426_634, "nb201-best": 1_073_466, "darts": 919_722,
    }  # fmt: skip


def test_rank_prints_intervals_and_what_they_rest_on(cli) -> None:
    result = cli("rank", *MACRO[:3], "--predictor", "saved", "--json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    said = json.loads(result.output)
    flops = [row["flops"] for row in said["ranking"]]
    assert flops == sorted(flops, reverse=True)
    assert said["rests_on"] == "12 labels behind saved, none of these networks' own"
    assert all(row["low"] < row["predicted"] < row["high"] and row["measured"] is None for row in said["ranking"])
    assert {row["in_domain"] for row in said["ranking"]} <= {True, False}


def test_rank_with_measurements(cli) -> None:
    alone = cli("rank", *MACRO[:2], "nasbench_macro:20202020", "--measured", "labels.csv")
    assert alone.exit_code == 0, alone.output + repr(alone.exception)
    assert "Rests on 6 networks measured here alone." in alone.output
    assert all(model in alone.output for model in (*MACRO, "nasbench_macro:20202020"))
    both = cli("rank", *MACRO[:2], "--measured", "labels.csv", "--predictor", "saved")
    assert "12 labels behind saved, corrected by 6 measured here" in both.output
    places = [line.split()[-1] for line in both.output.splitlines()[1:-1]]
    assert places == sorted(MACRO, key=lambda model: -read_model(model).flops)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "--start", MACRO[0]), "give either --predictor or --labels"),
        (("search", "--start", MACRO[0], "--predictor", "saved", "--labels", "labels.csv"), "needs one predictor"),
        (("search", "--start", MACRO[0], "--predictor", "absent"), "a checkpoint must be one of"),
        (("search", "--start", MACRO[0], "--predictor", "saved", "--least", "2"), "widen the band"),
        (("search", "--start", "nothing", "--predictor", "saved"), "a model must be an ONNX file"),
        (("search", "--start", MACRO[0], "--labels", "absent.csv"), "labels are a CSV file"),
        (("search", "--start", MACRO[0], "--labels", "empty.csv"), "has no row"),
        (("search", "--start", MACRO[0], "--labels", "wrong.csv"), "with the columns model and accuracy"),
        (("rank", MACRO[0]), "give --predictor or --measured"),
        (("rank", MACRO[0], "--predictor", "absent"), "a checkpoint must be one of"),
        (("rank", "broken.npz", "--predictor", "saved"), "an .npz file must hold a graph"),
        (("rank", "absent.npz", "--predictor", "saved"), "an .npz file must hold a graph"),
    ],
)
def test_refusals(cli, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty.csv").write_text("model,accuracy\n")
    (tmp_path / "wrong.csv").write_text("model,top1\na,0.5\n")
    (tmp_path / "broken.npz").write_bytes(b"PK no")
    result = cli(*arguments)
    assert isinstance(result.exception, ForetellError), repr(result.exception) + result.output
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
