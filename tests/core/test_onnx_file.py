"""ONNX import: equal to the captured module where the exporter keeps its operators, and refusals of everything else."""

from __future__ import annotations

import io
import itertools
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper

from foretell.capture import onnx_wire
from foretell.capture.onnx_file import read_onnx
from foretell.errors import CaptureError, CaptureWarning, InvalidArchitectureError
from foretell.graph import ComputationGraph


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.c2, self.b2 = nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.pool, self.down, self.fc = nn.MaxPool2d(3, 2, 1), nn.Conv2d(16, 32, 1, stride=2), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.b1(self.c1(x)))
        x = torch.relu(x + self.b2(self.c2(x)))
        x = self.pool(self.down(x))
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Recurrent(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.rnn, self.fc = nn.LSTM(8, 16, num_layers=layers, batch_first=True), nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.rnn(x)[0])


def depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 8, 5, 1, 4, 2, groups=8, bias=False),
        nn.BatchNorm2d(8), nn.Hardswish(), nn.Conv2d(8, 16, 3, groups=2), nn.SiLU(), nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 7),
    )  # fmt: skip


def upsampler() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4, 2, 1), nn.LeakyReLU(), nn.Upsample(scale_factor=2), nn.PixelShuffle(2),
        nn.Conv2d(2, 1, 3),
    )  # fmt: skip


def language() -> nn.Module:
    return nn.Sequential(nn.Embedding(50, 16), nn.LayerNorm(16), nn.Linear(16, 50))


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu")
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


IMAGE = torch.zeros(1, 3, 32, 32)
SAME = {
    "residual": (Residual, IMAGE),
    "depthwise": (depthwise, IMAGE),
    "upsampler": (upsampler, torch.zeros(1, 4, 8, 8)),
    "language": (language, torch.zeros(1, 6, dtype=torch.long)),
    "recurrent": (lambda: Recurrent(1), torch.zeros(1, 5, 8)),
}


def exported(module: nn.Module, example: torch.Tensor, **options: Any) -> bytes:
    """What PyTorch's exporter writes, without the passes that fold operators into each other."""
    pytest.importorskip("onnxscript")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(), (example,), dynamo=True, optimize=False, opset_version=20, verbose=False, **options
        )
    return program.model_proto.SerializeToString()


@pytest.mark.parametrize("name", SAME)
def test_an_exported_module_is_the_captured_module(name: str) -> None:
    build, example = SAME[name]
    module = build()
    assert ComputationGraph.from_onnx(exported(module, example)) == ComputationGraph.from_module(module, example)


def test_a_transformer_differs_only_where_the_exporter_takes_attention_apart() -> None:
    module, example = encoder(), torch.zeros(1, 10, 32)
    read = ComputationGraph.from_onnx(exported(module, example))
    captured = ComputationGraph.from_module(module, example)
    assert (read.params, read.flops) == (captured.params, captured.flops)
    ops, expected = read.op_counts(), captured.op_counts()
    layers = expected.pop("Attention")
    apart = {"BatchMatMul": 2 * layers, "Softmax": layers, "Slice": 3 * layers}
    assert {k: v for k, v in ops.items() if k not in apart} == {k: v for k, v in expected.items() if k not in apart}
    assert {k: ops[k] for k in apart} == apart


def test_two_recurrent_layers_are_two_operators_in_the_file() -> None:
    module, example = Recurrent(2), torch.zeros(1, 5, 8)
    read = ComputationGraph.from_onnx(exported(module, example))
    captured = ComputationGraph.from_module(module, example)
    assert read.op_counts()["Rnn"] == 2
    assert read.params == captured.params == sum(p.numel() for p in module.parameters())
    assert read.flops == captured.flops


def test_a_free_batch_is_one_and_other_free_sizes_are_asked_for() -> None:
    dim = torch.export.Dim
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    shapes = ({0: dim("n"), 2: dim("h", min=8, max=99)},)
    content = exported(module, torch.zeros(2, 3, 16, 16), dynamic_shapes=shapes, input_names=["image"])
    with pytest.raises(CaptureError, match=r"every dimension of an input needs a size, but 'image' of .* leaves \[2\]"):
        ComputationGraph.from_onnx(content)
    read = ComputationGraph.from_onnx(content, shapes={"image": (1, 3, 20, 16)})
    assert read == ComputationGraph.from_module(module, torch.zeros(1, 3, 20, 16))
    with pytest.raises(CaptureError, match=r"'image' of .* has \[0, 3, 0, 16\] .* and got \(1, 4, 20, 16\)"):
        ComputationGraph.from_onnx(content, shapes={"image": (1, 4, 20, 16)})
    with pytest.raises(CaptureError, match=r"must name inputs of the model, but \['picture'\] are none"):
        ComputationGraph.from_onnx(content, shapes={"image": (1, 3, 20, 16), "picture": (1,)})


