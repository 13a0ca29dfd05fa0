"""`foretell show`: what it reads, what it prints, what it draws, and its refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from foretell.capture import nasbench201
from foretell.errors import ForetellError
from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli

CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
NETS = """
import torch
from foretell.capture import nasbench201

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(50, 8)
        assert self.table.weight.is_meta

    def forward(self, x):
        return self.table(x)

def conv():
    return torch.nn.Conv2d(3, 4, 3)

def numbers():
    return torch.nn.Conv2d(3, int(torch.tensor(4.0).item()), 3)

def graph():
    return nasbench201.graph((2, 0, 0, 2, 0, 2))

def broken():
    raise OSError("no such thing")

def seven():
    return 7

ready = torch.nn.ReLU()
"""


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs the command in a folder that has a module of networks."""
    (tmp_path / "shown_nets.py").write_text(NETS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shown_nets", raising=False)
    cli = build_cli(Plugins(environment={}, entry_points=[]))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["show", *arguments], catch_exceptions=True)

    return run


def test_a_specification_as_a_table_and_a_drawing(show, tmp_path: Path) -> None:
    result = show(f"nasbench201:{CELL}")
    graph = nasbench201.graph(CELL)
    assert result.exit_code == 0, result.output
    for name, value in [
        ("nodes", len(graph)),
        ("params", graph.params),
        ("flops", graph.flops),
        ("depth", graph.depth),
    ]:
        assert f"{name:10}{value:>18,}" in result.output
    assert f"{'Conv':16}{graph.op_counts()['Conv']:>10,}" in result.output
    (drawing,) = tmp_path.glob("*.svg")
    assert f"Drawing: {drawing.name}" in result.output
    assert "\N{MULTIPLICATION SIGN} 5" in drawing.read_text("utf-8")


def test_json(show, tmp_path: Path) -> None:
    result = show(f"nasbench201:{CELL}", "--json", "--out", "deep/net.html")
    said = json.loads(result.output)
    graph = nasbench201.graph(CELL)
    assert said == {
        "model": f"nasbench201:{CELL}", "nodes": len(graph), "edges": len(graph.edges), "params": graph.params,
        "flops": graph.flops, "depth": graph.depth, "ops": graph.op_counts(), "digest": graph.digest,
        "drawing": str(Path("deep/net.html")),
    }  # fmt: skip
    assert (tmp_path / "deep" / "net.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        (("shown_nets:Net", "--input", "1,6:int64"), 400),
        (("shown_nets:conv", "--input", "1,3,8,8"), 112),
        (("shown_nets:numbers", "--input", "1,3,8,8"), 112),
        (("shown_nets:ready", "--input", "1,3"), 0),
        (("shown_nets:graph",), nasbench201.graph((2, 0, 0, 2, 0, 2)).params),
        (("nasbench_macro:02012100",), 890_666),
        (('ofa_mobilenetv3:{"ks":7,"e":6,"d":4,"r":224}',), 7_664_760),
        (('ofa_mobilenetv3_w12:{"ks":7,"e":6,"d":4,"r":224}',), 10_701_632),
        (("nasbench101:[[[0,1,0],[0,0,1],[0,0,0]],[\"input\",\"conv3x3-bn-relu\",\"output\"]]",), None),
    ],
)  # fmt: skip
def test_modules_graphs_and_json_specifications(show, tmp_path: Path, arguments: tuple, params: int | None) -> None:
    result = show(*arguments, "--json", "--no-drawing")
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert json.loads(result.output)["params"] == params or params is None
    assert not list(tmp_path.glob("*.svg"))
    assert str(tmp_path) not in sys.path


def test_an_onnx_file(show, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([make("Relu", ["x"], ["y"])], "net", [tensor("x", 1, ["n", 4])],
                                   [tensor("y", 1, ["n", 4])])  # fmt: skip
    (tmp_path / "net.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    assert json.loads(show("net.onnx", "--json").output)["ops"] == {"Input": 1, "Output": 1, "ReLU": 1}
    assert (tmp_path / "net.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shown_nets:conv",), "got none: add --input"),
        (("shown_nets:broken", "--input", "1,3"), "raised OSError: no such thing"),
        (("shown_nets:absent", "--input", "1,3"), "raised AttributeError"),
        (("no_such_module:x", "--input", "1,3"), "raised ModuleNotFoundError"),
        (("shown_nets:seven", "--input", "1,3"), "got int"),
        (("shown_nets:conv", "--input", "1,x"), "an input is a shape"),
        (("shown_nets:conv", "--input", "1,3:complex64"), "an input is a shape"),
        (("absent.onnx",), "must be readable"),
        (("just text",), "a model must be an ONNX file"),
        (("nasbench201:|x|",), "a NAS-Bench-201 cell must be"),
        (("nasbench101:[1",), "must be JSON"),
        (("nasbench101:[1]",), "must be a pair of a matrix and its operators"),
        (("nasbench301:[1]",), "`nasbench301` needs one of its specifications, such as [[[0,"),
        (("nasbench_macro:0123",), "must be 8 digits from 0 to 2"),
        (("shown_nets:ready", "--out", "net.png"), "an .svg or an .html file"),
    ],
)
def test_refusals(show, arguments: tuple, message: str) -> None:
    result = show(*arguments)
    assert isinstance(result.exception, ForetellError), repr(result.exception)
    assert message in str(result.exception)


def test_a_file_that_unpacks_to_far_more_than_a_graph_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from foretell_plugins import show

    monkeypatch.setattr(show, "_LARGEST_GRAPH", 2**20)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, op=np.zeros(2**20 + 1, dtype=np.uint8))
    assert path.stat().st_size < 2**12
    with pytest.raises(ForetellError, match="it unpacks to"):
        show.read_model(str(path))
