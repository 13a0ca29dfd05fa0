"""Cell specifications to networks: closed forms, a second route, and the parameters of the real tables."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.capture.builder import GraphBuilder
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph

DATA = Path(os.environ.get("FORETELL_DATA", "../shared/data"))
NAMES = {-1: "input", -2: "output", **dict(enumerate(nasbench101.OPERATIONS))}
DIGITS = st.tuples(*[st.integers(0, 4)] * 6)
BEST_101 = (
    [
        [0, 1, 1, 0, 0, 1, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    ["input", *(nasbench101.OPERATIONS[i] for i in (1, 0, 2, 0, 0)), "output"],
)


def table(name: str) -> Path:
    """A real table, or a skip."""
    if not (DATA / name).is_file():
        pytest.skip(f"needs the table {name} in FORETELL_DATA (looked in {DATA.resolve()})")
    return DATA / name


def some_rows(n: int) -> range | list[int]:
    """300 random rows of n; all of them where FORETELL_COMPLETE is set (minutes for NAS-Bench-101)."""
    if os.environ.get("FORETELL_COMPLETE"):
        return range(n)
    return sorted(np.random.default_rng(0).choice(n, 300, replace=False).tolist())


def frame(name: str) -> dict[str, list]:
    """Columns of a real parquet table, or a skip."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="reading the real tables needs pyarrow")
    return parquet.read_table(table(name)).to_pydict()


# builder


def test_builder_computes_shapes_parameters_and_flops() -> None:
    net = GraphBuilder()
    x = net.conv(net.input((3, 9, 7)), 8, 3, stride=2, bias=True)
    assert net.shape(x) == (8, 5, 4)
    g = net.graph(net.linear(net.mean(net.conv(net.relu(x), 8, 5, groups=8, dilation=2)), 10))
    assert [n.op for n in g.nodes] == ["Input", "Conv", "ReLU", "Depthwise", "Mean", "MatMul", "Output"]
    assert [n.params for n in g.nodes] == [0, 3 * 8 * 9 + 8, 0, 8 * 25, 0, 8 * 10 + 10, 0]
    assert [n.flops for n in g.nodes] == [0, 2 * 3 * 8 * 9 * 20, 0, 2 * 8 * 25 * 20, 0, 2 * 80, 0]


def test_repeat_equals_writing_the_cell_again() -> None:
    def cell(net: GraphBuilder, x: int) -> int:
        return net.add([x, net.relu_conv_bn(x, 4, 3), net.avg_pool(x)])

    by_hand, copied = GraphBuilder(), GraphBuilder()
    x = by_hand.input((4, 8, 8))
    for _ in range(4):
        x = cell(by_hand, x)
    entry = copied.input((4, 8, 8))
    start = len(copied)
    last = copied.repeat(start, entry, cell(copied, entry), 3)
    assert copied.graph(last) == by_hand.graph(x)


def test_builder_refuses_what_does_not_fit() -> None:
    net = GraphBuilder()
    x = net.input((3, 8, 8))
    y = net.conv(x, 6)
    with pytest.raises(InvalidArchitectureError, match=r"one shape, but got .*: project or slice"):
        net.add([x, y])
    with pytest.raises(InvalidArchitectureError, match=r"height and width, but got .*: pool or slice"):
        net.concat([x, net.max_pool(y, 2, 2)])
    with pytest.raises(InvalidArchitectureError, match=r"groups must divide .* 2 for 3 -> 6 channels"):
        net.conv(x, 6, groups=2)
    with pytest.raises(InvalidArchitectureError, match=r"must give the shape that it takes"):
        net.repeat(1, x, y, 2)


# NAS-Bench-101


def test_nasbench101_best_cell_has_the_published_size() -> None:
    assert nasbench101.graph(*BEST_101).params == 32_426_634


def test_nasbench101_prunes_before_it_builds() -> None:
    matrix, ops = BEST_101
    wider = np.zeros((8, 8), dtype=int)
    wider[np.ix_([0, 1, 2, 3, 4, 5, 7], [0, 1, 2, 3, 4, 5, 7])] = matrix
    wider[0, 6] = 1  # vertex 6 leads nowhere
    padded = [*ops[:-1], "maxpool3x3", "output"]
    assert nasbench101.graph(wider, padded) == nasbench101.graph(matrix, ops)
    assert nasbench101.fingerprint(wider, padded) == nasbench101.fingerprint(matrix, ops)


