"""Folded networks: what repeats, what must not be folded, and the drawing of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foretell.capture import nasbench201
from foretell.drawing import to_html, to_svg
from foretell.folding import Block, fold
from foretell.graph import ComputationGraph, Node


def chain(ops: list[str]) -> ComputationGraph:
    nodes = [Node(op, (4, 8, 8), (4, 8, 8)) for op in ops]
    return ComputationGraph.from_nodes(nodes, [(i, i + 1) for i in range(len(ops) - 1)])


def unfolded(blocks: tuple[Block, ...], size: int) -> int:
    """How many nodes the network had: every kept node as often as the blocks round it say."""
    return sum(int(np.prod([b.times for b in blocks if b.first <= i <= b.last])) for i in range(size))


def test_a_chain_of_three_blocks() -> None:
    folded = fold(chain(["Input", *["ReLU", "Tanh", "Exp"] * 3, "Output"]))
    assert folded.blocks == (Block(1, 3, 3),)
    assert [n.op for n in folded.graph.nodes] == ["Input", "ReLU", "Tanh", "Exp", "Output"]
    assert folded.graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_blocks_inside_blocks() -> None:
    stage = [*["ReLU", "Tanh"] * 4, "Exp"]
    folded = fold(chain(["Input", *stage * 3, "Output"]))
    assert folded.blocks == (Block(1, 3, 3), Block(1, 2, 4))
    assert len(folded.graph) == 5


def test_residual_blocks_of_a_module() -> None:
    class Block_(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.relu(self.norm(self.conv(x)))

    graph = ComputationGraph.from_module(nn.Sequential(*[Block_() for _ in range(6)]), torch.zeros(1, 8, 4, 4))
    folded = fold(graph)
    assert [b.times for b in folded.blocks] == [6]
    assert folded.graph.op_counts() == {"Add": 1, "BatchNorm": 1, "Conv": 1, "Input": 1, "Output": 1, "ReLU": 1}


def test_a_block_whose_inside_is_used_further_on_is_not_folded() -> None:
    graph = chain(["Input", *["ReLU", "Tanh"] * 4, "Concat", "Output"])
    taken = ComputationGraph.from_nodes(graph.nodes, [*map(tuple, graph.edges.tolist()), (2, 9), (4, 9)])
    assert fold(taken).blocks == ()
    assert [b.times for b in fold(graph).blocks] == [4]


def test_nothing_repeats() -> None:
    graph = chain(["Input", "ReLU", "Tanh", "Exp", "Output"])
    assert fold(graph).graph == graph
    assert fold(graph).blocks == ()


@given(st.lists(st.sampled_from(["ReLU", "Tanh", "Exp"]), min_size=1, max_size=24))
def test_the_blocks_tell_how_long_the_network_was(ops: list[str]) -> None:
    graph = chain(ops)
    folded = fold(graph)
    assert unfolded(folded.blocks, len(folded.graph)) == len(graph)


@pytest.mark.parametrize("cell", [(2, 0, 0, 2, 0, 2), (2, 3, 4, 0, 2, 2)])
def test_the_cells_of_a_stage(cell: tuple[int, ...]) -> None:
    graph = nasbench201.graph(cell)
    folded = fold(graph)
    assert [b.times for b in folded.blocks][:3] == [5, 5, 5]
    assert unfolded(folded.blocks, len(folded.graph)) == len(graph)
    assert folded.graph.depth < graph.depth


def test_a_folded_drawing_says_how_often() -> None:
    graph = nasbench201.graph((2, 0, 0, 2, 0, 2))
    root = ET.fromstring(to_svg(graph, "cell", folded=True))
    space = "{http://www.w3.org/2000/svg}"
    texts = [t.text for t in root.iter(f"{space}text")]
    assert texts.count("\N{MULTIPLICATION SIGN} 5") == 3
    assert len(list(root.iter(f"{space}rect"))) == len(fold(graph).graph) + 3
    assert len(list(ET.fromstring(to_svg(graph)).iter(f"{space}rect"))) == len(graph)


def test_a_page_escapes_its_title_and_shows_the_whole_networks_sums() -> None:
    graph = nasbench201.graph((2, 0, 0, 2, 0, 2))
    page = to_html(graph, "<script>")
    assert "<script>" not in page
    assert f"{graph.params:,}" in page
    assert page.count("<svg") == 1
