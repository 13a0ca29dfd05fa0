"""Graphs compiled into modules: capture is their inverse, they train, and what cannot be rebuilt is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from foretell.capture import capture_module
from foretell.capture.families import FAMILIES
from foretell.compile import compile_graph
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph, Node


class Of(nn.Module):
    """A function with layers, as a module."""

    def __init__(self, function, **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return self.function(self, *x)


class Learnt(nn.Module):
    def __init__(self, *shape: int, trains: bool = True) -> None:
        super().__init__()
        self.tensor = nn.Parameter(torch.ones(shape), requires_grad=trains)


MODULES = {
    "conv": nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 1)),
    "dilated": nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2),
    "depthwise": nn.Conv2d(4, 8, 3, groups=4, bias=False),
    "transposed": nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1),
    "norms": nn.Sequential(nn.BatchNorm2d(4, affine=False), nn.InstanceNorm2d(4, affine=True), nn.GroupNorm(2, 4)),
    "activations": nn.Sequential(nn.PReLU(4), nn.LeakyReLU(), nn.ELU(), nn.Softplus(), nn.Hardswish(), nn.Softmax(1)),
    "pools": nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 1, 1), nn.AdaptiveAvgPool2d(3)),
    "global": nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
    "flatten": nn.Sequential(nn.Flatten(), nn.Linear(4 * 8 * 6, 5, bias=False)),
    "shuffles": nn.Sequential(nn.PixelShuffle(2), nn.PixelUnshuffle(4), nn.Upsample(scale_factor=2)),
    "tokens": Of(
        lambda m, x: m.fc(m.norm(x.flatten(2).transpose(1, 2))).mean(1), norm=nn.LayerNorm(4), fc=nn.Linear(4, 7)
    ),
    "mixer": Of(
        lambda m, x: x.flatten(2) + m.fc(x.flatten(2).transpose(1, 2)).transpose(1, 2), fc=nn.Linear(4, 4)
    ),
    "rms": Of(lambda m, x: m.norm(x.permute(0, 2, 3, 1)), norm=nn.RMSNorm(4)),
    "whole norm": Of(lambda m, x: m.norm(x.permute(0, 2, 3, 1)), norm=nn.LayerNorm((8, 6, 4))),
    "gate": Of(lambda m, x: x * m.conv(F.adaptive_avg_pool2d(x, 1)).sigmoid(), conv=nn.Conv2d(4, 4, 1)),
    "slice": Of(lambda m, x: torch.cat([x[:, :3, 1:, 2:], x[:, :2, :7, :4]], 1)),
    "selected": Of(lambda m, x: x[:, 0]),
    "split": Of(lambda m, x: m.conv(x.chunk(2, 1)[0]) * x.chunk(2, 1)[1].tanh(), conv=nn.Conv2d(2, 2, 1)),
    "pad": Of(lambda m, x: F.pad(x, (1, 1, 0, 1))),
    "arithmetic": Of(lambda m, x: torch.maximum(x.relu() - x.sigmoid(), x.tanh()) / (x.sigmoid() + x.relu())),
    "product": Of(lambda m, x: x.relu() @ x.tanh().transpose(-1, -2)),
    "attention": Of(
        lambda m, x: F.scaled_dot_product_attention(*m.proj(x).chunk(3, 1)), proj=nn.Conv2d(4, 12, 1)
    ),
    "learnt scale": Of(lambda m, x: x * m.scale.tensor + m.shift.tensor, scale=Learnt(4, 1, 1), shift=Learnt(8, 6)),
    "frozen scale": Of(lambda m, x: x * m.scale.tensor, scale=Learnt(1, trains=False)),
    "class token": Of(
        lambda m, x: torch.cat([m.token.tensor.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], 1).relu(),
        token=Learnt(1, 1, 4),
    ),
    "shared": Of(lambda m, x: m.conv(m.conv(x).relu()), conv=nn.Conv2d(4, 4, 3, padding=1)),
    "frozen": nn.Conv2d(4, 4, 3).requires_grad_(requires_grad=False),
    "two outputs": Of(lambda m, x: (x.relu(), x.mean((2, 3)))),
}  # fmt: skip
IMAGE = torch.zeros(1, 4, 8, 6)


@pytest.mark.parametrize("name", MODULES)
def test_a_captured_module_compiles_into_one_with_its_graph(name: str) -> None:
    graph = capture_module(MODULES[name], IMAGE if name != "shuffles" else torch.zeros(1, 16, 4, 4))
    network = compile_graph(graph)
    assert capture_module(network, *network.example()) == graph
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == graph.params
    result = network(*network.example())
    assert all(torch.isfinite(r).all() for r in (result if isinstance(result, tuple) else (result,)))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_of_cells_round_trips(name: str) -> None:
    family = FAMILIES[name]
    graph = family.graph(family.sample(np.random.default_rng(4)))
    with torch.device("meta"):
        network = compile_graph(graph)
    assert capture_module(network, *network.example(device="meta")) == graph


@pytest.mark.parametrize(
    ("family", "spec"),
    [
        ("nasbench201", (1,) * 6),
        ("transnasbench101", (0,) * 6),
        ("nasbench101", ([[0, 0], [0, 0]], ["input", "output"])),
    ],
)
def test_cells_without_a_path_give_zeros(family: str, spec: object) -> None:
    with torch.device("meta"):
        network = compile_graph(FAMILIES[family].graph(spec))
    assert any("zero" in repr(m) for m in network.operators.values())


def test_a_compiled_network_trains() -> None:
    from foretell.capture import nasbench201

    torch.manual_seed(0)
    network = compile_graph(nasbench201.graph((2, 0, 4, 3, 1, 2), channels=4, cells=1))
    x, target = network.example(16)[0], torch.arange(16) % 10
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), target)
        loss.backward()
        assert all(p.grad is not None for p in network.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_weights_shared_in_the_original_are_shared() -> None:
    network = compile_graph(capture_module(MODULES["shared"], IMAGE))
    convs = [m for m in network.operators.values() if isinstance(m, nn.Conv2d)]
    assert convs[0] is convs[1]
    frozen = compile_graph(capture_module(MODULES["frozen"], IMAGE))
    assert not any(p.requires_grad for p in frozen.parameters())


def test_inputs_of_any_layout_and_several() -> None:
    net = Of(lambda m, a, b: m.linear(a) + b, linear=nn.Linear(4, 3))
    graph = capture_module(net, torch.zeros(1, 4), torch.zeros(1, 3))
    network = compile_graph(graph)
    a, b = network.example(5, seed=1)
    assert a.shape == (5, 4, 1, 1)
    assert torch.equal(network(a, b), network(a.flatten(1), b.flatten(1)))
    assert network(a, b).shape == (5, 3)


SHAPE = (4, 6, 6)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (Node("Unknown", SHAPE, SHAPE), r"node 1, Unknown .* cannot be rebuilt: it is outside the vocabulary"),
        (Node("Reduce", SHAPE, SHAPE), "it stands for many different calls"),
        (Node("Conv", SHAPE, (4, 3, 3), kernel=(2, 2), params=64), "symmetric padding"),
        (Node("Conv", SHAPE, SHAPE, kernel=(3, 3), groups=3, params=48), "groups must divide"),
        (Node("Conv", SHAPE, SHAPE, kernel=(3, 3), params=7, flops=1), "came back with params 7 as 144"),
        (Node("ReLU", (4, 5, 5), (4, 5, 5)), "its input has another size"),
        (Node("ReLU", SHAPE, (8, 6, 6)), r"it gives \(4, 6, 6\)"),
        (Node("MaxPool", SHAPE, (4, 5, 5), kernel=(7, 7)), "symmetric padding"),
        (Node("MatMul", SHAPE, (4, 3, 3)), "keeps height and width"),
        (Node("Mean", SHAPE, (2, 1, 1)), "a mean keeps a dimension"),
        (Node("Slice", SHAPE, (8, 6, 6)), "a slice is a part"),
        (Node("Split", SHAPE, (2, 3, 6)), "a split is along one dimension"),
        (Node("SpaceToDepth", SHAPE, (4, 3, 3)), "shuffled by one factor"),
        (Node("Concat", SHAPE, (9, 6, 6)), "must add up along one dimension"),
        (Node("Mul", SHAPE, SHAPE, params=5), "must broadcast"),
        (Node("BatchMatMul", SHAPE, SHAPE), "must be of matrices"),
        (Node("Attention", SHAPE, (5, 6, 6)), "attention takes query, key and value"),
        (Node("ConvTranspose", SHAPE, (4, 30, 30), kernel=(3, 3)), "needs paddings that give its output"),
    ],
)  # fmt: skip
def test_what_cannot_be_rebuilt_is_named(node: Node, message: str) -> None:
    graph = ComputationGraph.from_nodes(
        [Node("Input", SHAPE, SHAPE), node, Node("Output", node.out_shape, node.out_shape)], [(0, 1), (1, 2)]
    )
    with pytest.raises(InvalidArchitectureError, match=message):
        compile_graph(graph)


def test_other_refusals() -> None:
    alone = ComputationGraph.from_nodes([Node("Input", SHAPE, SHAPE)], [])
    with pytest.raises(InvalidArchitectureError, match="needs an Output node"):
        compile_graph(alone)
    loose = [Node("Input", SHAPE, SHAPE), Node("ReLU", SHAPE, SHAPE), Node("Output", SHAPE, SHAPE)]
    with pytest.raises(InvalidArchitectureError, match="nothing enters it"):
        compile_graph(ComputationGraph.from_nodes(loose, [(1, 2)]))
    with pytest.raises(InvalidArchitectureError, match="remove what leads to no output"):
        compile_graph(ComputationGraph.from_nodes(loose, [(0, 1), (0, 2)]))
    three = [*loose[:1], *(Node(op, SHAPE, SHAPE) for op in ("ReLU", "Tanh", "GELU", "Mul", "Output"))]
    with pytest.raises(InvalidArchitectureError, match="only a sum of equal shapes"):
        compile_graph(ComputationGraph.from_nodes(three, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (4, 5)]))
