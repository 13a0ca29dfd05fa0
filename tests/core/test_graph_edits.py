"""Edits of computation graphs: what comes out is a network that compiles, trains and counts right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.capture import capture_module, nasbench101, nasbench201, nasbench301, ofa_mobilenetv3, transnasbench101
from foretell.capture.builder import GraphBuilder
from foretell.compile import compile_graph
from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph, Node
from foretell.search.activation_swap import ActivationSwap
from foretell.search.block_insertion import BlockInsertion
from foretell.search.block_removal import BlockRemoval
from foretell.search.channel_group import channel_group
from foretell.search.draft import Draft
from foretell.search.kernel_change import KernelChange
from foretell.search.pool_swap import PoolSwap
from foretell.search.random_edit import EDITS, RandomEdit
from foretell.search.segment_swap import SegmentSwap
from foretell.search.sites import places
from foretell.search.skip_edits import SkipAddition, SkipRemoval
from foretell.search.trial_step import trial_step
from foretell.search.width_change import WidthChange

DARTS = [(0, "sep_conv_3x3"), (1, "max_pool_3x3"), (0, "skip_connect"), (2, "dil_conv_5x5"), *[(1, "avg_pool_3x3")] * 4]
MATRIX = [[0, 1, 1, 0, 1], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
OPS = ["input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"]


def mobile() -> ComputationGraph:
    """A small network with squeeze and excitation, depthwise and grouped convolutions, and a flatten."""
    net = GraphBuilder()
    x = net.hard_swish(net.batch_norm(net.conv(net.input((3, 16, 16)), 16, 3, stride=2)))
    for stride in (1, 2):
        c = net.shape(x)[0]
        y = net.relu(net.batch_norm(net.conv(x, 2 * c)))
        y = net.relu(net.batch_norm(net.conv(y, 2 * c, 5, stride=stride, groups=2 * c)))
        gate = net.hard_sigmoid(net.conv(net.relu(net.conv(net.mean(y), 8, bias=True)), 2 * c, bias=True))
        y = net.batch_norm(net.conv(net.scale(y, gate), c))
        x = net.add([x, y]) if stride == 1 else net.conv(net.relu(y), 2 * c, 3, groups=4)
    return net.graph(net.linear(net.mean(net.max_pool(x, 2, 2)), 10))


STARTS = {
    "nb101": lambda: nasbench101.graph(MATRIX, OPS, channels=8, cells=2, stacks=2),
    "nb201": lambda: nasbench201.graph((2, 4, 0, 3, 0, 2), channels=8, cells=2),
    "nb301": lambda: nasbench301.graph([DARTS, DARTS], channels=4, cells=3),
    "transnas": lambda: transnasbench101.graph((3, 1, 2, 0, 3, 1)),
    "ofa": lambda: ofa_mobilenetv3.graph({"ks": 3, "e": 3, "d": 2, "r": 64}),
    "mobile": mobile,
}
GRAPHS = {name: make() for name, make in STARTS.items()}


@settings(max_examples=8)
@given(st.sampled_from(sorted(GRAPHS)), st.integers(0, 10**6))
def test_chains_of_edits_give_networks(name: str, seed: int) -> None:
    """Valid, one input and one output as before, and what a captured module of it counts is what the edit counts."""
    rng, propose, start = np.random.default_rng(seed), RandomEdit(), GRAPHS[name]
    graph = start
    for _ in range(3):
        made = propose(graph, rng)
        graph = made[1] if made else graph
    counts = graph.op_counts()
    assert (counts["Input"], counts["Output"]) == (1, 1)
    assert graph.nodes[-1].out_shape == start.nodes[-1].out_shape
    network = compile_graph(graph)  # refuses a module whose capture differs from the graph in any number
    assert sum(p.numel() for p in network.parameters()) == graph.params


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.name)
def test_every_edit_trains_and_is_reproducible(edit) -> None:
    done = 0
    for seed in range(30):
        try:
            words, graph = edit.apply(GRAPHS["mobile"], np.random.default_rng(seed))
        except InvalidArchitectureError:
            continue
        assert edit.apply(GRAPHS["mobile"], np.random.default_rng(seed)) == (words, graph)
        if graph != GRAPHS["mobile"]:
            done += 1
            step = trial_step(graph)
            assert step.trained == 1.0
            assert step.after < step.before
        if done == 2:
            break
    assert done, edit


@pytest.mark.parametrize("name", GRAPHS)
def test_a_draft_without_edits_is_the_graph(name: str) -> None:
    assert Draft(GRAPHS[name]).finish() == GRAPHS[name]


def plain(**changes: int) -> ComputationGraph:
    """Conv-BN-ReLU twice, the second with a skip, pooling and a classifier."""
    net = GraphBuilder()
    x = net.conv_bn_relu(net.input((3, 8, 8)), changes.get("width", 8), changes.get("kernel", 3))
    y = net.conv_bn_relu(x, changes.get("width", 8), 3)
    x = net.max_pool(net.add([x, y]), 2, 2) if not changes.get("mean") else net.avg_pool(net.add([x, y]), 2, 2)
    return net.graph(net.linear(net.mean(x), 10))


def first(edit, wanted: ComputationGraph, graph: ComputationGraph) -> bool:
    """Whether an edit reaches a graph within 60 seeds."""
    for seed in range(60):
        try:
            if edit.apply(graph, np.random.default_rng(seed))[1] == wanted:
                return True
        except InvalidArchitectureError:
            continue
    return False


def test_edits_reach_what_one_writes_by_hand() -> None:
    graph = plain()
    assert first(WidthChange(factors=((2, 1),)), plain(width=16), graph)
    assert first(WidthChange(factors=((1, 2),)), plain(width=4), graph)
    assert first(KernelChange(sizes=(5,)), plain(kernel=5), graph)
    assert first(PoolSwap(), plain(mean=1), graph)
    net = GraphBuilder()
    x = net.conv_bn_relu(net.input((3, 8, 8)), 8, 3)
    chain = net.graph(net.linear(net.mean(net.max_pool(x, 2, 2)), 10))
    assert first(SkipRemoval(), chain, graph)
    one_less = ActivationSwap(among=("ReLU", "GELU")).apply(graph, np.random.default_rng(1))[1]
    assert one_less.op_counts()["GELU"] in {1, 2}
    net = GraphBuilder()
    x = net.conv_bn_relu(net.conv_bn_relu(net.input((3, 8, 8)), 8, 3), 8, 3)
    deep = net.graph(net.linear(net.mean(net.max_pool(x, 2, 2)), 10))
    assert first(BlockInsertion(kernels=(3,)), deep, chain)
    assert first(BlockRemoval(), chain, deep)
    assert first(SkipAddition(), graph, deep)
    assert first(SegmentSwap(), chain, deep) or first(SegmentSwap(), deep, chain)


def test_a_width_group_reaches_through_sums_gates_and_depthwise_convolutions() -> None:
    graph = mobile()
    draft = Draft(graph)
    stem = next(i for i, n in enumerate(graph.nodes) if n.op == "Conv")
    group = {graph.nodes[i].out_shape[0] for i in channel_group(draft, stem)}
    assert group == {16}
    assert len(channel_group(draft, stem)) == 2  # the stem, and what is added to it
    expand = next(i for i, n in enumerate(graph.nodes) if n.op == "Conv" and n.out_shape[0] == 32)
    found = channel_group(draft, expand)
    assert len(found) == 2  # the expansion, and the gate that multiplies it
    assert all(graph.nodes[i].out_shape[0] == 32 for i in found)


def test_widths_that_cannot_change_are_refused() -> None:
    graph = plain()
    draft = Draft(graph)
    classifier = next(i for i, n in enumerate(graph.nodes) if n.op == "MatMul")
    with pytest.raises(InvalidArchitectureError, match="the output's width must stay"):
        channel_group(draft, classifier)
    messages = set()
    for seed in range(20):
        with pytest.raises(InvalidArchitectureError) as caught:
            WidthChange(factors=((1, 3),)).apply(graph, np.random.default_rng(seed))
        messages.add(str(caught.value)[:30])
    assert messages == {"a width must stay a whole numb", "the output's width must stay, "}
    net = GraphBuilder()
    x = net.input((3, 8, 8))
    tied = Draft(net.graph(net.linear(net.mean(net.add([x, net.conv(x, 3, 3)])), 2)))
    with pytest.raises(InvalidArchitectureError, match="is tied to Input"):
        channel_group(tied, 1)


def test_the_same_place_of_repeated_cells_has_one_name() -> None:
    graph = nasbench201.graph((2, 0, 0, 0, 0, 3), channels=8, cells=5)
    named = places(graph)
    convs = [named[i] for i, n in enumerate(graph.nodes) if n.op == "Conv" and n.kernel == (3, 3)]
    assert len(set(convs)) < len(convs) / 2


def test_a_draft_refuses_what_does_not_fit() -> None:
    graph = plain()
    shape = (8, 8, 8)
    draft = Draft(graph)
    draft.steps[1].sources = [5]
    with pytest.raises(InvalidArchitectureError, match="must not make a cycle"):
        draft.finish()
    draft = Draft(graph)
    draft.steps[2].sources = []
    draft.steps[4].sources = [0]
    with pytest.raises(InvalidArchitectureError, match="every operator needs an input"):
        draft.finish()
    draft = Draft(graph)
    draft.change(1, Node("Conv", (3, 8, 8), (16, 8, 8), kernel=(3, 3), params=1))
    with pytest.raises(InvalidArchitectureError, match="Add needs inputs of one shape"):
        draft.finish()
    join = next(i for i, s in draft.steps.items() if s.node.op == "Add")
    with pytest.raises(InvalidArchitectureError, match="only an operator of one input can be taken out"):
        draft.splice(join)
    with pytest.raises(InvalidArchitectureError, match="an edit needs an operator that it can change"):
        PoolSwap().apply(
            ComputationGraph.from_nodes([Node("Input", shape, shape), Node("Output", shape, shape)], [(0, 1)]),
            np.random.default_rng(0),
        )


def test_the_trial_step_leaves_the_random_state_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    assert trial_step(plain()) == trial_step(plain())
    assert torch.equal(before, torch.random.get_rng_state())
    assert capture_module(compile_graph(plain()), torch.zeros(1, 3, 8, 8)) == plain()
