"""From one ONNX operator to the PyTorch call that does the same, so that `foretell.capture.translation` serves both.

Only names, windows and the order of the tensors matter here: shapes come from the file, and nothing is computed.
Operators without a name below become `Unknown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch


class OnnxCall(NamedTuple):
    """An operator with its tensors: `inputs` has None for what is left out, `known` the values of scalar constants."""

    op: str
    attributes: Mapping[str, Any]
    inputs: Sequence[torch.Tensor | None]
    known: Sequence[float | None]
    output: torch.Tensor
    learnt: Sequence[bool]

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """The inputs that are there."""
        return tuple(t for t in self.inputs if t is not None)

    def ints(self, name: str, default: Sequence[int]) -> list[int]:
        """An attribute that is a list of whole numbers."""
        return [int(v) for v in self.attributes.get(name, default)]


_NAMES: dict[str, str] = {
    "Abs": "abs", "Acos": "acos", "Add": "add", "And": "logical_and", "ArgMax": "argmax", "ArgMin": "argmin",
    "BatchNormalization": "batch_norm", "Celu": "celu", "Ceil": "ceil", "Concat": "cat", "Cos": "cos",
    "CumSum": "cumsum", "DepthToSpace": "pixel_shuffle", "Div": "div", "Elu": "elu", "Equal": "eq", "Erf": "erf",
    "Exp": "exp", "Floor": "floor", "GRU": "gru", "GatherElements": "gather", "GatherND": "gather", "Gelu": "gelu",
    "GlobalAveragePool": "adaptive_avg_pool2d", "GlobalMaxPool": "adaptive_max_pool2d", "Greater": "gt",
    "GreaterOrEqual": "ge", "GroupNormalization": "group_norm", "HardSigmoid": "hardsigmoid", "HardSwish": "hardswish",
    "InstanceNormalization": "instance_norm", "LSTM": "lstm", "LayerNormalization": "layer_norm",
    "LeakyRelu": "leaky_relu", "Less": "lt", "LessOrEqual": "le", "Log": "log", "LogSoftmax": "log_softmax",
    "LpNormalization": "normalize", "Max": "max", "Mean": "add", "Min": "min", "Mish": "mish", "Mod": "remainder",
    "Mul": "mul", "Neg": "neg", "Not": "logical_not", "Or": "logical_or", "PRelu": "prelu", "Pad": "pad", "Pow": "pow",
    "RMSNormalization": "rms_norm", "RNN": "rnn_tanh", "Reciprocal": "div", "ReduceL1": "norm", "ReduceL2": "norm",
    "ReduceLogSumExp": "sum", "ReduceMax": "amax", "ReduceMean": "mean", "ReduceMin": "amin", "ReduceProd": "sum",
    "ReduceSum": "sum", "ReduceSumSquare": "sum", "Relu": "relu", "Resize": "interpolate", "Round": "round",
    "ScatterElements": "where", "ScatterND": "where", "Selu": "selu", "Shape": "shape", "Sigmoid": "sigmoid",
    "Sin": "sin", "Size": "numel", "Softmax": "softmax", "Softplus": "softplus", "Softsign": "softsign",
    "SpaceToDepth": "pixel_unshuffle", "Split": "split", "Sqrt": "sqrt", "Sub": "sub", "Sum": "add", "Swish": "silu",
    "Tanh": "tanh", "Upsample": "interpolate", "Where": "where", "Sign": "sign", "Tile": "repeat", "TopK": "topk",
    "Einsum": "einsum", "Trilu": "tril",
}  # fmt: skip
_MOVES = frozenset({
    "Cast", "CastLike", "DequantizeLinear", "Dropout", "Expand", "Flatten", "Identity", "QuantizeLinear", "Reshape",
    "Squeeze", "Unsqueeze",
})  # fmt: skip
"""Operators that pass their first input on; the others say how."""
RUNNING = {"BatchNormalization": (3, 4), "LSTM": (4, 5, 6), "GRU": (4, 5), "RNN": (4, 5), "DequantizeLinear": (1, 2),
           "QuantizeLinear": (1, 2), "Resize": (1, 2), "Upsample": (1,), "Pad": (2,)}  # fmt: skip
"""Inputs that are floating point numbers of the file and yet not learnt: statistics, states, scales."""
VALUES = frozenset({"Identity", "Cast", "CastLike", "Constant"})
"""Operators through which a constant's value is followed."""


