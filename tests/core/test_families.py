"""Every family by the same tests: sampling, text, sizes; random architectures against modules that are built here."""

from __future__ import annotations

import json
from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.capture.families import FAMILIES, Family, parse_json, register_family
from foretell.errors import InvalidArchitectureError, PluginError
from foretell.graph import ComputationGraph

NAMES = ("nasbench101", "nasbench201", "nasbench301", "transnasbench101", "nasbench_macro", "ofa_mobilenetv3",
         "ofa_mobilenetv3_w12")  # fmt: skip
SEEDS = st.integers(0, 2**32 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["ks", "e", "d", "r"]), inner),
    max_leaves=12,
)


def spec_of(name: str, seed: int) -> object:
    return FAMILIES[name].sample(np.random.default_rng(seed))


def test_these_are_the_families() -> None:
    assert set(NAMES) <= set(FAMILIES)
    assert all(FAMILIES[name].name == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_sample_gives_a_graph_in_one_piece_and_survives_text(name: str, seed: int) -> None:
    family, spec = FAMILIES[name], spec_of(name, seed)
    g = family.graph(spec)
    assert set(g.edges[:, 1].tolist()) == set(range(1, len(g)))  # all but the input have a source,
    assert set(g.edges[:, 0].tolist()) == set(range(len(g) - 1))  # all but the output a target
    assert family.parse(family.text(spec)) == spec
    assert family.read(family.text(spec)) == g


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_a_function_of_its_generator_alone(name: str) -> None:
    assert spec_of(name, 3) == spec_of(name, 3)
    assert len({FAMILIES[name].text(spec_of(name, seed)) for seed in range(8)}) > 4


def test_sizes() -> None:
    sizes = {name: FAMILIES[name].size for name in NAMES}
    darts_cell = 7**8 * comb(2, 2) * comb(3, 2) * comb(4, 2) * comb(5, 2)
    stage = sum(9**depth for depth in (2, 3, 4))
    assert sizes == {
        "nasbench101": 423_624,
        "nasbench201": 15_625,
        "nasbench301": darts_cell**2,
        "transnasbench101": 4_096,
        "nasbench_macro": 6_561,
        "ofa_mobilenetv3": 25 * stage**5,
        "ofa_mobilenetv3_w12": 17 * stage**5,
    }


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_sampled_nasbench101_cells_are_in_the_benchmark(seed: int) -> None:
    matrix, ops = spec_of("nasbench101", seed)
    sources, _ = nasbench101.prune(matrix, ops)
    assert len(ops) == 7
    assert sources[-1]
    assert sum(map(len, sources)) <= 9


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_sampled_nasbench301_nodes_have_two_inputs(seed: int) -> None:
    for cell in spec_of("nasbench301", seed):
        assert all(cell[i][0] < cell[i + 1][0] < i // 2 + 2 for i in range(0, 8, 2))


# cells alone

CELLS = [name for name in NAMES if FAMILIES[name].cells is not None]


def test_families_of_cells_have_cells() -> None:
    assert CELLS == ["nasbench101", "nasbench201", "nasbench301", "transnasbench101"]


@pytest.mark.parametrize("name", CELLS)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_all_of_a_cell_lies_between_input_and_output(name: str, seed: int) -> None:
    found = FAMILIES[name].cells(spec_of(name, seed))
    assert len(found) == (2 if name == "nasbench301" else 1)
    for g in found:
        ops = [n.op for n in g.nodes]
        assert all((ops[v] == "Input") == (v not in g.edges[:, 1]) for v in range(len(g))) or len(g) == 2
        assert all((ops[v] == "Output") == (v not in g.edges[:, 0]) for v in range(len(g))) or len(g) == 2
        assert g.params == g.flops == 0
        assert len(g.edges) or name in {"nasbench201", "transnasbench101"}  # there all edges may be `none`


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_a_cell_of_101_is_the_pruned_matrix(seed: int) -> None:
    matrix, ops = spec_of("nasbench101", seed)
    (g,) = nasbench101.cells((matrix, ops))
    sources, kinds = nasbench101.prune(matrix, ops)
    assert g.edges.tolist() == sorted([u, v] for v, into in enumerate(sources) for u in into)
    names = {"Conv": {1: "conv1x1-bn-relu", 3: "conv3x3-bn-relu"}, "MaxPool": {3: "maxpool3x3"}}
    assert [names.get(n.op, {0: n.op.lower()})[n.kernel[0]] for n in g.nodes] == kinds


def test_a_cell_of_201_by_hand() -> None:
    """Edges 0>1 conv3, 0>2 none, 0>3 skip, 1>2 pool, 1>3 none, 2>3 conv1; then one with a dead end at node 2."""
    (g,) = nasbench201.cells((2, 1, 0, 4, 1, 3))
    assert [(n.op, n.kernel[0]) for n in g.nodes] == [
        ("Input", 0), ("Conv", 3), ("Identity", 0), ("AvgPool", 3), ("Conv", 1), ("Output", 0)
    ]  # fmt: skip
    assert g.edges.tolist() == [[0, 1], [0, 2], [1, 3], [2, 5], [3, 4], [4, 5]]
    assert nasbench201.cells((2, 2, 0, 4, 1, 1))[0].op_counts() == {"Identity": 1, "Input": 1, "Output": 1}
    assert len(nasbench201.cells((1,) * 6)[0].edges) == 0


def test_a_cell_of_301_tells_inputs_and_reduction_apart() -> None:
    pairs = [(0, "max_pool_3x3"), (1, "sep_conv_5x5"), (0, "skip_connect"), (2, "dil_conv_3x3")] * 2
    swapped = [(1 - s if s < 2 else s, op) for s, op in pairs]
    kinds = {"MaxPool", "Depthwise", "Identity"}
    normal, reduction = nasbench301.cells([pairs, pairs])
    assert nasbench301.cells([swapped, pairs])[0] != normal
    assert nasbench301.cells([swapped, pairs])[1] == reduction
    strides = [sorted((n.op, n.stride[0]) for n in g.nodes if n.op in kinds) for g in (normal, reduction)]
    halving = [("Depthwise", 1)] * 2 + [("Depthwise", 2)] * 2 + [("MaxPool", 2)] * 2 + [("Identity", 2)] * 2
    assert strides == [
        sorted([("Depthwise", 1)] * 4 + [("MaxPool", 1)] * 2 + [("Identity", 1)] * 2), sorted(halving)
    ]  # fmt: skip
    lonely = [(0, "skip_connect"), (0, "skip_connect")] * 4
    assert nasbench301.cells([lonely, lonely])[0].op_counts() == {"Identity": 8, "Input": 1, "Output": 1}


# what a family refuses


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "x", "[1]", "[[1], [2]]", "{}", '{"ks": 3}', "[[], []]", "[null, 1]", "[" * 9999])
def test_what_is_no_specification_is_refused_in_our_words(name: str, text: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"but got"):
        FAMILIES[name].read(text)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_any_json_is_a_specification_or_refused(value: object) -> None:
    for name in NAMES:
        try:
            FAMILIES[name].read(json.dumps(value))
        except InvalidArchitectureError:
            continue


