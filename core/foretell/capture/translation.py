"""From one PyTorch call to one node: the table of operators, and the attributes that a node keeps.

The same table serves every route of capture, since functional calls (`torch.nn.functional.conv2d`) and the
operators of an exported program (`aten.conv2d`) share names and argument order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from foretell.graph import Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.graph import Shape

_OPERATORS: dict[str, str] = {
    "batch_norm": "BatchNorm", "native_batch_norm": "BatchNorm", "layer_norm": "LayerNorm", "rms_norm": "RMSNorm",
    "group_norm": "GroupNorm", "instance_norm": "InstanceNorm", "relu": "ReLU", "relu6": "ReLU6",
    "hardswish": "HardSwish", "hardsigmoid": "HardSigmoid", "silu": "Swish", "gelu": "GELU", "sigmoid": "Sigmoid",
    "tanh": "Tanh", "leaky_relu": "LeakyReLU", "prelu": "LeakyReLU", "rrelu": "LeakyReLU", "elu": "ELU",
    "selu": "ELU", "celu": "ELU", "softplus": "Softplus", "logsigmoid": "Softplus", "log_sigmoid": "Softplus",
    "mish": "Softplus", "add": "Add", "mul": "Mul", "multiply": "Mul", "sub": "Sub", "rsub": "Sub",
    "subtract": "Sub", "div": "Div", "truediv": "Div", "divide": "Div", "true_divide": "Div", "exp": "Exp",
    "pow": "Pow", "square": "Pow", "sqrt": "Sqrt", "rsqrt": "Sqrt", "log": "Log", "log_softmax": "Softmax",
    "softmax": "Softmax", "cat": "Concat", "concat": "Concat", "concatenate": "Concat", "stack": "Concat",
    "pad": "Pad", "constant_pad_nd": "Pad", "mean": "Mean", "sum": "Reduce", "amax": "Reduce", "amin": "Reduce",
    "var": "Reduce", "std": "Reduce", "norm": "Reduce", "linalg_vector_norm": "Reduce", "vector_norm": "Reduce",
    "cumsum": "Scan", "cumprod": "Scan", "pixel_shuffle": "DepthToSpace", "pixel_unshuffle": "SpaceToDepth",
    "interpolate": "Resize", "upsample": "Resize", "upsample_nearest2d": "Resize", "upsample_bilinear2d": "Resize",
    "chunk": "Split", "split": "Split", "split_with_sizes": "Split", "unbind": "Split", "tensor_split": "Split",
    "slice": "Slice", "select": "Slice", "narrow": "Slice", "index_select": "Gather", "gather": "Gather",
    "index": "Gather", "embedding": "Embedding", "lstm": "Rnn", "gru": "Rnn", "rnn_tanh": "Rnn", "rnn_relu": "Rnn",
    "maximum": "Max", "minimum": "Min", "max": "Max", "min": "Min", "where": "Where", "setitem": "Where",
    "masked_fill": "Where", "abs": "Elementwise", "neg": "Elementwise", "clamp": "Elementwise",
    "clip": "Elementwise", "sin": "Elementwise", "cos": "Elementwise", "erf": "Elementwise", "roll": "Elementwise",
    "flip": "Elementwise", "clamp_min": "Elementwise", "clamp_max": "Elementwise", "softsign": "Elementwise",
    "tanhshrink": "Elementwise", "hardshrink": "Elementwise", "softshrink": "Elementwise", "threshold": "Elementwise",
    "acos": "Elementwise", "asin": "Elementwise", "atan": "Elementwise", "atan2": "Elementwise", "tan": "Elementwise",
    "sinh": "Elementwise", "cosh": "Elementwise", "sign": "Elementwise", "floor": "Elementwise", "ceil": "Elementwise",
    "round": "Elementwise", "trunc": "Elementwise", "remainder": "Elementwise", "fmod": "Elementwise",
    "nan_to_num": "Elementwise", "rot90": "Elementwise", "logical_not": "Elementwise", "bitwise_not": "Elementwise",
    "eq": "Compare", "ne": "Compare", "lt": "Compare", "le": "Compare", "gt": "Compare", "ge": "Compare",
    "isin": "Compare", "isnan": "Compare", "isinf": "Compare", "isfinite": "Compare", "logical_and": "Compare",
    "logical_or": "Compare", "logical_xor": "Compare", "bitwise_and": "Compare", "bitwise_or": "Compare",
    "addcmul": "Add", "addcdiv": "Add", "lerp": "Add", "outer": "Mul", "floor_divide": "Div", "reciprocal": "Div",
    "glu": "Sigmoid", "exp2": "Exp", "expm1": "Exp", "log1p": "Log", "log2": "Log", "log10": "Log",
    "var_mean": "Reduce", "std_mean": "Reduce", "prod": "Reduce", "all": "Reduce", "any": "Reduce",
    "argmax": "Reduce", "argmin": "Reduce", "logsumexp": "Reduce", "histc": "Reduce", "bincount": "Reduce",
    "topk": "Reduce", "sort": "Scan", "argsort": "Scan", "logcumsumexp": "Scan", "unfold": "SpaceToDepth",
    "im2col": "SpaceToDepth", "col2im": "DepthToSpace", "scatter": "Where", "scatter_add": "Where",
    "scatter_reduce": "Where", "index_add": "Where", "index_put": "Where", "index_copy": "Where",
    "index_fill": "Where", "masked_scatter": "Where", "tril": "Where", "triu": "Where", "take_along_dim": "Gather",
    "masked_select": "Gather", "diagonal": "Gather", "real": "Slice", "imag": "Slice", "lstm_cell": "Rnn",
    "gru_cell": "Rnn", "rnn_tanh_cell": "Rnn", "rnn_relu_cell": "Rnn", "positive": "Identity",
    "zero": "Zero",
}  # fmt: skip
_WINDOWS = {"conv": "Conv", "conv_transpose": "ConvTranspose", "max_pool": "MaxPool", "avg_pool": "AvgPool",
            "lp_pool": "AvgPool", "adaptive_avg_pool": "AvgPool", "adaptive_max_pool": "MaxPool"}  # fmt: skip
LAYOUT = frozenset({
    "flatten", "unflatten", "view", "reshape", "view_as", "reshape_as", "transpose", "permute", "movedim",
    "swapaxes", "t", "mT", "T", "squeeze", "unsqueeze", "expand", "expand_as", "contiguous", "to", "type",
    "type_as", "float", "half", "double", "bfloat16", "cpu", "cuda", "clone", "detach", "alias",
    "lift_fresh", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
    "feature_alpha_dropout", "requires_grad_", "broadcast_to", "repeat", "repeat_interleave",
    "_assert_tensor_metadata", "unsafe_view", "ravel", "data", "getitem_index", "int", "long", "short", "bool", "copy",
    "view_as_complex", "view_as_real", "moveaxis", "swapdims",
})  # fmt: skip
"""Calls that only move or rename numbers: no node, the edge goes through."""
FACTORIES = frozenset({
    "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_zeros",
    "new_ones", "new_empty", "new_full", "new_tensor", "size", "shape", "dim", "numel",
})  # fmt: skip
"""Calls that look only at a tensor's shape: their result is a constant."""
JOINS = frozenset({"Add", "Mul", "Concat", "Sub", "Div", "Where", "Max", "Min"})
"""Operators that vanish when, apart from constants, only one tensor enters (`x + 3`)."""
_CHANNELS_FIRST = frozenset({"batch_norm", "group_norm", "instance_norm"})
_CHANNELS_LAST = frozenset({
    "linear", "layer_norm", "rms_norm", "embedding", "scaled_dot_product_attention", "lstm", "gru",
    "rnn_tanh", "rnn_relu",
})  # fmt: skip
PRODUCTS = frozenset({"matmul", "mm", "bmm", "baddbmm", "einsum", "tensordot", "grouped_mm"})
COUNTED = frozenset({"Conv", "ConvTranspose", "MatMul", "BatchMatMul", "Attention", "Rnn"})
"""Operators that have FLOPs."""


