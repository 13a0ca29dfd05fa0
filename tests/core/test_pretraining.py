"""Folded graphs and the encoder over them: folding changes nothing, nor does the order of nodes or of graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.capture import nasbench101, nasbench201
from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph, Node
from foretell.pretraining.folded_graphs import STATISTICS, FoldedGraphs, unfolded
from foretell.pretraining.gathered_sums import gathered_sums
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder, carry, mean_of_nodes
from foretell.pretraining.node_labels import LABELS, PaperLabels

PAPER = EncoderSettings()
OURS = EncoderSettings(
    "v2", width=16, hops=3, ways=("forward", "backward"), residual=True, pools=("mean", "max"), statistics=True
)  # fmt: skip
BOTH = pytest.mark.parametrize("shape", [PAPER, OURS], ids=["paper", "ours"])


def encoder_of(shape: EncoderSettings) -> GraphEncoder:
    torch.manual_seed(0)
    return GraphEncoder(shape).double()


def some_graphs(n: int = 4) -> list[ComputationGraph]:
    rng = np.random.default_rng(0)
    return [nasbench101.graph(*nasbench101.sample(rng), cells=2) for _ in range(n - 1)] + [
        nasbench201.graph((2, 0, 4, 3, 0, 2), cells=1)
    ]


def renumbered(graph: ComputationGraph, rng: np.random.Generator) -> ComputationGraph:
    order = rng.permutation(len(graph))
    nodes = graph.nodes
    position = np.argsort(order)
    return ComputationGraph.from_nodes([nodes[i] for i in order], position[graph.edges].tolist())


@BOTH
def test_folding_changes_no_state_and_no_gradient(shape: EncoderSettings):
    graphs, encoder = some_graphs(), encoder_of(shape)
    folded = shape.fold(graphs)
    plain = unfolded(graphs, LABELS[shape.labels], hops=shape.hops, ways=shape.ways)
    assert len(folded.keys[-1]) < len(plain.keys[-1])
    weight = torch.arange(shape.out_width, dtype=torch.float64)
    found = []
    for form in (folded, plain):
        encoder.zero_grad()
        h = encoder(form)
        (h * weight).sum().backward()
        found.append((h.detach(), [p.grad.clone() for p in encoder.parameters()]))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=1e-6)  # shares are float32
    for a, b in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@BOTH
def test_a_batch_equals_single_graphs_and_a_selection(shape: EncoderSettings):
    graphs, encoder = some_graphs(), encoder_of(shape)
    together = encoder.encode(shape.fold(graphs))
    alone = np.concatenate([encoder.encode(shape.fold([g])) for g in graphs])
    np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-7)
    some = np.array([3, 0, 2])
    np.testing.assert_allclose(encoder.encode(shape.fold(graphs).select(some)), together[some], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(encoder.encode(shape.fold(graphs), chunk=2), together, rtol=1e-6, atol=1e-7)


@BOTH
@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_renumbering_nodes_changes_nothing(shape: EncoderSettings, seed: int):
    rng = np.random.default_rng(seed)
    graph = nasbench101.graph(*nasbench101.sample(rng), cells=1)
    encoder = encoder_of(shape)
    a, b = (encoder.encode(shape.fold([g])) for g in (graph, renumbered(graph, rng)))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_one_hop_by_hand():
    """Input -> ReLU -> Output: with unit weights a node gets tanh(own + parents')."""
    shape = (4, 8, 8)
    nodes = [Node("Input", shape, shape), Node("ReLU", shape, shape), Node("Output", shape, shape)]
    graph = ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2)])
    encoder = encoder_of(EncoderSettings(hops=1))
    (conv,) = encoder.convolutions[0]
    with torch.no_grad():
        conv.lin_rel.weight.copy_(torch.eye(32))
        conv.lin_root.weight.copy_(torch.eye(32))
        conv.lin_rel.bias.zero_()
    folded = unfolded([graph], PaperLabels(), hops=1)
    first, second = encoder.states(folded)
    expected = torch.tanh(torch.stack([first[0], first[1] + first[0], first[2] + first[1]]))
    torch.testing.assert_close(second, expected)
    torch.testing.assert_close(encoder(folded)[0], expected.mean(dim=0), rtol=1e-6, atol=1e-6)


def test_a_parent_that_is_heard_twice_counts_twice():
    graph = nasbench201.graph((2, 2, 2, 2, 2, 2), cells=1)
    folded = FoldedGraphs.of([graph], PaperLabels(), hops=1)
    assert sum(times.sum() for times in folded.hops[0].times) < len(graph.edges)
    assert max(times.max() for times in folded.hops[0].times) == 3.0  # the sum of three equal convolutions