def test_a_file_on_disk_and_a_folded_export_with_weights_beside_it(tmp_path: Path) -> None:
    module = Residual().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, (IMAGE,), dynamo=True, optimize=True, verbose=False)
    program.save(str(tmp_path / "net.onnx"), external_data=True)
    (tmp_path / "net.onnx.data").unlink()  # weights are never looked at
    read = ComputationGraph.from_onnx(tmp_path / "net.onnx")
    captured = ComputationGraph.from_module(module, IMAGE)
    assert read.flops == captured.flops
    assert "BatchNorm" not in read.op_counts()  # the exporter folds it into the convolution before it


# ----- another exporter: models written by hand


def weight(name: str, *shape: int) -> TensorProto:
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def model(nodes: list, inputs: list, outputs: list, weights: list = (), **more: Any) -> bytes:  # type: ignore[assignment]
    graph = helper.make_graph(nodes, "net", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("mine", 1)]
    return helper.make_model(graph, opset_imports=opsets, **more).SerializeToString()


def perceptron(**more: Any) -> bytes:
    """A multilayer perceptron as converters of scikit-learn write it: products and additions, a symbolic batch."""
    make = helper.make_node
    nodes = [
        make("Cast", ["X"], ["x"], to=TensorProto.FLOAT), make("MatMul", ["x", "w0"], ["m0"]),
        make("Add", ["m0", "b0"], ["a0"]), make("Relu", ["a0"], ["h0"]), make("MatMul", ["h0", "w1"], ["m1"]),
        make("Add", ["m1", "b1"], ["a1"]), make("Softmax", ["a1"], ["probabilities"]),
    ]  # fmt: skip
    weights = [weight("w0", 4, 16), weight("b0", 16), weight("w1", 16, 3), weight("b1", 3)]
    return model(nodes, [value("X", "N", 4)], [value("probabilities", "N", 3)], weights, **more)


def test_products_and_additions_are_the_linear_layers_they_were() -> None:
    module = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(-1))
    read = ComputationGraph.from_onnx(perceptron())
    assert read == ComputationGraph.from_module(module, torch.zeros(1, 4))
    assert (read.params, read.flops) == (4 * 16 + 16 + 16 * 3 + 3, 2 * (4 * 16 + 16 * 3))


def test_a_shared_weight_counts_once() -> None:
    make = helper.make_node
    nodes = [make("MatMul", ["x", "w"], ["y"]), make("Relu", ["y"], ["z"]), make("MatMul", ["z", "w"], ["out"])]
    read = read_onnx(model(nodes, [value("x", 1, 4)], [value("out", 1, 4)], [weight("w", 4, 4)]))
    assert (read.params, read.flops) == (16, 2 * 2 * 16)


def test_old_files_name_weights_among_their_inputs() -> None:
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["out"], transB=1)]
    inputs = [value("x", 1, 4), value("w", 3, 4), value("b", 3)]
    read = read_onnx(model(nodes, inputs, [value("out", 1, 3)], [weight("w", 3, 4), weight("b", 3)]))
    assert read == ComputationGraph.from_module(nn.Linear(4, 3), torch.zeros(1, 4))


def test_a_function_of_the_model_is_written_out_where_it_is_called() -> None:
    body = [helper.make_node("Relu", ["a"], ["r"]), helper.make_node("Sigmoid", ["r"], ["b"])]
    function = helper.make_function("mine", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    call = helper.make_node("Twice", ["x"], ["out"], domain="mine")
    read = read_onnx(model([call], [value("x", 1, 4)], [value("out", 1, 4)], functions=[function]))
    assert read.op_counts() == {"Input": 1, "Output": 1, "ReLU": 1, "Sigmoid": 1}


@pytest.mark.parametrize("calls", [1, 10])
def test_functions_that_never_end_or_grow_without_measure_are_refused(calls: int) -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    functions = []
    for i in range(9):
        inner = f"F{(i + 1) % 9 if calls == 1 else i + 1}"
        body = [helper.make_node(inner, ["a"], [f"b{k}" if k else "b"], domain="mine") for k in range(calls)]
        functions.append(helper.make_function("mine", f"F{i}", ["a"], ["b"], body, opsets))
    call = helper.make_node("F0", ["x"], ["out"], domain="mine")
    content = model([call], [value("x", 1, 4)], [value("out", 1, 4)], functions=functions)
    with pytest.raises(CaptureError, match="must not call themselves" if calls == 1 else "may have 100000 operators"):
        read_onnx(content)


def test_unknown_operators_warn_once_and_too_many_are_an_error() -> None:
    def chain(strange: int, plain: int) -> bytes:
        names = ["x", *(f"v{i}" for i in range(strange + plain - 1)), "out"]
        nodes = [
            helper.make_node("Relu" if i >= strange else "Fancy", [a], [b], domain="" if i >= strange else "mine")
            for i, (a, b) in enumerate(itertools.pairwise(names))
        ]
        graph = helper.make_graph(nodes, "net", [value("x", 1, 4)], [value("out", 1, 4)])
        graph.value_info.extend(value(name, 1, 4) for name in names[1:-1])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)])
        return made.SerializeToString()

    with pytest.warns(CaptureWarning, match="outside the vocabulary.*Fancy") as caught:
        assert read_onnx(chain(1, 5)).op_counts()["Unknown"] == 1
    assert len(caught) == 1
    with pytest.warns(CaptureWarning), pytest.raises(CaptureError, match=r"at most 25%.*register_operation"):
        read_onnx(chain(4, 6))