_AUGMENTED = frozenset({"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"})


def normalised(name: str) -> str:
    """The name shared by all spellings of a call: `relu_` becomes `relu`, `__iadd__` becomes `add`.

    >>> [normalised(n) for n in ("relu_", "__iadd__", "__rmul__", "max_pool2d_with_indices", "_softmax")]
    ['relu', 'add', 'mul', 'max_pool2d', 'softmax']
    """
    bare = name.strip("_")
    if name.startswith("__") and bare[0] in "ir" and bare[1:] in {"add", "mul", "sub", "truediv", "pow", "matmul"}:
        bare = "rsub" if bare == "rsub" else bare[1:]
    return bare.removesuffix("_with_indices").removesuffix("_fallback")


def in_place(name: str) -> bool:
    """Whether a call, by the name it was called by, changes its first argument.

    >>> [in_place(n) for n in ("relu_", "__iadd__", "__setitem__", "relu", "__add__", "__invert__")]
    [True, True, True, False, False, False]
    """
    if name.startswith("__"):
        bare = name.strip("_")
        return bare == "setitem" or (bare[0] == "i" and bare[1:] in _AUGMENTED)
    return name.endswith("_")


def operator_of(name: str) -> str | None:
    """The vocabulary's name for a call, None where there is none."""
    if name in _OPERATORS:
        return _OPERATORS[name]
    if name[-2:] in {"1d", "2d", "3d"}:
        return _WINDOWS.get(name[:-2])
    if name in PRODUCTS:
        return "BatchMatMul"
    return {"linear": "MatMul", "addmm": "MatMul", "scaled_dot_product_attention": "Attention",
            "hardtanh": "ReLU6", "adaptive_avg_pool": "AvgPool"}.get(name)  # fmt: skip