def test_states_of_fewer_hops_can_be_carried_on():
    graphs, encoder = some_graphs(), encoder_of(PAPER)
    folded, plain = PAPER.fold(graphs, extra_hops=1), unfolded(graphs, PaperLabels(), hops=7)
    carried = mean_of_nodes(folded, carry(folded, encoder.states(folded)[2], 2, 7))
    expected = mean_of_nodes(plain, encoder.states(plain)[2])
    torch.testing.assert_close(carried, expected, rtol=1e-5, atol=1e-6)


def test_a_folded_set_survives_storage():
    folded, encoder = OURS.fold(some_graphs()), encoder_of(OURS)
    again = FoldedGraphs.from_arrays(folded.to_arrays())
    np.testing.assert_array_equal(encoder.encode(folded), encoder.encode(again))


def test_views_differ_and_repeat_with_their_seed():
    folded, encoder = PAPER.fold(some_graphs()), encoder_of(PAPER)
    a, b, c = (encoder.view(folded, torch.Generator().manual_seed(seed)) for seed in (0, 1, 0))
    assert not torch.allclose(a, b)
    assert torch.equal(a, c)


def test_a_vector_ends_with_statistics_that_no_view_has():
    graphs, encoder = some_graphs(), encoder_of(OURS)
    folded = OURS.fold(graphs).select(np.array([2, 0]))
    ends = encoder(folded)[:, OURS.pooled_width :]
    expected = [
        [np.log10(1.0 + g.flops), np.log10(1.0 + g.params), np.log2(len(g)), np.log2(1.0 + g.depth)]
        for g in (graphs[2], graphs[0])
    ]
    np.testing.assert_allclose(ends.detach().numpy(), expected)
    assert ends.shape[1] == len(STATISTICS) == OURS.out_width - OURS.pooled_width
    assert torch.equal(encoder.view(folded), encoder(folded)[:, : OURS.pooled_width])


def test_the_paper_writes_a_hard_swish_with_two_operators():
    shape = (4, 8, 8)
    nodes = [Node("Input", shape, shape), Node("HardSwish", shape, shape), Node("Output", shape, shape)]
    graph = ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2)])
    assert len(PaperLabels().rewrite(graph)) == 4


def test_folding_refuses_nothing_and_unknown_ways():
    with pytest.raises(InvalidDataError, match="at least one graph"):
        FoldedGraphs.of([], PaperLabels(), hops=1)
    with pytest.raises(InvalidDataError, match="ways among"):
        FoldedGraphs.of(some_graphs(1), PaperLabels(), hops=1, ways=("sideways",))


@pytest.mark.parametrize("wrong", [{"labels": "v9"}, {"width": 0}, {"pools": ()}, {"ways": ("up",)}])
def test_an_encoder_refuses_unknown_settings(wrong: dict):
    with pytest.raises(InvalidDataError, match="an encoder needs"):
        EncoderSettings(**wrong)


def test_settings_survive_json():
    assert EncoderSettings.from_config(OURS.to_config()) == OURS


def test_the_convolution_is_that_of_pytorch_geometric():
    from torch_geometric.nn import GraphConv

    from foretell.pretraining.folded_convolution import FoldedConvolution

    torch.manual_seed(0)
    graph = some_graphs(1)[0]
    theirs, ours = GraphConv(5, 3, aggr="add"), FoldedConvolution(5, 3)
    ours.load_state_dict(theirs.state_dict())
    x, edges = torch.randn(len(graph), 5), graph.edges.T.astype(np.int64)
    found = ours(x, np.arange(len(graph)), *edges, np.ones(edges.shape[1]))
    torch.testing.assert_close(found, theirs(x, torch.from_numpy(edges)))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16))
def test_gathered_sums_are_a_product_with_a_matrix(seed: int):
    rng = np.random.default_rng(seed)
    n, size, entries = rng.integers(1, 6, 3)
    source, target = rng.integers(0, n, entries), rng.integers(0, size, entries)
    weight = rng.normal(size=entries)
    matrix = torch.zeros(size, n, dtype=torch.float64)
    matrix.index_put_((torch.from_numpy(target), torch.from_numpy(source)), torch.from_numpy(weight), accumulate=True)
    x = torch.from_numpy(rng.normal(size=(n, 3))).requires_grad_()
    torch.testing.assert_close(gathered_sums(x, source, target, weight, int(size)), matrix @ x)
    assert torch.autograd.gradcheck(lambda x: gathered_sums(x, source, target, weight, int(size)), x)
