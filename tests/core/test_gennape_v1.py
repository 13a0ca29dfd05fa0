"""The paper's vocabulary: graphs captured from our builds of the released networks equal the released graphs."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from foretell.compile import compile_graph
from foretell.errors import InvalidArchitectureError, InvalidDataError
from foretell.gennape_v1 import capture_v1, completed, read_released, to_v1
from foretell.graph import ComputationGraph

RELEASED = Path(os.environ.get("FORETELL_DATA", "../shared/data")) / "gennape_graphs"
DIGESTS = {  # of the released graphs, NAS-Bench-201's without its dropout
    "nb101_best": "2a92e31f04aa1d5cdb309b6f1cbb00dd",
    "nb201_best": "b3fbab29259b68b25c1b4e57891454ba",
}
NAMES = (
    "hiaml_best",
    "inception_best",
    "nb101_best",
    "nb201_best",
    "resnet50",
    "resnet101",
    "two_path_best",
    "vgg16_bn",
)
IMAGE = torch.zeros(1, 3, 32, 32)


def released(name: str) -> ComputationGraph:
    """A released graph, or a skip."""
    path = RELEASED / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"needs the released graph {name}.json in FORETELL_DATA (looked in {RELEASED.resolve()})")
    return read_released(path)


def without_dropout(graph: ComputationGraph) -> ComputationGraph:
    """The graph without the identity that a dropout of rate 0 left before the classifier."""
    nodes, edges = list(graph.nodes), [(a, b) for a, b in graph.edges.tolist()]
    (gone,) = (i for i, n in enumerate(nodes) if n.op == "Identity" and n.in_shape[1:] == (1, 1))
    (parent,) = (a for a, b in edges if b == gone)
    edges = [(parent if a == gone else a, b) for a, b in edges if b != gone]
    shift = [i - (i > gone) for i in range(len(nodes))]
    return ComputationGraph.from_nodes(
        [n for i, n in enumerate(nodes) if i != gone], [(shift[a], shift[b]) for a, b in edges]
    )


class ReLUConvBN(nn.Sequential):
    def __init__(self, channels: int, kernel: int) -> None:
        conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        super().__init__(nn.ReLU(), conv, nn.BatchNorm2d(channels))


class Cell201(nn.Module):
    """NAS-Bench-201's best cell as released: node 2 adds first, the skip is added to the sum of the other two."""

    def __init__(self, channels: int, moved: bool = False, kernel: int = 3, regrouped: bool = False) -> None:
        super().__init__()
        self.to_1, self.to_2, self.skip = ReLUConvBN(channels, kernel), ReLUConvBN(channels, 3), nn.Identity()
        self.from_1_to_2 = ReLUConvBN(channels, 1 if moved else 3)
        self.from_1_to_3, self.from_2_to_3 = ReLUConvBN(channels, 3), ReLUConvBN(channels, 3 if moved else 1)
        self.regrouped = regrouped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.to_1(x)
        two = self.to_2(x) + self.from_1_to_2(one)
        if self.regrouped:
            return (self.skip(x) + self.from_1_to_3(one)) + self.from_2_to_3(two)
        return self.skip(x) + (self.from_1_to_3(one) + self.from_2_to_3(two))


class Reduction201(nn.Module):
    """The reduction as released: no normalisation, a rectifier after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=False)
        self.project = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.project(x))


class Net201(nn.Module):
    def __init__(self, **cell: bool | int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16))
        stages = [nn.Sequential(*(Cell201(c, **cell) for _ in range(5))) for c in (16, 32, 64)]
        self.body = nn.Sequential(stages[0], Reduction201(16), stages[1], Reduction201(32), stages[2])
        self.classifier = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.body(self.stem(x)).mean((2, 3)))


class ConvBNReLU(nn.Sequential):
    def __init__(self, source: int, channels: int, kernel: int) -> None:
        conv = nn.Conv2d(source, channels, kernel, padding=kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(channels), nn.ReLU())


class Cell101(nn.Module):
    """NAS-Bench-101's best cell; three results meet in one sum (`add_n`), the projected input in another."""

    def __init__(
        self, source: int, channels: int, moved: bool = False, kernel: int = 3, regrouped: bool = False
    ) -> None:
        super().__init__()
        self.projections = nn.ModuleList(ConvBNReLU(source, channels, 1) for _ in range(3))
        self.convs = nn.ModuleList(ConvBNReLU(channels, channels, k) for k in (kernel, 3, 3, 3))
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.moved, self.regrouped = moved, regrouped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.convs[0](self.projections[0](x))
        two = self.convs[1](self.projections[1](x))
        four = self.pool(self.convs[2](two)) if self.moved else self.convs[2](self.pool(two))
        joined = one + two + four if self.regrouped else torch.stack([one, two, four]).sum(0)
        return self.convs[3](joined) + self.projections[2](x)


class Net101(nn.Module):
    def __init__(self, **cell: bool | int) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBNReLU(3, 128, 3)]
        for stage, (source, channels) in enumerate(((128, 128), (128, 256), (256, 512))):
            layers += [nn.MaxPool2d(2)] if stage else []
            layers += [Cell101(source if i == 0 else channels, channels, **cell) for i in range(3)]
        self.body = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.body(x).mean((2, 3)))


NETS = {"nb101_best": Net101, "nb201_best": Net201}