def test_an_error_of_a_family_s_own_parser_shows_an_example() -> None:
    family = Family("digits", lambda n: nasbench201.graph((n,) * 6), parse=int, sample=lambda rng: 3)
    with pytest.raises(InvalidArchitectureError, match=r"`digits` needs .*, such as 3, but got 'no' \(invalid literal"):
        family.read("no")


@pytest.mark.parametrize("name", ["", "my-family", "2d", "a:b", "a.b"])
def test_names_that_cannot_stand_before_a_colon_are_refused(name: str) -> None:
    with pytest.raises(PluginError, match=r"must be a letter, then letters"):
        Family(name, nasbench201.graph, parse=str, sample=str)


def test_a_size_is_positive() -> None:
    with pytest.raises(PluginError, match=r"must be at least 1, but got 0 for 'none'"):
        Family("none", nasbench201.graph, parse=str, sample=str, size=0)


def test_a_name_belongs_to_one_family() -> None:
    register_family(FAMILIES["nasbench201"])
    with pytest.raises(PluginError, match=r"family names must be unique, but 'nasbench201' is taken"):
        register_family(Family("nasbench201", nasbench201.graph, parse=str, sample=str))


def test_text_without_a_bracket_is_left_to_the_parser() -> None:
    assert parse_json(str, '"x"') == '"x"'
    assert parse_json(len, " [1, 2, 3]") == 3


# random architectures against modules


