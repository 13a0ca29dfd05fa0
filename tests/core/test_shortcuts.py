"""Shortcuts give what PyTorch gives, or nothing."""

from __future__ import annotations

import copy
import operator

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foretell.capture import capture_module
from foretell.capture.meta_copy import meta_copy
from foretell.capture.shortcuts import shortcut

UNARY = {
    "relu": torch.relu, "gelu": F.gelu, "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "mish": F.mish,
    "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "leaky_relu": F.leaky_relu, "elu": F.elu, "exp": torch.exp,
    "softplus": F.softplus, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "neg": torch.neg, "erf": torch.erf,
    "sin": torch.sin, "cos": torch.cos,
}  # fmt: skip
BINARY = {"__add__": operator.add, "__mul__": operator.mul, "__sub__": operator.sub, "__truediv__": operator.truediv}
KINDS = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool])
SHAPES = st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple)


def meta(shape: tuple[int, ...], kind: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=kind, device="meta")


def assert_like(found: torch.Tensor | None, true: torch.Tensor) -> None:
    if found is not None:
        assert (found.shape, found.dtype, found.device) == (true.shape, true.dtype, true.device)


@given(st.sampled_from(sorted(UNARY)), SHAPES, KINDS)
def test_unary(name: str, shape: tuple[int, ...], kind: torch.dtype) -> None:
    x = meta(shape, kind)
    found = shortcut(name, (x,), {})
    assert (found is not None) == kind.is_floating_point
    if found is not None:
        assert_like(found, UNARY[name](x))


@given(st.sampled_from(sorted(BINARY)), SHAPES, SHAPES, KINDS, KINDS)
def test_binary(name: str, left: tuple[int, ...], right: tuple[int, ...], a: torch.dtype, b: torch.dtype) -> None:
    x, y = meta(left, a), meta(right, b)
    found = shortcut(name, (x, y), {})
    assert (found is not None) == (left == right and a == b and a.is_floating_point)
    if found is not None:
        assert_like(found, BINARY[name](x, y))


@pytest.mark.parametrize("number", [3, 2.5])
def test_numbers(number: float) -> None:
    for kind in (torch.float16, torch.float64):
        assert_like(shortcut("__mul__", (meta((2, 3), kind), number), {}), meta((2, 3), kind) * number)
    assert shortcut("__mul__", (meta((2,)), 1j), {}) is None
    assert shortcut("__add__", (meta((2,), torch.int64), 2.5), {}) is None


def test_in_place_gives_the_tensor_itself() -> None:
    x = meta((2, 3))
    for name, args in (("relu_", (x,)), ("add_", (x, x)), ("__iadd__", (x, 1.0))):
        assert shortcut(name, args, {}) is x
    assert shortcut("__add__", (x, x), {}) is not x


@given(SHAPES.filter(lambda s: len(s) > 1), st.integers(1, 4), st.booleans())
def test_layers_with_weights(shape: tuple[int, ...], out: int, fits: bool) -> None:
    x, wrong = meta(shape), 0 if fits else 1
    w, b = meta((out, shape[-1] + wrong)), meta((out,))
    found = shortcut("linear", (x, w, b), {})
    assert (found is not None) == fits
    if fits:
        assert_like(found, F.linear(x, w, b))
        assert shortcut("linear", (x, w, meta((out + 1,))), {}) is None
        assert shortcut("linear", (x, w.half(), None), {}) is None
    channels = meta((shape[1] + wrong,))
    found = shortcut("batch_norm", (x, channels, channels), {"weight": channels, "bias": None, "training": False})
    assert (found is not None) == fits
    assert shortcut("batch_norm", (x, None, None), {"training": True}) is None
    last = (shape[-1] + wrong,)
    found = shortcut("layer_norm", (x, last), {"weight": meta(last), "bias": meta(last)})
    assert (found is not None) == fits


def test_what_pytorch_refuses_is_left_to_it() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(9))
    with pytest.raises(RuntimeError, match="BatchNorm2d|batch_norm|running_mean|weight"):
        capture_module(net, torch.zeros(1, 3, 8, 8))
    with pytest.raises(RuntimeError, match="same reduction dim"):
        capture_module(nn.Sequential(nn.Linear(4, 5), nn.Linear(6, 2)), torch.zeros(1, 4))


def test_other_kinds_of_tensors_are_left_to_pytorch() -> None:
    class Marked(torch.Tensor):
        pass

    assert shortcut("relu", (torch.zeros(3),), {}) is None
    assert shortcut("relu", (meta((3,)).as_subclass(Marked),), {}) is None
    assert shortcut("relu", (), {}) is None
    assert shortcut("softmax", (meta((3,)), -1), {}) is None


class Careful(nn.Module):
    """Says itself how it is copied."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.copies = 0

    def __deepcopy__(self, memo: dict) -> Careful:
        twin = Careful()
        twin.layer, twin.copies = copy.deepcopy(self.layer, memo), self.copies + 1
        return twin


def test_copies_equal_those_of_deepcopy() -> None:
    shared = nn.Linear(3, 3)
    net = nn.ModuleDict(
        {"a": shared, "b": nn.Sequential(shared, nn.BatchNorm1d(3)), "c": nn.LSTM(3, 3), "d": Careful()}
    )
    net.table = {"x": [1, {2}], "own": shared.weight}
    net.register_forward_hook(lambda *_: None)
    twin = meta_copy(net)
    assert twin["a"] is twin["b"][0]
    assert twin.table["own"] is twin["a"].weight
    assert twin.table["x"] == net.table["x"]
    assert twin.table["x"] is not net.table["x"]
    assert twin["d"].copies == 1
    assert all(p.is_meta for p in twin.parameters())
    assert len(twin._forward_hooks) == 1
    assert twin._forward_hooks is not net._forward_hooks
    assert [type(m) for m in twin.modules()] == [type(m) for m in net.modules()]
    assert twin["c"]._flat_weights[0] is twin["c"].weight_ih_l0
