"""Damaged graphs, ONNX files and stores: our error or a sound result, never another error, never much memory.

`FORETELL_FUZZ=2000` sets how many files are damaged; seeds are fixed, so that a file that failed once fails again.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foretell.capture import nasbench201
from foretell.errors import CaptureWarning, ForetellError
from foretell.graph import ComputationGraph
from foretell.graph_shard import file_name
from foretell.graph_store import GraphStore

FILES = int(os.environ.get("FORETELL_FUZZ", "300"))
MOST_MEMORY = 400 * 2**20
GRAPH = nasbench201.graph((2, 3, 4, 0, 1, 2), cells=1)
ODD = (0, 1, -1, 2, 7, 255, 2**15, 2**31 - 1, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63))


@pytest.fixture(autouse=True)
def bounded() -> Any:
    """Neither a warning of a library nor much memory; what is outside the vocabulary may be told."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CaptureWarning)
        yield
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < MOST_MEMORY


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to four changes: bytes flipped, set, cut out, doubled or put in, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 32))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + size] = bytes([rng.choice((0, 1, 127, 128, 255))]) * size
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size * 8]
        elif kind == 4:
            data[at:at] = rng.randbytes(size)
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def survives(read: Any) -> bool:
    """Whether reading worked; our own errors are fine, any other leaves this function."""
    try:
        graphs = read()
    except ForetellError:
        return False
    for graph in graphs:
        assert len(graph.digest) == 32
        assert graph.params >= 0
        assert repr(graph)
    return True


def test_damaged_arrays() -> None:
    rng = random.Random(1)
    arrays = GRAPH.to_arrays()
    sound = 0
    for _ in range(FILES):
        changed = dict(arrays)
        for _ in range(rng.randint(1, 3)):
            name = rng.choice(list(arrays))
            array = np.array(changed.get(name, arrays[name]))
            kind = rng.randrange(6)
            if kind == 0 and array.size:
                with np.errstate(all="ignore"):
                    array = array.astype(np.int64)
                array.flat[rng.randrange(array.size)] = rng.choice(ODD)
            elif kind == 1:
                array = array[: rng.randrange(len(array) + 1)] if array.ndim else array
            elif kind == 2:
                with np.errstate(all="ignore"):
                    array = array.astype(rng.choice((np.float64, np.float16, np.int8, np.bool_, np.uint64, np.str_)))
            elif kind == 3:
                array = array.reshape(rng.choice(((-1,), (1, -1), (-1, 1), (*array.shape, 1))))
            elif kind == 4 and array.size:
                array = np.full(array.shape, rng.choice((np.nan, np.inf, -1.5, 3.0)))
            else:
                changed.pop(name, None)
                continue
            changed[name] = array
        sound += survives(lambda changed=changed: [ComputationGraph.from_arrays(changed)])
    assert sound < FILES