def test_nasbench101_without_a_path_is_zero_but_connected() -> None:
    g = nasbench101.graph([[0, 1, 0], [0, 0, 0], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    assert g.op_counts()["Zero"] == 9
    assert g.params == 3 * 128 * 9 + 2 * 128 + 513 * 10
    assert_connected(g)


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 0], [1, 0]], ["input", "output"], r"upper triangular .* number the vertices"),
        ([[0, 2], [0, 0]], ["input", "output"], r"zeros and ones"),
        ([[0, 1], [0, 0]], ["input", "conv", "output"], r"a row for each of 3 operators"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "conv", "output"], r"spell them as NAS-Bench-101"),
    ],
)
def test_nasbench101_refuses(matrix: list[list[int]], ops: list[str], message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        nasbench101.graph(matrix, ops)


@pytest.mark.timeout(3600)
def test_nasbench101_equals_the_table() -> None:
    stored = np.load(table("nasbench101/nb101.npz"))
    columns = {name: stored[name] for name in ("adjacency", "ops", "n_vertices", "trainable_params", "hash")}
    for row in some_rows(len(columns["hash"])):
        n = int(columns["n_vertices"][row])
        matrix = columns["adjacency"][row][:n, :n]
        ops = [NAMES[int(op)] for op in columns["ops"][row][:n]]
        assert nasbench101.graph(matrix, ops).params == columns["trainable_params"][row]
        assert nasbench101.fingerprint(matrix, ops) == columns["hash"][row].tobytes()


def test_nasbench101_equals_a_captured_module() -> None:
    matrix = [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    ops = ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]

    def unit(c_in: int, c_out: int, k: int) -> nn.Module:
        conv = nn.Conv2d(c_in, c_out, k, padding=k // 2, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())

    class Cell(nn.Module):
        def __init__(self, c_in: int, c_out: int) -> None:
            super().__init__()
            half = c_out // 2
            self.project1, self.vertex1 = unit(c_in, half, 1), unit(half, half, 3)
            self.project2, self.pool = unit(c_in, half, 1), nn.MaxPool2d(3, 1, 1)
            self.project3 = unit(c_in, c_out, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            one = self.vertex1(self.project1(x))
            two = self.pool(one + self.project2(x))
            return torch.cat([one, two], 1) + self.project3(x)

    layers: list[nn.Module] = [unit(3, 128, 3)]
    for c_in, c_out in ((128, 128), (128, 256), (256, 512)):
        layers += [nn.MaxPool2d(2)] if c_out > 128 else []
        layers += [Cell(c_in, c_out), Cell(c_out, c_out), Cell(c_out, c_out)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    captured = ComputationGraph.from_module(nn.Sequential(*layers, *head), torch.zeros(1, 3, 32, 32))
    assert nasbench101.graph(matrix, ops) == captured


# NAS-Bench-201


def test_nasbench201_reads_both_forms() -> None:
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    assert nasbench201.parse(text) == (2, 2, 0, 2, 2, 3)
    assert nasbench201.graph(text) == nasbench201.graph(np.array([2, 2, 0, 2, 2, 3]))


def test_nasbench201_extremes_have_the_published_sizes() -> None:
    best = nasbench201.graph(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    )
    assert (best.params, best.flops) == (1_073_466, 2 * 153_272_960)
    assert nasbench201.graph((0,) * 6).params == 73_306


@given(DIGITS)
@settings(max_examples=40, deadline=None)
def test_nasbench201_is_always_one_piece(digits: tuple[int, ...]) -> None:
    assert_connected(nasbench201.graph(digits))


def test_nasbench201_leaves_dead_weights_out() -> None:
    assert nasbench201.graph((1, 2, 0, 2, 2, 1)) == nasbench201.graph((1, 1, 0, 1, 1, 1))
    assert nasbench201.graph((1, 1, 1, 2, 2, 2)).op_counts()["Zero"] == 15


@pytest.mark.parametrize("spec", ["|nor_conv_3x3~0|", (0, 1, 2), (0, 0, 0, 0, 0, 5), "|a~0|+|a~0|a~1|+|a~0|a~1|a~2|"])
def test_nasbench201_refuses(spec: str | tuple[int, ...]) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"or six positions in that list, but got .*: correct the edge"):
        nasbench201.graph(spec)


def test_nasbench201_equals_the_table() -> None:
    columns = frame("nasbench201/nb201.parquet")
    for row in some_rows(15_625):
        digits = ast.literal_eval(columns["net"][row])
        assert nasbench201.parse(columns["arch_str"][row]) == digits
        live = nasbench201.live_edges(digits)
        kernels = {i: {2: 9, 3: 1}.get(digit, 0) for i, digit in enumerate(digits) if i not in live}
        dead = sum(5 * (k * c * c + 2 * c) for k in kernels.values() if k for c in (16, 32, 64))
        for name, classes in (("cifar10", 10), ("cifar100", 100)):
            expected = columns[f"{name}_params"][row]
            assert (nasbench201.graph(digits, classes=classes).params + dead) / 1e6 == pytest.approx(expected, abs=1e-9)


def test_nasbench201_equals_a_captured_module() -> None:
    def unit(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Module:
        conv = nn.Conv2d(c_in, c_out, k, stride, k // 2, bias=False)
        return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(c_out))

    class Cell(nn.Module):  # 0 -> 1 3x3, 0 -> 2 skip, 1 -> 2 pooling, 1 -> 3 skip, 2 -> 3 1x1
        def __init__(self, c: int) -> None:
            super().__init__()
            self.a, self.b, self.pool = unit(c, c, 3), unit(c, c, 1), nn.AvgPool2d(3, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            one = self.a(x)
            return one + self.b(x + self.pool(one))

    class Residual(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.deep = nn.Sequential(unit(c, 2 * c, 3, 2), unit(2 * c, 2 * c, 3))
            self.flat = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c, 2 * c, 1, bias=False))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.flat(x) + self.deep(x)

    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    for c in (16, 32, 64):
        layers += [Residual(c // 2)] if c > 16 else []
        layers += [Cell(c) for _ in range(5)]
    head = [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    captured = ComputationGraph.from_module(nn.Sequential(*layers, *head), torch.zeros(1, 3, 32, 32))
    assert nasbench201.graph((2, 0, 1, 4, 0, 3)) == captured


# NAS-Bench-301


def test_nasbench301_takes_names_and_positions() -> None:
    cell = [(0, 3), (1, 2), (0, 0), (2, 4), (1, 5), (3, 6), (4, 1), (0, 2)]
    named = [(source, nasbench301.OPERATIONS[op]) for source, op in cell]
    assert nasbench301.graph((cell, cell)) == nasbench301.graph([named, named])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([(0, 3)] * 7, r"two cells of eight pairs"),
        ([(2, 3)] * 8, r"the input of node n below"),
        ([(0, "conv")] * 8, r"a name of .* or its position, but got 'conv'"),
        ([(0, 7)] * 8, r"a name of .* or its position, but got 7"),
    ],
)
def test_nasbench301_refuses(cell: list[tuple[int, int | str]], message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        nasbench301.graph([cell, cell])


def test_nasbench301_equals_the_table() -> None:
    """The table's networks: 32 channels, 8 cells, operators whose normalisation has no scale and shift."""
    columns = frame("nasbench301/nb301_sample.parquet")
    widths = {False: (32, 32, 64, 64, 128, 128), True: (64, 128)}
    norms = {3: 2, 4: 2, 5: 1, 6: 1}
    for row in range(0, 1218, 6):
        cells = ast.literal_eval(columns["arch"][row])
        affine = 0
        for reduces, cell in enumerate(cells):
            for source, op in cell:
                norm = 1 if reduces and source < 2 and op == 2 else norms.get(op, 0)
                affine += sum(2 * c * norm for c in widths[bool(reduces)])
        assert nasbench301.graph(cells).params - affine == round(columns["params"][row] * 1e6)


# TransNAS-Bench-101


def test_transnasbench101_reads_both_forms() -> None:
    assert transnasbench101.graph("64-41414-1_30_213") == transnasbench101.graph((1, 3, 0, 2, 1, 3))


def test_transnasbench101_closed_form() -> None:
    base = transnasbench101.graph((0, 0, 0, 0, 0, 0))
    g = transnasbench101.graph((0, 0, 0, 3, 0, 0))
    ends = [
        (64, 128),
        (128, 128),
        (128, 128),
        (128, 128),
        (128, 256),
        (256, 256),
        (256, 256),
        (256, 256),
        (256, 512),
    ]
    assert g.params - base.params == sum(9 * a * b + 2 * b for a, b in [*ends, (512, 512)])
    assert g.nodes[-1].in_shape == (75, 1, 1)
    assert base.op_counts()["Zero"] == 10
    assert_connected(base)


@pytest.mark.parametrize("spec", ["64-41414-1_30_2134", (0, 0, 0, 0, 0, 4), (1, 1), "64-basic"])
def test_transnasbench101_refuses(spec: str | tuple[int, ...]) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"or six such digits .* correct the digit"):
        transnasbench101.graph(spec)


def assert_connected(g: ComputationGraph) -> None:
    """Every node lies on a path from the one input to the one output."""
    import networkx

    graph = g.to_networkx()
    assert networkx.is_weakly_connected(graph)
    assert [n for n, d in graph.in_degree if d == 0] == [0]
    assert [n for n, d in graph.out_degree if d == 0] == [len(g) - 1]
