"""Sound ONNX models to be damaged, and protobufs that break the rules above them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from damage import ODD as _ODD

ODD = _ODD[:13]  # of 64 bits


def onnx_models() -> list[Any]:
    """A network of each kind of operator that reads attributes, and one with functions and subgraphs."""
    import onnx

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
