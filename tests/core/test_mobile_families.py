"""NAS-Bench-Macro and once-for-all MobileNetV3: the same architectures as PyTorch modules, captured; stated sizes."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from foretell.capture import nasbench_macro, ofa_mobilenetv3
from foretell.capture.builder import GraphBuilder
from foretell.capture.inverted_residual import inverted_residual
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph

DATA = Path(os.environ.get("FORETELL_DATA", "../shared/data"))
RNG = np.random.default_rng(0)
MACRO = [
    "00000000",
    "11111111",
    "22222222",
    "02012100",
    *("".join(map(str, nasbench_macro.sample(RNG))) for _ in "123"),
]
SMALLEST = {"ks": 3, "e": 3, "d": 2, "r": 128}
LARGEST = {"ks": 7, "e": 6, "d": 4, "r": 224}
SETTINGS = [SMALLEST, LARGEST, *(ofa_mobilenetv3.sample(RNG) for _ in range(4))]


class Residual(nn.Module):
    """The sum of a path and its input."""

    def __init__(self, path: nn.Module) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.path(x) + x


class Squeeze(nn.Module):
    """Squeeze-and-excitation with a quarter of the channels, in multiples of 8."""

    def __init__(self, c: int) -> None:
        super().__init__()
        inner = multiple_of_8(c // 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, inner, 1), nn.ReLU(), nn.Conv2d(inner, c, 1), nn.Hardsigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x)


def multiple_of_8(channels: float) -> int:
    """The closest one that is at least 0.9 of the channels and at least 8; the larger of two that are as close."""
    allowed = [m for m in range(8, 4000, 8) if m >= 0.9 * channels]
    return min(allowed, key=lambda m: (abs(m - channels), -m))


def unit(c_in: int, c_out: int, k: int = 1, stride: int = 1, groups: int = 1, act: type[nn.Module] | None = None):
    """Convolution, normalisation and, if there is one, an activation."""
    conv = nn.Conv2d(c_in, c_out, k, stride, k // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), *([act()] if act else []))


def block(c_in: int, c_out: int, middle: int, k: int, stride: int, act: type[nn.Module], squeeze: bool = False):
    """An inverted residual block."""
    path = nn.Sequential(
        *([unit(c_in, middle, act=act)] if middle != c_in else []),
        unit(middle, middle, k, stride, middle, act),
        *([Squeeze(middle)] if squeeze else []),
        unit(middle, c_out),
    )
    return Residual(path) if (stride, c_in) == (1, c_out) else path


def macro_module(spec: str) -> nn.Module:
    """The network as the benchmark's training code lays it out."""
    layers: list[nn.Module] = [unit(3, 32, 3, act=nn.ReLU)]
    ends = [(32, 64), (64, 64), (64, 128), (128, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
    for digit, (a, b) in zip(spec, ends, strict=True):
        stride = 2 if b > a else 1
        if digit == "0":
            layers.append(unit(a, b, stride=stride) if stride == 2 else nn.Identity())
        else:
            t, k = {"1": (3, 3), "2": (6, 5)}[digit]
            layers.append(block(a, b, t * a, k, stride, nn.ReLU))
    return nn.Sequential(
        *layers, unit(256, 1280, act=nn.ReLU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10)
    )


def ofa_module(spec: dict, width: float) -> nn.Module:
    """The active sub-network as the official repository lays it out, from a setting with all numbers written out."""
    c = multiple_of_8(16 * width)
    layers: list[nn.Module] = [unit(3, c, 3, 2, act=nn.Hardswish), block(c, c, c, 3, 1, nn.ReLU)]
    rows = zip((24, 40, 80, 112, 160), (2, 2, 2, 1, 2), ("relu", "relu", "swish", "swish", "swish"), (0, 1, 0, 1, 1),
               spec["d"], np.reshape(spec["ks"], (5, 4)).tolist(), np.reshape(spec["e"], (5, 4)).tolist(),
               strict=True)  # fmt: skip
    for base, stride, act, squeeze, depth, kernels, expansions in rows:
        out = multiple_of_8(base * width)
        for i in range(depth):
            kind = {"relu": nn.ReLU, "swish": nn.Hardswish}[act]
            middle = multiple_of_8(c * expansions[i])
            layers.append(block(c, out, middle, kernels[i], 1 if i else stride, kind, bool(squeeze)))
            c = out
    wide, last = multiple_of_8(960 * width), multiple_of_8(1280 * width)
    mix = [nn.Conv2d(wide, last, 1, bias=False), nn.Hardswish(), nn.Flatten(), nn.Dropout(0.1), nn.Linear(last, 1000)]
    return nn.Sequential(*layers, unit(c, wide, act=nn.Hardswish), nn.AdaptiveAvgPool2d(1), *mix)


def captured(build, *arguments, size: int) -> tuple[ComputationGraph, int]:
    """A module's graph, and its number of trainable parameters."""
    with torch.device("meta"):
        module = build(*arguments)
        graph = ComputationGraph.from_module(module, torch.zeros(1, 3, size, size))
    return graph, sum(p.numel() for p in module.parameters())


# the builder's parts


def test_a_block_with_as_many_middle_channels_has_no_expansion() -> None:
    net = GraphBuilder()
    x = inverted_residual(net, net.input((8, 9, 9)), 8, middle=8, kernel=5, stride=2, activation=net.hard_swish)
    assert net.shape(x) == (8, 5, 5)
    g = net.graph(x)
    assert g.op_counts() == {"BatchNorm": 2, "Conv": 1, "Depthwise": 1, "HardSwish": 1, "Input": 1, "Output": 1}


def test_a_gate_must_be_a_number_a_channel() -> None:
    net = GraphBuilder()
    x = net.input((8, 4, 4))
    with pytest.raises(InvalidArchitectureError, match=r"one number for each of 8 channels, but got shape \(8, 4, 4\)"):
        net.scale(x, x)


# NAS-Bench-Macro


@pytest.mark.parametrize("spec", MACRO)
def test_nasbench_macro_equals_a_captured_module(spec: str) -> None:
    g, params = captured(macro_module, spec, size=32)
    assert nasbench_macro.graph(spec) == g
    assert g.params == params


def test_nasbench_macro_reads_both_forms() -> None:
    assert nasbench_macro.graph("02012100") == nasbench_macro.graph(np.array([0, 2, 0, 1, 2, 1, 0, 0]))


def test_nasbench_macro_identities_that_keep_the_shape_are_no_nodes() -> None:
    assert nasbench_macro.graph("02102100") == nasbench_macro.graph("02120100") != nasbench_macro.graph("02012100")
    a_stage_of_three = 3 * (1 + 2 + 4)  # the first layer, then at most two blocks in order
    graphs = {nasbench_macro.graph(digits).digest for digits in product((0, 1, 2), repeat=8)}
    assert len(graphs) == 3 * 3 * a_stage_of_three**2


@pytest.mark.parametrize(
    ("spec", "params", "macs"),
    [("02012100", 890_666, 47_327_744), ("11111221", 2_181_386, 65_012_224), ("00011110", 1_118_378, 31_390_208)],
)
def test_nasbench_macro_has_the_published_sizes(spec: str, params: int, macs: int) -> None:
    """From https://github.com/xiusu/NAS-Bench-Macro."""
    g = nasbench_macro.graph(spec)
    assert (g.params, g.flops) == (params, 2 * macs)


def test_nasbench_macro_equals_the_table() -> None:
    path = DATA / "nasbench_macro" / "nas-bench-macro_cifar10.json"
    if not path.is_file():
        pytest.skip(f"needs {path.name} of NAS-Bench-Macro in FORETELL_DATA (looked for {path.resolve()})")
    stated = json.loads(path.read_text("utf-8"))
    assert set(stated) == {"".join(digits) for digits in product("012", repeat=8)}
    for spec, row in stated.items():
        g = nasbench_macro.graph(spec)
        assert (g.params, g.flops) == (row["params"], 2 * row["flops"])


@pytest.mark.parametrize("spec", ["0201210", "020121000", "02012103", (0, 1, 2), [0.5] * 8, "abcdefgh"])
def test_nasbench_macro_refuses(spec: object) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"8 digits from 0 to 2 .* but got .*: give one for each layer"):
        nasbench_macro.graph(spec)


# once for all


@pytest.mark.parametrize("width", [1.0, 1.2])
@pytest.mark.parametrize("spec", SETTINGS)
def test_ofa_mobilenetv3_equals_a_captured_module(spec: dict, width: float) -> None:
    written_out = ofa_mobilenetv3.parse(spec)
    g, params = captured(ofa_module, written_out, width, size=spec["r"])
    assert ofa_mobilenetv3.graph(spec, width=width) == g
    assert g.params == params


@pytest.mark.parametrize(
    ("spec", "width", "params", "macs"),
    [
        (LARGEST, 1.0, 7_664_760, 566_170_656),
        (LARGEST, 1.2, 10_701_632, 843_101_040),
        (SMALLEST, 1.0, 3_410_792, 41_476_224),
        (SMALLEST, 1.2, 4_602_456, 65_536_896),
    ],
)
def test_ofa_mobilenetv3_has_the_sizes_of_the_official_code(spec: dict, width: float, params: int, macs: int) -> None:
    """What `get_active_subnet` of https://github.com/mit-han-lab/once-for-all gives; no table states these."""
    g = ofa_mobilenetv3.graph(spec, width=width)
    assert (g.params, g.flops) == (params, 2 * macs)


def test_ofa_mobilenetv3_ignores_what_is_not_active() -> None:
    spec = ofa_mobilenetv3.parse({**LARGEST, "d": [2, 3, 4, 2, 3]})
    other = json.loads(json.dumps(spec))
    for inactive in (2, 3, 7, 14, 15, 19):
        other["ks"][inactive], other["e"][inactive] = 3, 3
    assert other != spec
    assert ofa_mobilenetv3.graph(other) == ofa_mobilenetv3.graph(spec)
    other["ks"][13] = 3
    assert ofa_mobilenetv3.graph(other) != ofa_mobilenetv3.graph(spec)


def test_ofa_mobilenetv3_reads_what_the_official_search_writes() -> None:
    spec = {"wid": None, "ks": [5] * 20, "e": [4] * 20, "d": [3] * 5, "r": [176]}
    assert ofa_mobilenetv3.parse({**spec, "ks": np.full(20, 5)}) == ofa_mobilenetv3.parse(spec)
    assert ofa_mobilenetv3.parse(spec) == ofa_mobilenetv3.parse({"ks": 5, "e": 4, "d": 3, "r": 176})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({**SMALLEST, "ks": 4}, r"`ks` .* must be 20 of \(3, 5, 7\), but got 4: correct"),
        ({**SMALLEST, "e": [3] * 19}, r"`e` .* must be 20 of \(3, 4, 6\)"),
        ({**SMALLEST, "d": [2, 2, 2, 2, 1]}, r"`d` .* must be 5 of \(2, 3, 4\)"),
        ({**SMALLEST, "r": 8}, r"`r` .* must be 1 of at least 32, but got 8"),
        ({**SMALLEST, "ks": "3" * 20}, r"`ks` .* must be 20"),
        ({**SMALLEST, "w": 1.2}, r"`ks`, `e`, `d` and `r` and nothing else"),
        ({"ks": 3, "e": 3, "d": 2}, r"`ks`, `e`, `d` and `r` and nothing else"),
        ({**SMALLEST, "wid": 1}, r"`ks`, `e`, `d` and `r` and nothing else"),
        ([1, 2], r"`ks`, `e`, `d` and `r` and nothing else"),
    ],
)
def test_ofa_mobilenetv3_refuses(spec: object, message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        ofa_mobilenetv3.graph(spec)


def test_ofa_mobilenetv3_needs_a_positive_width() -> None:
    with pytest.raises(InvalidArchitectureError, match=r"must be positive, but got 0: give 1.0 or 1.2"):
        ofa_mobilenetv3.graph(SMALLEST, width=0)