# ----- what is refused


@pytest.mark.parametrize("cut", [1, 60, 200])
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(perceptron()[:-cut])
    with pytest.raises(CaptureError, match=r"cut off or damaged at byte \d+: export it again|rules of its format"):
        ComputationGraph.from_onnx(path)


def test_no_file_an_empty_one_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(CaptureError, match="is empty"):
        read_onnx(tmp_path / "empty.onnx")
    with pytest.raises(CaptureError, match=r"must be readable, but .*none.onnx is not"):
        read_onnx(tmp_path / "none.onnx")
    with pytest.raises(CaptureError, match="check the path"):
        read_onnx(tmp_path)


def test_external_data_is_never_opened_wherever_it_points(tmp_path: Path) -> None:
    content = onnx.load_model_from_string(perceptron())
    for item in content.graph.initializer:
        item.ClearField("raw_data")
        item.data_location = TensorProto.EXTERNAL
        item.external_data.add(key="location", value="../../../../secret")
    written = content.SerializeToString()
    assert b"secret" in written
    assert b"secret" not in onnx_wire.skeleton(written)
    assert read_onnx(written) == read_onnx(perceptron())


def test_weights_are_left_where_they_are() -> None:
    content = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], [value("x", 1, 999)], [value("y", 1, 999)],
        [weight("w", 999, 999)],
    )  # fmt: skip
    assert len(onnx_wire.skeleton(content)) < 400 < 999 * 999 * 4 < len(content)


def test_limits_on_fields_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_wire, "MOST_FIELDS", 30)
    with pytest.raises(CaptureError, match="may have 30 fields"):
        read_onnx(perceptron())
    monkeypatch.setattr(onnx_wire, "MOST_FIELDS", 9999)
    monkeypatch.setattr(onnx_wire, "MOST_BYTES", 40)
    with pytest.raises(CaptureError, match="may hold 40 bytes beside its weights"):
        read_onnx(perceptron())


def test_absurd_sizes_are_refused() -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    with pytest.raises(CaptureError, match=r"2\^45 numbers, but 'x'"):
        read_onnx(model(nodes, [value("x", 1, 2**31 - 1, 2**31 - 1)], [value("y", 1, 2**31 - 1, 2**31 - 1)]))


def test_a_value_that_nothing_makes_is_refused() -> None:
    nodes = [helper.make_node("Add", ["x", "nowhere"], ["y"])]
    with pytest.raises((CaptureError, InvalidArchitectureError), match="nowhere"):
        read_onnx(model(nodes, [value("x", 1, 4)], [value("y", 1, 4)]))


def test_an_output_that_depends_on_no_input_is_refused() -> None:
    nodes = [helper.make_node("Relu", ["w"], ["y"])]
    with pytest.raises(CaptureError, match="must return a tensor that depends on its input"):
        read_onnx(model(nodes, [value("x", 1, 4)], [value("y", 4, 4)], [weight("w", 4, 4)]))


def test_an_einsum_on_which_the_package_would_never_end_is_refused() -> None:
    nodes = [helper.make_node("Einsum", ["x", "x"], ["y"], equation="ij\0\0->i")]
    with pytest.raises(CaptureError, match="rules of its format, but Einsum"):
        read_onnx(model(nodes, [value("x", 1, 4)], [value("y", 1)]))


def test_bytes_that_are_no_model() -> None:
    with pytest.raises(CaptureError):
        read_onnx(io.BytesIO(b"\x00\x01\x02" * 9).getvalue())
