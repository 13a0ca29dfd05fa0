"""The graph: closed forms, invariance under renumbering, round trips, and every refusal."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph, Node

OPS = ("Conv", "ReLU", "Add", "MatMul", "Unknown")


def node(op: str, width: int = 4, **more: object) -> Node:
    return Node(op, (width, 8, 8), (width, 8, 8), **more)


def diamond() -> ComputationGraph:
    """Input -> conv, and a skip connection, to Add -> Output."""
    nodes = [
        node("Input"),
        node("Conv", kernel=(3, 3), params=148, flops=18432, bias=True),
        node("Add"),
        node("Output"),
    ]
    return ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2), (0, 2), (2, 3)])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[tuple[int, int]]]:
    """Nodes and edges of a random acyclic graph."""
    n = draw(st.integers(1, 9))
    nodes = [node(draw(st.sampled_from(OPS)), draw(st.integers(1, 3))) for _ in range(n)]
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=16)) if pairs else []
    return nodes, edges


def test_sums_and_depth_of_a_diamond() -> None:
    g = diamond()
    assert (len(g), len(g.edges), g.depth, g.params, g.flops) == (4, 4, 3, 148, 18432)
    assert g.levels.tolist() == [0, 1, 2, 3]
    assert g.op_counts() == {"Add": 1, "Conv": 1, "Input": 1, "Output": 1}


def test_repr_names_sizes_and_operators() -> None:
    expected = (
        "ComputationGraph(nodes=4, edges=4, depth=3, params=148, flops=18_432, "
        "ops={Add: 1, Conv: 1, Input: 1, Output: 1})"
    )
    assert repr(diamond()) == expected


def test_nodes_come_back_as_given() -> None:
    g = diamond()
    assert g.nodes[1] == node("Conv", kernel=(3, 3), params=148, flops=18432, bias=True)
    assert ComputationGraph.from_nodes(g.nodes, map(tuple, g.edges.tolist())) == g


def test_repeated_edges_count_once() -> None:
    g = ComputationGraph.from_nodes([node("Input"), node("Add")], [(0, 1), (0, 1)])
    assert g.edges.tolist() == [[0, 1]]


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_depth_is_the_longest_path(spec: tuple[list[Node], list[tuple[int, int]]]) -> None:
    g = ComputationGraph.from_nodes(*spec)
    assert g.depth == networkx.dag_longest_path_length(g.to_networkx())


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_renumbering_keeps_digest_and_levels(spec: tuple, shuffler: object) -> None:
    nodes, edges = spec
    order = list(range(len(nodes)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    position = {old: new for new, old in enumerate(order)}
    g = ComputationGraph.from_nodes(nodes, edges)
    h = ComputationGraph.from_nodes([nodes[i] for i in order], [(position[a], position[b]) for a, b in edges])
    assert g == h
    assert hash(g) == hash(h)
    assert g.digest == h.digest
    assert sorted(zip(g.levels.tolist(), g.op.tolist(), strict=True)) == sorted(
        zip(h.levels.tolist(), h.op.tolist(), strict=True)
    )


@given(graphs(), graphs())
@settings(max_examples=60, deadline=None)
def test_equal_digest_means_isomorphic(first: tuple, second: tuple) -> None:
    g, h = ComputationGraph.from_nodes(*first), ComputationGraph.from_nodes(*second)
    same = networkx.is_isomorphic(g.to_networkx(), h.to_networkx(), node_match=lambda a, b: a == b)
    assert (g == h) == same


@pytest.mark.parametrize(
    "changed",
    [{"kernel": (5, 5)}, {"stride": (2, 2)}, {"dilation": (2, 2)}, {"groups": 2}, {"bias": False},
     {"params": 1}, {"flops": 1}],
)  # fmt: skip
def test_digest_sees_every_attribute(changed: dict) -> None:
    g = diamond()
    old = {"kernel": (3, 3), "params": 148, "flops": 18432, "bias": True}
    nodes = [*g.nodes[:1], node("Conv", **{**old, **changed}), *g.nodes[2:]]
    assert ComputationGraph.from_nodes(nodes, map(tuple, g.edges.tolist())) != g


def test_digest_sees_edges_and_direction() -> None:
    a, b, c = node("Input"), node("ReLU"), node("ReLU")
    chain = ComputationGraph.from_nodes([a, b, c], [(0, 1), (1, 2)])
    fork = ComputationGraph.from_nodes([a, b, c], [(0, 1), (0, 2)])
    join = ComputationGraph.from_nodes([a, b, c], [(1, 0), (2, 0)])
    assert len({chain, fork, join}) == 3


def test_digest_sees_whether_two_consumers_share_their_input() -> None:
    nodes = [node("Input"), node("ReLU"), node("ReLU"), node("Conv"), node("MatMul"), node("Add")]
    into = [(0, 1), (0, 2), (3, 5), (4, 5)]
    shared = ComputationGraph.from_nodes(nodes, [*into, (1, 3), (1, 4)])
    apart = ComputationGraph.from_nodes(nodes, [*into, (1, 3), (2, 4)])
    assert shared != apart


def test_digest_is_the_same_in_processes_with_other_hash_seeds() -> None:
    code = (
        "from foretell import *;"
        "n=[Node(o,(4,8,8),(4,8,8)) for o in ('Input','ReLU','Add','Output')];"
        "print(ComputationGraph.from_nodes(n,{(0,1),(1,2),(0,2),(2,3)}).digest)"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    nodes = [node(o) for o in ("Input", "ReLU", "Add", "Output")]
    here = ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2), (0, 2), (2, 3)])
    assert seen == {here.digest + "\n"}


def test_comparison_with_something_else() -> None:
    assert diamond() != "diamond"


def test_arrays_round_trip() -> None:
    g = diamond()
    h = ComputationGraph.from_arrays(g.to_arrays())
    assert h == g
    assert h.nodes == g.nodes
    assert np.array_equal(h.edges, g.edges)


def test_pickle_round_trip() -> None:
    assert pickle.loads(pickle.dumps(diamond())).nodes == diamond().nodes


def test_arrays_are_frozen_and_apart_from_the_callers() -> None:
    arrays = {k: a.copy() for k, a in diamond().to_arrays().items()}
    g = ComputationGraph.from_arrays(arrays)
    arrays["node_params"][:] = 7
    assert g.params == 148
    with pytest.raises(ValueError, match="read-only"):
        g.node_params[0] = 1


def test_networkx_has_all_attributes() -> None:
    n = diamond().to_networkx()
    assert n.nodes[1]["op"] == "Conv"
    assert n.nodes[1]["kernel"] == (3, 3)
    assert sorted(n.edges) == [(0, 1), (0, 2), (1, 2), (2, 3)]


def test_pyg_features_have_the_documented_columns() -> None:
    data = diamond().to_pyg()
    assert data.num_nodes == 4
    assert data.x.shape == (4, 16)
    assert data.x.dtype == torch.float32
    assert data.edge_index.tolist() == [[0, 0, 1, 2], [1, 2, 2, 3]]
    shape = [math.log2(5), math.log2(9), math.log2(9)]
    expected = [*shape, *shape, 3, 3, 1, 1, 1, 1, 0, 1, math.log10(149), math.log10(18433)]
    assert data.x[1].tolist() == pytest.approx(expected, rel=1e-6)


def test_counts_beyond_32_bits() -> None:
    g = ComputationGraph.from_nodes([node("MatMul", params=10**11, flops=2 * 10**15)], [])
    assert (g.params, g.flops) == (10**11, 2 * 10**15)


@pytest.mark.parametrize("edges", [[(0, 1), (1, 0)], [(1, 1)], [(0, 1), (1, 2), (2, 1)]])
def test_cycles_are_refused(edges: list) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"must be acyclic, but node \d .* unroll the loop"):
        ComputationGraph.from_nodes([node("Input"), node("Add"), node("Output")], edges)


@pytest.mark.parametrize("edge", [(0, 2), (-1, 0)])
def test_dangling_edges_are_refused(edge: tuple[int, int]) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"must join two existing nodes, but got \(.*among 2 nodes"):
        ComputationGraph.from_nodes([node("Input"), node("Output")], [edge])


@pytest.mark.parametrize("edges", [[[1, 0]], [[0, 9]], [[-1, 1]]])
def test_stored_edges_must_point_forward(edges: list) -> None:
    arrays = {**diamond().to_arrays(), "edges": np.array(edges)}
    with pytest.raises(
        InvalidArchitectureError, match="source before the target, but got .*use ComputationGraph.from_"
    ):
        ComputationGraph.from_arrays(arrays)


def test_empty_graph_is_refused() -> None:
    with pytest.raises(InvalidArchitectureError, match="at least one node"):
        ComputationGraph.from_nodes([], [])


def test_unknown_operator_is_refused() -> None:
    with pytest.raises(InvalidArchitectureError, match="must be in the vocabulary, but got 'Convolve'"):
        ComputationGraph.from_nodes([node("Convolve")], [])
    with pytest.raises(InvalidArchitectureError, match="must be in the vocabulary, but got 9999"):
        ComputationGraph.from_arrays({**diamond().to_arrays(), "op": np.array([1, 3, 9999, 2])})


def test_missing_array_is_named() -> None:
    arrays = dict(diamond().to_arrays())
    del arrays["stride"]
    with pytest.raises(InvalidArchitectureError, match=r"\['stride'\] are missing"):
        ComputationGraph.from_arrays(arrays)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kernel", np.zeros((4, 3)), r"`kernel` must have shape \(4, 2\)"),
        ("bias", np.zeros(3), r"`bias` must have shape \(4,\)"),
        ("in_shape", np.full((4, 3), 2.5), "`in_shape` must have shape .* and fit int32"),
        ("in_shape", np.full((4, 3), np.nan), "`in_shape` must have shape .* and fit int32"),
        ("out_shape", np.full((4, 3), 2**31), "`out_shape` must have shape .* and fit int32"),
        ("out_shape", np.full((4, 3), -1), "`out_shape` must be >= 0, but got -1"),
        ("groups", np.zeros(4), "`groups` must be >= 1, but got 0"),
        ("node_flops", np.full(4, -5), "`node_flops` must be >= 0, but got -5"),
        ("node_flops", np.full(4, 2**62), r"the sum of `node_flops` must be below 2\^63"),
    ],
)
def test_wrong_arrays_are_refused_by_name(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        ComputationGraph.from_arrays({**diamond().to_arrays(), name: value})