def known(name: str) -> bool:
    """Whether a call has a meaning here: an operator, a change of layout, or a constant."""
    name = normalised(name)
    return operator_of(name) is not None or name in LAYOUT or name in FACTORIES or name in {"getitem", "setitem"}


def triple(shape: Sequence[int], channels_first: bool) -> Shape:
    """Reduce a shape with its batch dimension to (channels, height, width).

    >>> triple((8, 10), True), triple((8, 64, 50), True), triple((8, 50, 64), False)
    ((10, 1, 1), (64, 50, 1), (64, 50, 1))
    >>> triple((8, 16, 32, 24), True), triple((8, 32, 24, 16), False)
    ((16, 32, 24), (16, 32, 24))
    """
    rest = [int(s) for s in shape[1:]]
    if len(rest) <= 1:
        return (rest[0] if rest else 1, 1, 1)
    if len(rest) == 2:
        return (rest[0], rest[1], 1) if channels_first else (rest[1], rest[0], 1)
    if channels_first:
        return (rest[0], math.prod(rest[1:-1]), rest[-1])
    return (rest[-1], math.prod(rest[:-2]), rest[-2])


def channels_after_move(name: str, args: Sequence[Any], channels_first: bool) -> bool:
    """Whether the channels are still not last after a call that may have permuted dimensions.

    >>> x = torch.zeros(8, 16, 32, 24)
    >>> channels_after_move("permute", (x, (0, 2, 3, 1)), True), channels_after_move("mT", (x,), False)
    (False, True)
    """
    dims = args[0].dim() if args and isinstance(args[0], torch.Tensor) else 0
    order = list(range(dims))
    if dims < 3:
        return channels_first
    if name == "permute" and len(args) > 1:
        given = args[1] if isinstance(args[1], list | tuple) else args[1:]
        order = [int(d) % dims for d in given]
    elif (name in {"transpose", "swapaxes", "swapdims"} and len(args) == 3) or name == "mT":
        a, b = (-2, -1) if name == "mT" else args[1:3]
        order[a], order[b] = order[b], order[a]
    return order.index(1 if channels_first else dims - 1) != dims - 1


def dimension(args: Sequence[Any], kwargs: Mapping[str, Any]) -> int | None:
    """The one dimension that `stack` and `sum` were given; `stack` means 0 where it got none, None if there are more.

    >>> x = torch.zeros(2, 3)
    >>> dimension(((x, x), -1), {}), dimension(((x, x),), {}), dimension((x, [1]), {}), dimension((x, (0, 1)), {})
    (-1, 0, 1, None)
    """
    several = isinstance(args[0], torch.Tensor)
    given = args[1] if len(args) > 1 else kwargs.get("dim", None if several else 0)
    if isinstance(given, list | tuple):
        given = given[0] if len(given) == 1 else None
    return None if given is None else int(given)


def channels_first(name: str, inherited: bool) -> bool:
    """Whether a call sees and leaves the channels in dimension 1; most keep what came in."""
    if name in _CHANNELS_LAST or name in PRODUCTS:
        return False
    return inherited or name[-2:] in {"1d", "2d", "3d"} or name in _CHANNELS_FIRST


