"""From one PyTorch call to one node: the table of operators, and the attributes that a node keeps.

The same table serves every route of capture, since functional calls (`torch.nn.functional.conv2d`) and the operators
of an exported program (`aten.conv2d`) share names and argument order.
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
    "tanh": "Tanh", "leaky_relu": "LeakyReLU", "prelu": "LeakyReLU", "rrelu": "LeakyReLU", "elu": "ELU", "selu": "ELU",
    "celu": "ELU", "softplus": "Softplus", "logsigmoid": "Softplus", "log_sigmoid": "Softplus", "mish": "Softplus",
    "add": "Add", "mul": "Mul", "multiply": "Mul", "sub": "Sub", "rsub": "Sub", "subtract": "Sub", "div": "Div",
    "truediv": "Div", "divide": "Div", "true_divide": "Div", "exp": "Exp", "pow": "Pow", "square": "Pow",
    "sqrt": "Sqrt", "rsqrt": "Sqrt", "log": "Log", "log_softmax": "Softmax", "softmax": "Softmax", "cat": "Concat",
    "concat": "Concat", "concatenate": "Concat", "stack": "Concat", "pad": "Pad", "constant_pad_nd": "Pad",
    "mean": "Mean", "sum": "Reduce", "amax": "Reduce", "amin": "Reduce", "var": "Reduce", "std": "Reduce",
    "norm": "Reduce", "cumsum": "Scan", "cumprod": "Scan", "pixel_shuffle": "DepthToSpace",
    "pixel_unshuffle": "SpaceToDepth", "interpolate": "Resize", "upsample": "Resize", "upsample_nearest2d": "Resize",
    "upsample_bilinear2d": "Resize", "chunk": "Split", "split": "Split", "split_with_sizes": "Split",
    "unbind": "Split", "tensor_split": "Split", "slice": "Slice", "select": "Slice", "narrow": "Slice",
    "index_select": "Gather", "gather": "Gather", "index": "Gather", "embedding": "Embedding", "lstm": "Rnn",
    "gru": "Rnn", "rnn_tanh": "Rnn", "rnn_relu": "Rnn", "maximum": "Max", "minimum": "Min", "max": "Max", "min": "Min",
    "where": "Where", "setitem": "Where", "masked_fill": "Where", "abs": "Elementwise", "neg": "Elementwise", "clamp": "Elementwise",
    "clip": "Elementwise", "sin": "Elementwise", "cos": "Elementwise", "erf": "Elementwise", "roll": "Elementwise",
    "flip": "Elementwise", "normalize": "Elementwise", "softsign": "Elementwise", "tanhshrink": "Elementwise",
}  # fmt: skip
_WINDOWS = {"conv": "Conv", "conv_transpose": "ConvTranspose", "max_pool": "MaxPool", "avg_pool": "AvgPool",
            "lp_pool": "AvgPool", "adaptive_avg_pool": "AvgPool", "adaptive_max_pool": "MaxPool"}  # fmt: skip
LAYOUT = frozenset(
    "flatten unflatten view reshape view_as reshape_as transpose permute movedim swapaxes t mT T squeeze unsqueeze "
    "expand expand_as contiguous to type type_as float half double bfloat16 cpu cuda clone detach alias lift_fresh "
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout requires_grad_ "
    "broadcast_to repeat repeat_interleave _assert_tensor_metadata unsafe_view ravel data getitem_index".split()
)
"""Calls that only move or rename numbers: no node, the edge goes through."""
FACTORIES = frozenset("empty_like zeros_like ones_like full_like rand_like randn_like new_zeros new_ones new_empty "
                      "new_full new_tensor size shape dim numel".split())  # fmt: skip
"""Calls that look only at a tensor's shape: their result is a constant."""
JOINS = frozenset({"Add", "Mul", "Concat", "Sub", "Div", "Where", "Max", "Min"})
"""Operators that vanish when, apart from constants, only one tensor enters (`x + 3`)."""
PRODUCTS = frozenset({"matmul", "mm", "bmm", "baddbmm", "einsum", "tensordot"})