def as_torch(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    """Name and positional arguments of the PyTorch call that does what an ONNX operator does.

    >>> import torch
    >>> x = torch.zeros(1, 8)
    >>> as_torch(OnnxCall("Relu", {}, [x], [None], x, [False]))[0]
    'relu'
    """
    special = _SPECIAL.get(call.op)
    if special is not None:
        return special(call)
    if call.op in _MOVES:
        return "view", call.tensors()[:1]
    return _NAMES.get(call.op, f"onnx_{call.op}"), call.tensors()


def _dims(call: OnnxCall) -> int:
    first = call.inputs[0]
    return max(1, first.dim() - 2) if first is not None else 2


def _window(call: OnnxCall) -> tuple[list[int], list[int], list[int]]:
    dims = _dims(call)
    return (call.ints("kernel_shape", [1] * dims), call.ints("strides", [1] * dims), call.ints("dilations", [1] * dims))


def _conv(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    _, stride, dilation = _window(call)
    groups, dims = int(call.attributes.get("group", 1)), _dims(call)
    bias = call.inputs[2] if len(call.inputs) > 2 and call.learnt[2] else None  # exporters write zeros for none
    if call.op == "ConvTranspose":
        return f"conv_transpose{dims}d", (*call.inputs[:2], bias, stride, 0, 0, groups, dilation)
    return f"conv{dims}d", (*call.inputs[:2], bias, stride, 0, dilation, groups)


def _pool(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    kernel, stride, dilation = _window(call)
    if call.op == "MaxPool":
        return f"max_pool{_dims(call)}d", (call.inputs[0], kernel, stride, 0, dilation)
    return f"avg_pool{_dims(call)}d", (call.inputs[0], kernel, stride)


def _gemm(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    name = "linear" if call.learnt[1] else "matmul"
    return name, (call.inputs[0], call.inputs[1], *[t for t in call.inputs[2:3] if t is not None])


def _matmul(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    linear = call.learnt[1] and not call.learnt[0]
    return ("linear" if linear else "matmul"), call.tensors()


def _clip(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    low, high = (
        call.attributes.get(name, call.known[i] if len(call.known) > i else None)
        for i, name in enumerate(("min", "max"), start=1)
    )
    relu6 = low is not None and high is not None and (low, high) == (0.0, 6.0)
    relu = low is not None and high is None and low == 0.0
    return ("relu6" if relu6 else "relu" if relu else "clamp"), call.inputs[:1]  # type: ignore[return-value]


def _gather(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    table, indices = call.tensors()[:2]
    if call.learnt[0]:
        return "embedding", (indices, table)
    return ("slice" if indices.dim() == 0 else "index_select"), (table, indices)


def _slice(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    source = call.tensors()[0]
    return ("slice" if call.output.numel() < source.numel() else "view"), (source,)


def _transpose(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    source = call.tensors()[0]
    return "permute", (source, call.ints("perm", range(source.dim() - 1, -1, -1)))


def _einsum(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    return "einsum", (bytes(call.attributes["equation"]).decode("ascii", "replace"), *call.tensors())


def _attention(call: OnnxCall) -> tuple[str, tuple[Any, ...]]:
    return "scaled_dot_product_attention", call.tensors()


_SPECIAL: dict[str, Callable[[OnnxCall], tuple[str, tuple[Any, ...]]]] = {
    "Conv": _conv, "ConvTranspose": _conv, "MaxPool": _pool, "AveragePool": _pool, "LpPool": _pool, "Gemm": _gemm,
    "MatMul": _matmul, "Clip": _clip, "Gather": _gather, "Slice": _slice, "Transpose": _transpose, "Einsum": _einsum,
    "Attention": _attention,
}  # fmt: skip