def onnx_models() -> list[Any]:
    """A network of each kind of operator that reads attributes, and one with functions and subgraphs."""
    onnx = pytest.importorskip("onnx")
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def weight(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)

    def ints(name: str, *values: int) -> Any:
        return onnx.numpy_helper.from_array(np.array(values, np.int64), name)

    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("mine", 1)]
    image = onnx.helper.make_graph(
        [
            make("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=1),
            make("BatchNormalization", ["c", "s", "s", "s", "s"], ["n"]), make("Clip", ["n", "low", "high"], ["r"]),
            make("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            make("ConvTranspose", ["p", "t"], ["u"], strides=[2, 2], kernel_shape=[2, 2]),
            make("Pad", ["u", "pads"], ["d"]), make("Slice", ["d", "zero", "four"], ["l"]),
            make("Concat", ["l", "l"], ["k"], axis=0), make("Resize", ["k", "", "scales"], ["z"]),
            make("Split", ["z"], ["z0", "z1"], axis=2), make("Add", ["z0", "z1"], ["a"]),
            make("ReduceMean", ["a"], ["m"], axes=[2, 3], keepdims=0), make("Shape", ["m"], ["shape"]),
            make("Reshape", ["m", "shape"], ["f"]), make("Gemm", ["f", "g"], ["out"], transB=1),
        ],
        "image", [tensor("x", 1, ["n", 3, 8, 8])], [tensor("out", 1, None)],
        [weight("w", 4, 3, 3, 3), *(weight(n, 4) for n in "bs"), weight("t", 4, 4, 2, 2), weight("g", 5, 4),
         onnx.numpy_helper.from_array(np.float32(0), "low"), onnx.numpy_helper.from_array(np.float32(6), "high"),
         ints("pads", 0, 0, 1, 1, 0, 0, 1, 1), ints("zero", 0), ints("four", 4), weight("scales", 4)],
    )  # fmt: skip
    then = onnx.helper.make_graph([make("Relu", ["e"], ["i"])], "then", [], [tensor("i", 1, None)])
    text = onnx.helper.make_graph(
        [
            make("Gather", ["table", "x"], ["e"]), make("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
            make("LSTM", ["t", "w", "r"], ["y"], hidden_size=4), make("Squeeze", ["y", "one"], ["q"]),
            make("Twice", ["q"], ["v"], domain="mine"), make("MatMul", ["v", "p"], ["h"]),
            make("Add", ["h", "bias"], ["o"]), make("Einsum", ["o", "o"], ["s"], equation="ijk,ijk->ij"),
            make("Constant", [], ["yes"], value=onnx.numpy_helper.from_array(np.array(True), "yes")),
            make("If", ["yes"], ["i"], then_branch=then, else_branch=then), make("Softmax", ["s"], ["out"], axis=-1),
        ],
        "text", [tensor("x", 7, [1, 6])], [tensor("out", 1, None)],
        [weight("table", 9, 8), weight("w", 1, 16, 8), weight("r", 1, 16, 4), weight("p", 4, 4), weight("bias", 4),
         ints("one", 1)],
    )  # fmt: skip
    body = [make("Sigmoid", ["a"], ["k"]), make("Mul", ["a", "k"], ["b"])]
    twice = onnx.helper.make_function("mine", "Twice", ["a"], ["b"], body, opsets)
    return [
        onnx.helper.make_model(image, opset_imports=opsets),
        onnx.helper.make_model(text, opset_imports=opsets, functions=[twice]),
    ]


def bent(model: Any, rng: random.Random) -> bytes:
    """A sound protobuf that breaks the rules above it: odd numbers, other names, nodes moved or gone."""
    twin = type(model)()
    twin.CopyFrom(model)
    graph = twin.graph
    for _ in range(rng.randint(1, 3)):
        if not graph.node:
            break
        node = rng.choice(graph.node)
        kind = rng.randrange(7)
        if kind == 0 and node.attribute:
            attribute = rng.choice(node.attribute)
            attribute.i = rng.choice(ODD)
            attribute.ints[:] = [rng.choice(ODD) for _ in range(rng.choice((0, 1, 2, len(attribute.ints), 9)))]
        elif kind == 1 and graph.initializer:
            item = rng.choice(graph.initializer)
            item.dims[:] = [rng.choice(ODD) for _ in range(rng.choice((0, 1, 2, len(item.dims), 40)))]
        elif kind == 2:
            dims = rng.choice([*graph.input, *graph.output]).type.tensor_type.shape.dim
            for dim in dims:
                dim.dim_value = rng.choice(ODD)
        elif kind == 3 and node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(("", "x", "out", "nowhere", node.output[0]))
        elif kind == 4:
            node.op_type = rng.choice([n.op_type for n in graph.node] + ["Loop", "Scan", "Attention", "TopK", ""])
        elif kind == 5:
            del node.input[rng.randrange(len(node.input) + 1) :]
        else:
            graph.node.remove(node)
    return bytes(twin.SerializeToString())


@pytest.mark.parametrize("kind", ["bytes", "rules"])
def test_damaged_onnx_files(kind: str) -> None:
    models = onnx_models()
    contents = [model.SerializeToString() for model in models]
    assert all(survives(lambda c=c: [ComputationGraph.from_onnx(c)]) for c in contents)
    rng = random.Random(2)
    for i in range(FILES // 2):
        which = i % len(models)
        content = damaged(contents[which], rng) if kind == "bytes" else bent(models[which], rng)
        survives(lambda content=content: [ComputationGraph.from_onnx(content)])


def test_damaged_stores(tmp_path: Path) -> None:
    rng = random.Random(3)
    source = tmp_path / "source"
    graphs = [nasbench201.graph((2, k, 0, 0, 0, 0), cells=1) for k in range(4)]
    store = GraphStore(source, shard_size=2)
    store.add(graphs)
    store.note_built({bytes(16): graphs[0].digest})
    files = sorted(source.iterdir())
    for i in range(FILES):
        folder = tmp_path / f"store{i}"
        shutil.copytree(source, folder)
        target = folder / rng.choice(files).name
        content = damaged(target.read_bytes(), rng)
        if target.suffix == ".safetensors" and rng.random() < 0.7:  # as if somebody had meant it
            target.unlink()
            target = folder / file_name(rng.randrange(4), content)
            if rng.random() < 0.8:
                (folder / "index.jsonl").unlink()
        target.write_bytes(content)

        def read(folder: Path = folder) -> list[ComputationGraph]:
            store = GraphStore(folder)
            store.add(graphs[:1])
            return [*store, *map(store.get, store.digests())]

        survives(read)
        shutil.rmtree(folder)