def node(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    shapes: tuple[Sequence[int], Sequence[int]],
    channels_first: bool,
    weights: Sequence[Sequence[int]],
    params: int,
    batch: int,
) -> Node:
    """Describe one call as a node.

    Args:
        name: Normalised name of the call.
        args: Positional arguments as the call got them, tensors included.
        kwargs: Keyword arguments likewise.
        shapes: Full shapes of the first input and of the (first) output.
        channels_first: Whether these have their channels in dimension 1.
        weights: Shapes of the learnt tensors that enter, in order.
        params: Trainable numbers that are used here first.
        batch: Size of the batch dimension, by which FLOPs are divided.

    Returns:
        The node; its operator is `Unknown` where the vocabulary has none.
    """
    source, target = shapes

    def argument(position: int, key: str, default: Any) -> Any:
        value = args[position] if len(args) > position else kwargs.get(key, default)
        return default if value is None else value

    op = operator_of(name) or "Unknown"
    kernel, stride, dilation, groups, bias, flops = (0, 0), (1, 1), (1, 1), 1, False, 0
    out_numel = math.prod(target)
    if op in {"Conv", "ConvTranspose"}:
        shape = tuple(argument(1, "weight", None).shape)  # (out or in, in or out / groups, *window)
        transposed = op == "ConvTranspose"
        kernel = _pair(shape[2:])
        stride = _pair(argument(3, "stride", 1))
        groups = int(argument(6, "groups", 1))
        dilation = _pair(argument(7 if transposed else 5, "dilation", 1))
        bias = argument(2, "bias", None) is not None
        flops = (math.prod(source) if transposed else out_numel) * 2 * math.prod(shape[1:])
        if op == "Conv" and groups > 1 and groups == source[1]:
            op = "Depthwise"
    elif op in {"MaxPool", "AvgPool"}:
        if name.startswith("adaptive"):
            if all(s == 1 for s in target[2:]):
                op = "Mean" if op == "AvgPool" else "Global"
            else:
                kernel = _pair([-(-a // b) for a, b in zip(source[2:], target[2:], strict=True)])
                stride = kernel
        else:
            kernel = _pair(argument(1, "kernel_size", 1))
            stride = _pair(argument(2, "stride", None) or kernel)
            dilation = _pair(argument(4, "dilation", 1)) if op == "MaxPool" else (1, 1)
    elif name == "hardtanh":
        relu6 = (argument(1, "min_val", -1.0), argument(2, "max_val", 1.0)) == (0.0, 6.0)
        op = "ReLU6" if relu6 else "Elementwise"
    elif op in {"MatMul", "BatchMatMul"} and name not in {"einsum", "tensordot"}:
        added = name in {"addmm", "baddbmm"}  # these begin with the bias
        left = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor)][int(added)]
        op = "MatMul" if weights else op
        bias = added or (name == "linear" and argument(2, "bias", None) is not None)
        flops = 2 * out_numel * int(left.shape[-1])
    elif op == "BatchMatMul":
        flops = _einsum_flops(args, name)
    elif op == "Attention":
        query, key, value = argument(0, "query", None), argument(1, "key", None), argument(2, "value", None)
        flops = 2 * math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])
    elif op == "Rnn":  # every step multiplies by every matrix, of all layers and both directions, once
        flops = 2 * math.prod(source[:-1]) * sum(math.prod(shape) for shape in weights if len(shape) == 2)
    in_shape, out_shape = triple(source, channels_first), triple(target, channels_first)
    flops //= max(batch, 1)
    return Node(op, in_shape, out_shape, kernel, stride, dilation, groups, bias, params, flops)


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    """A window's last two sizes; a one-dimensional window counts along the height."""
    if isinstance(value, int):
        return (value, value)
    sizes = [int(v) for v in value]
    if len(sizes) == 1:
        return (sizes[0], 1)
    return (sizes[-2], sizes[-1])


def _einsum_flops(args: Sequence[Any], name: str) -> int:
    """Two operations for every combination of the indices that occur (two operands)."""
    if name != "einsum" or not isinstance(args[0], str):
        return 0
    operands = args[1] if isinstance(args[1], list | tuple) else args[1:]
    sizes: dict[object, int] = {}
    for term, operand in zip(args[0].replace(" ", "").split("->")[0].split(","), operands, strict=True):
        if isinstance(operand, torch.Tensor):
            before, dots, after = term.partition("...")
            left_out = operand.dim() - len(before) - len(after) if dots else 0
            # What the dots stand for is aligned at its right end, and broadcast.
            for index, size in zip([*before, *range(-left_out, 0), *after], operand.shape, strict=True):
                sizes[index] = max(sizes.get(index, 1), int(size))
    return 2 * math.prod(sizes.values())