def normalised(name: str) -> str:
    """The name shared by all spellings of a call: `relu_`, `__iadd__`, `aten.add.Tensor` become `relu`, `add`, `add`.

    >>> [normalised(n) for n in ("relu_", "__iadd__", "__rmul__", "max_pool2d_with_indices", "_softmax", "__getitem__")]
    ['relu', 'add', 'mul', 'max_pool2d', 'softmax', 'getitem']
    """
    bare = name.strip("_")
    if (
        name.startswith("__")
        and bare[0] in "ir"
        and bare[1:] in {"add", "mul", "sub", "truediv", "pow", "matmul"}
    ):
        bare = "rsub" if bare == "rsub" else bare[1:]
    return bare.removesuffix("_with_indices")


def operator_of(name: str) -> str | None:
    """The vocabulary's name for a call, None where there is none."""
    if name in _OPERATORS:
        return _OPERATORS[name]
    if name[-2:] in {"1d", "2d", "3d"}:
        return _WINDOWS.get(name[:-2])
    if name in PRODUCTS:
        return "BatchMatMul"
    return {"linear": "MatMul", "addmm": "MatMul", "convolution": "Conv", "scaled_dot_product_attention": "Attention",
            "hardtanh": "ReLU6", "adaptive_avg_pool": "AvgPool"}.get(name)  # fmt: skip


def triple(shape: Sequence[int], channels_first: bool) -> Shape:
    """Reduce a shape with its batch dimension to (channels, height, width).

    >>> triple((8, 16, 32, 32), True), triple((8, 10), True), triple((8, 50, 64), False), triple((8, 64, 50), True)
    ((16, 32, 32), (10, 1, 1), (64, 50, 1), (64, 50, 1))
    """
    rest = [int(s) for s in shape[1:]]
    if len(rest) <= 1:
        return (rest[0] if rest else 1, 1, 1)
    if len(rest) == 2:
        return (rest[0], rest[1], 1) if channels_first else (rest[1], rest[0], 1)
    return (rest[0], math.prod(rest[1:-1]), rest[-1])


def channels_first(name: str, inherited: bool) -> bool:
    """Whether a call's result has its channels in dimension 1; most calls keep what came in."""
    if (
        name in {"linear", "layer_norm", "rms_norm", "embedding", "scaled_dot_product_attention"}
        or name in PRODUCTS
    ):
        return False
    if name[-2:] in {"1d", "2d", "3d"} or name in {
        "batch_norm",
        "group_norm",
        "instance_norm",
        "convolution",
    }:
        return True
    return inherited


def node(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    shapes: tuple[Sequence[int], Sequence[int]],
    layouts: tuple[bool, bool],
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
        layouts: Whether each of these has its channels in dimension 1.
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
    if op in {"Conv", "ConvTranspose"} and weights:
        transposed = op == "ConvTranspose"
        kernel = _pair(weights[0][2:])
        stride = _pair(argument(3, "stride", 1))
        groups = int(argument(6, "groups", 1))
        dilation = _pair(argument(7 if transposed else 5, "dilation", 1))
        bias = argument(2, "bias", None) is not None
        per_position = 2 * math.prod(weights[0][1:])
        flops = (math.prod(source) if transposed else out_numel) * per_position
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
    elif op in {"MatMul", "BatchMatMul"} and name != "einsum" and name != "tensordot":
        inner = weights[0][-1] if name == "linear" else source[-1]
        op = "MatMul" if weights else op
        bias = len(weights) > 1
        flops = 2 * out_numel * int(inner)
    elif op == "BatchMatMul":
        flops = _einsum_flops(args, name)
    elif op == "Attention":
        key, value = argument(1, "key", None), argument(2, "value", None)
        flops = 2 * math.prod(source[:-1]) * key.shape[-2] * (source[-1] + value.shape[-1])
    return Node(op, triple(source, layouts[0]), triple(target, layouts[1]), kernel, stride, dilation, groups, bias,
                params, flops // max(batch, 1))  # fmt: skip


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
    if name != "einsum" or not isinstance(args[0], str) or "." in args[0]:
        return 0
    operands = args[1] if isinstance(args[1], list | tuple) else args[1:]
    terms = args[0].replace(" ", "").split("->")[0].split(",")
    sizes = {
        letter: int(size)
        for term, operand in zip(terms, operands, strict=True)
        if isinstance(operand, torch.Tensor)
        for letter, size in zip(term, operand.shape, strict=True)
    }
    return 2 * math.prod(sizes.values())