@pytest.mark.parametrize("name", NETS)
def test_our_build_equals_the_released_graph(name: str) -> None:
    ours = capture_v1(NETS[name](), IMAGE)
    assert ours.digest == DIGESTS[name]
    theirs = released(name)
    theirs = without_dropout(theirs) if name == "nb201_best" else theirs
    assert ours == theirs
    assert refined(ours) == refined(theirs)


@pytest.mark.parametrize("change", [{"moved": True}, {"kernel": 1}, {"regrouped": True}])
@pytest.mark.parametrize("name", NETS)
def test_an_operator_moved_a_kernel_changed_or_a_sum_regrouped_differs(name: str, change: dict[str, bool]) -> None:
    right, wrong = capture_v1(NETS[name](), IMAGE), capture_v1(NETS[name](**change), IMAGE)
    assert right != wrong
    assert refined(right) != refined(wrong)
    if "moved" in change:  # the labels are the same ones: only the edges tell
        assert Counter(labels(right)) == Counter(labels(wrong))


def test_released_sizes() -> None:
    sizes = {name: (len(g), len(g.edges)) for name in NAMES for g in (released(name),)}
    assert sizes == {
        "hiaml_best": (107, 118), "inception_best": (403, 445), "nb101_best": (225, 251), "nb201_best": (306, 352),
        "resnet50": (152, 164), "resnet101": (322, 351), "two_path_best": (56, 58), "vgg16_bn": (48, 47),
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_module_made_of_a_released_graph_gives_it_back(name: str) -> None:
    """All operators of the eight networks, their windows and joins, through PyTorch and capture: nothing is lost."""
    graph = released(name)
    with torch.device("meta"):
        module = compile_graph(completed(graph))
    assert capture_v1(module, *module.example(device="meta")) == graph


def labels(graph: ComputationGraph) -> list[tuple[object, ...]]:
    return [(n.op, n.in_shape, n.out_shape, n.kernel, n.bias) for n in graph.nodes]


def refined(graph: ComputationGraph, rounds: int = 60) -> Counter[int]:
    """Weisfeiler-Lehman colours over directed edges, a second route beside the digest."""
    colours = [hash(label) for label in labels(graph)]
    sources, targets = graph.edges.T.tolist()
    for _ in range(rounds):
        into: list[list[int]] = [[] for _ in colours]
        out: list[list[int]] = [[] for _ in colours]
        for a, b in zip(sources, targets, strict=True):
            into[b].append(colours[a])
            out[a].append(colours[b])
        colours = [hash((c, tuple(sorted(i)), tuple(sorted(o)))) for c, i, o in zip(colours, into, out, strict=True)]
    return Counter(colours)


def test_v1_forgets_what_the_paper_does_not_say() -> None:
    one = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1, groups=2), nn.MaxPool2d(2))
    two = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.AvgPool2d(2))
    x = torch.zeros(1, 4, 8, 8)
    v1 = [capture_v1(m, x) for m in (one, two)]
    assert all(g.params == g.flops == 0 for g in v1)
    assert [n.op for n in v1[0].nodes] == ["Input", "Conv", "MaxPool", "Output"]
    assert v1[0].nodes[1] == v1[1].nodes[1]
    assert v1[0] != v1[1]
    assert v1[0].nodes[2].kernel == (0, 0)


def test_later_operators_in_the_words_of_v1() -> None:
    x = torch.zeros(1, 4, 8, 8)
    dilated = nn.Sequential(nn.Conv2d(4, 4, 3, padding=2, dilation=2), nn.Hardsigmoid(), nn.GroupNorm(2, 4))
    ops = [n.op for n in capture_v1(dilated, x).nodes]
    assert ops == ["Input", "SpaceToBatch", "Conv", "BatchToSpace", "ReLU6", "Unknown", "Output"]
    swish = capture_v1(nn.Hardswish(), x)
    assert [n.op for n in swish.nodes] == ["Input", "ReLU6", "Mul", "Output"]
    assert swish.edges.tolist() == [[0, 1], [0, 2], [1, 2], [2, 3]]
    assert to_v1(swish) == swish


def test_capture_v1_leaves_the_module_alone() -> None:
    net = Net201()
    capture_v1(net, IMAGE)
    assert sum(isinstance(m, nn.Identity) for m in net.modules()) == 15
    assert net.training


@pytest.mark.parametrize(
    "stored",
    [
        "{", "[]", '{"nodes": [], "edges": 3}', '{"nodes": [{"kind": "regular"}], "edges": []}',
        '{"nodes": [{"kind": "regular", "op_type_idx": 6, "resolution": [1, 1, 1]}], "edges": []}',
    ],
)  # fmt: skip
def test_a_damaged_release_is_refused(stored: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.json"
    path.write_text(stored, encoding="utf-8")
    with pytest.raises(InvalidDataError, match="in GENNAPE's format, but .*damaged.json is not"):
        read_released(path)


def test_a_cyclic_release_is_refused(tmp_path: Path) -> None:
    node = {"kind": "regular", "op_type_idx": 6, "resolution": [8, 8, 8, 8, 3, 3]}
    path = tmp_path / "cyclic.json"
    path.write_text(json.dumps({"nodes": [node, node], "edges": [[0, 1], [1, 0]]}), encoding="utf-8")
    with pytest.raises(InvalidArchitectureError, match="cycle"):
        read_released(path)