class Unit(nn.Sequential):
    """Rectifier, convolution, normalisation; or convolution, normalisation, rectifier."""

    def __init__(self, a: int, b: int, k: int = 1, stride: int = 1, last: bool = False, groups: int = 1) -> None:
        conv = nn.Conv2d(a, b, k, stride, k // 2, bias=False, groups=groups)
        parts = [conv, nn.BatchNorm2d(b)]
        super().__init__(*([*parts, nn.ReLU()] if last else [nn.ReLU(), *parts]))


class Halves(nn.Module):
    """Two pointwise convolutions of stride 2, one a pixel further, side by side."""

    def __init__(self, a: int, b: int, pad: bool) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(a, b // 2, 1, 2, bias=False) for _ in range(2)])
        self.norm, self.pad = nn.BatchNorm2d(b), nn.ConstantPad2d((0, 1, 0, 1), 0) if pad else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.relu()
        return self.norm(torch.cat([self.convs[0](x), self.convs[1](self.pad(x)[:, :, 1:, 1:])], 1))


class Cell101(nn.Module):
    def __init__(self, spec: tuple, a: int, b: int) -> None:
        super().__init__()
        self.sources, kinds = nasbench101.prune(*spec)
        self.widths, self.last = nasbench101.vertex_channels(self.sources, b), len(kinds) - 1
        projected = [v for v, into in enumerate(self.sources) if 0 in into]
        self.project = nn.ModuleDict({str(v): Unit(a, self.widths[v], last=True) for v in projected})
        self.vertices = nn.ModuleList(
            nn.MaxPool2d(3, 1, 1) if kinds[v] == "maxpool3x3" else
            Unit(self.widths[v], self.widths[v], int(kinds[v][4]), last=True)
            for v in range(1, self.last)
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = [x]
        for v in range(1, self.last):
            parts = [made[u][:, : self.widths[v]] if u else self.project[str(v)](x) for u in self.sources[v]]
            made.append(self.vertices[v - 1](sum(parts[1:], parts[0])))
        joined = [torch.cat([made[u] for u in self.sources[self.last] if u], 1)] if any(self.sources[self.last]) else []
        joined += [self.project[str(self.last)](x)] if 0 in self.sources[self.last] else []
        return sum(joined[1:], joined[0])


class EdgeCell(nn.Module):
    """A cell of NAS-Bench-201 or TransNAS-Bench-101, of the operators on paths from input to output."""

    def __init__(self, names: dict, a: int, b: int, stride: int = 1) -> None:
        super().__init__()
        self.edges = [
            e for e in names if self.leads(names, 0, e[0]) and self.leads(names, e[1], 3) and names[e] != "none"
        ]
        self.ops = nn.ModuleList(
            self.operator(names[u, v], b if u else a, b, 1 if u else stride) for u, v in self.edges
        )

    def leads(self, names: dict, u: int, v: int) -> bool:
        return u == v or any(names[u, w] != "none" and self.leads(names, w, v) for w in range(u + 1, v + 1))

    def operator(self, name: str, a: int, b: int, stride: int) -> nn.Module:
        if name == "avg_pool_3x3":
            return nn.AvgPool2d(3, 1, 1)
        if name == "skip_connect":
            return nn.Identity() if a == b and stride == 1 else Halves(a, b, pad=True)
        return Unit(a, b, int(name[-1]), stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = {0: x}
        for v in (1, 2, 3):
            parts = [op(made[u]) for (u, w), op in zip(self.edges, self.ops, strict=True) if w == v]
            if parts:
                made[v] = sum(parts[1:], parts[0])
        return made[3]


class Cell301(nn.Module):
    def __init__(self, pairs: list, before: int, last: int, b: int, halved: bool, reduces: bool) -> None:
        super().__init__()
        self.first = Halves(before, b, pad=False) if halved else Unit(before, b)
        self.second, self.sources = Unit(last, b), [source for source, _ in pairs]
        self.ops = nn.ModuleList(self.operator(op, b, 2 if reduces and source < 2 else 1) for source, op in pairs)

    def operator(self, name: str, b: int, stride: int) -> nn.Module:
        if name.endswith("pool_3x3"):
            return (nn.MaxPool2d if name.startswith("max") else nn.AvgPool2d)(3, stride, 1)
        if name == "skip_connect":
            return nn.Identity() if stride == 1 else Halves(b, b, pad=False)
        k, d = int(name[-1]), 2 if name.startswith("dil") else 1
        layers: list[nn.Module] = []
        for s in (stride,) if d == 2 else (stride, 1):
            depthwise = nn.Conv2d(b, b, k, s, d * (k // 2), dilation=d, groups=b, bias=False)
            layers += [nn.ReLU(), depthwise, nn.Conv2d(b, b, 1, bias=False), nn.BatchNorm2d(b)]
        return nn.Sequential(*layers)

    def forward(self, before: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        made = [self.first(before), self.second(last)]
        for i in range(0, 8, 2):
            made.append(self.ops[i](made[self.sources[i]]) + self.ops[i + 1](made[self.sources[i + 1]]))
        return torch.cat(made[2:], 1)


class Net301(nn.Module):
    def __init__(self, genotype: tuple) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 96, 3, padding=1, bias=False), nn.BatchNorm2d(96))
        cells, before, last, b, halved = [], 96, 96, 32, False
        for i in range(8):
            reduces = i in {2, 5}
            b *= 2 if reduces else 1
            cells.append(Cell301(genotype[reduces], before, last, b, halved, reduces))
            before, last, halved = last, 4 * b, reduces
        self.cells, self.head = nn.ModuleList(cells), nn.Sequential(*head(last, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.head(last)


class Residual201(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.deep = nn.Sequential(Unit(c, 2 * c, 3, 2), Unit(2 * c, 2 * c, 3))
        self.flat = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c, 2 * c, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.flat(x) + self.deep(x)


def head(c: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes)]


def module_101(spec: tuple) -> nn.Module:
    layers: list[nn.Module] = [Unit(3, 128, 3, last=True)]
    for a, b in ((128, 128), (128, 256), (256, 512)):
        layers += [nn.MaxPool2d(2)] if a < b else []
        layers += [Cell101(spec, a, b), Cell101(spec, b, b), Cell101(spec, b, b)]
    return nn.Sequential(*layers, *head(512, 10))


def module_201(digits: tuple) -> nn.Module:
    names = {e: nasbench201.OPERATIONS[d] for e, d in zip(nasbench201.EDGES, digits, strict=True)}
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    for c in (16, 32, 64):
        layers += [Residual201(c // 2)] if c > 16 else []
        layers += [EdgeCell(names, c, c) for _ in range(5)]
    return nn.Sequential(*layers, nn.BatchNorm2d(64), nn.ReLU(), *head(64, 10))


def module_trans(digits: tuple) -> nn.Module:
    names = {e: transnasbench101.OPERATIONS[d] for e, d in zip(transnasbench101.EDGES, digits, strict=True)}
    layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), Unit(32, 64, 3, 2)]
    for a, b in ((64, 128), (128, 128), (128, 256), (256, 256), (256, 512)):
        layers += [EdgeCell(names, a, b, 2 if a < b else 1), EdgeCell(names, b, b)]
    return nn.Sequential(*layers, *head(512, 75))


MODULES = {
    "nasbench101": (module_101, 32),
    "nasbench201": (module_201, 32),
    "nasbench301": (Net301, 32),
    "transnasbench101": (module_trans, 256),
}


@pytest.mark.parametrize("name", MODULES)
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_parameters_are_those_of_a_module(name: str, seed: int) -> None:
    spec = spec_of(name, seed)
    with torch.device("meta"):
        module = MODULES[name][0](spec)
    assert FAMILIES[name].graph(spec).params == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 5, 6, 7, 8])  # at 3 one of the cells has no path: no module is like that
def test_a_random_architecture_equals_a_captured_module(name: str, seed: int) -> None:
    spec, (build, size) = spec_of(name, seed), MODULES[name]
    with torch.device("meta"):
        captured = ComputationGraph.from_module(build(spec), torch.zeros(1, 3, size, size))
    assert FAMILIES[name].graph(spec) == captured


def test_cells_of_a_text() -> None:
    spec = (2, 0, 4, 3, 1, 2)
    assert FAMILIES["nasbench201"].read_cells("[2,0,4,3,1,2]") == FAMILIES["nasbench201"].cells(spec)
    assert FAMILIES["nasbench_macro"].read_cells("02012100") == ()
    with pytest.raises(InvalidArchitectureError, match="NAS-Bench-201 cell must be"):
        FAMILIES["nasbench201"].read_cells("|x|")
