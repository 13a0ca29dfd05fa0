"""Reduced graphs side by side, against graphs and paths taken one by one."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from functools import reduce

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.encoders.graph_batch import CLASSES, GraphBatch, classes
from foretell.graph import ComputationGraph, Node
from foretell.operations import operation

SHAPE = (4, 8, 8)
KINDS = (
    ("Conv", 3), ("MaxPool", 3), ("Identity", 0), ("Identity", 0), ("ReLU", 0), ("Input", 0), ("Unknown", 0),
    ("Output", 0),
)  # fmt: skip

Spec = tuple[list[Node], list[tuple[int, int]]]


def node(op: str, kernel: int = 0, **more: int) -> Node:
    return Node(op, SHAPE, SHAPE, kernel=(kernel, kernel), **more)  # type: ignore[arg-type]


@st.composite
def specs(draw: st.DrawFn, largest: int = 8) -> Spec:
    """Nodes and edges of a random acyclic graph: sources, sinks and outputs anywhere, parameters by node."""
    n = draw(st.integers(1, largest))
    nodes = [node(*draw(st.sampled_from(KINDS)), params=10 + i) for i in range(n)]
    pairs = [(a, b) for b in range(n) for a in range(b)]
    return nodes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=14)) if pairs else []


def graph(*spec: object) -> ComputationGraph:
    return ComputationGraph.from_nodes(*spec)  # type: ignore[arg-type]


def chain(*ops: str) -> ComputationGraph:
    return graph([node(op, 3 if op == "Conv" else 0) for op in ops], list(itertools.pairwise(range(len(ops)))))


def is_skip(g: ComputationGraph, v: int) -> bool:
    """Whether an identity reads the input or a sum, and only sums read it."""
    whole = g.to_networkx()
    before, behind = list(whole.predecessors(v)), list(whole.successors(v))
    from_join = len(before) > 1 or any(g.nodes[u].op in {"Input", "Unknown"} for u in before)
    return from_join and bool(behind) and all(whole.in_degree(w) > 1 for w in behind)


def is_operator(g: ComputationGraph, v: int) -> bool:
    return g.nodes[v].op in {"Conv", "MaxPool", "Unknown"} or (g.nodes[v].op == "Identity" and is_skip(g, v))


def ends(g: ComputationGraph) -> list[int]:
    return [v for v in range(len(g)) if g.nodes[v].op == "Output" or v not in set(g.edges[:, 0].tolist())]


def reduced(g: ComputationGraph) -> tuple[list[int], Counter[tuple[int, int]]]:
    """Nodes and edges after what passes on a single tensor is taken out, one node after another."""
    whole = networkx.MultiDiGraph(g.to_networkx())
    leaving = [
        v for v in whole if whole.in_degree(v) == 1 and v not in ends(g) and not is_operator(g, v)
    ]  # fmt: skip
    for v in leaving:
        (parent,) = whole.predecessors(v)
        whole.add_edges_from([(parent, child) for _, child in list(whole.out_edges(v))])
        whole.remove_node(v)
    return sorted(whole), Counter((a, b) for a, b in whole.edges())


def paths_to(g: ComputationGraph, v: int) -> list[list[int]]:
    """All paths of the whole graph from any source to a node."""
    before = [a for a, b in g.edges.tolist() if b == v]
    return [[*path, v] for u in before for path in paths_to(g, u)] if before else [[v]]


def own_numbers(g: ComputationGraph) -> np.ndarray:
    """Two numbers for each node, nothing where it is no operator."""
    return np.array([[n.params, 100.0 - n.params] if is_operator(g, v) else [0, 0] for v, n in enumerate(g.nodes)])


def of_batch(batch: GraphBatch, *graphs: ComputationGraph) -> np.ndarray:
    """The same numbers for the nodes of a batch."""
    kept = [own_numbers(g)[reduced(g)[0]] for g in graphs]
    assert len(batch.kind) == sum(map(len, kept))
    return np.concatenate(kept)


# reduction


@given(specs())
def test_reduction_equals_taking_nodes_out_one_by_one(spec: Spec) -> None:
    g = graph(*spec)
    batch = GraphBatch.of([g])
    kept, edges = reduced(g)
    assert batch.params.tolist() == [g.nodes[v].params for v in kept]
    assert Counter((kept[a], kept[b]) for a, b in batch.edges.tolist()) == edges
    assert (batch.kind >= 0).tolist() == [is_operator(g, v) for v in kept]
    assert [kept[e] for e in batch.ends] == ends(g)
    assert bool((batch.edges[:, 0] < batch.edges[:, 1]).all())


def test_a_chain_keeps_ends_and_operators() -> None:
    batch = GraphBatch.of(
        [chain("Input", "ReLU", "Conv", "BatchNorm", "ReLU", "Identity", "MaxPool", "ReLU", "Output")]
    )
    assert [CLASSES[k] if k >= 0 else None for k in batch.kind] == [None, "conv3", "max_pool", None]
    assert batch.edges.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert batch.ends.tolist() == [3]


def test_two_ways_that_are_both_nothing_stay_two_ways() -> None:
    """A value added to its own activation: two edges between the same two nodes."""
    g = graph([node("Input"), node("ReLU"), node("Add"), node("Output")], [(0, 1), (0, 2), (1, 2), (2, 3)])
    batch = GraphBatch.of([g])
    assert batch.edges.tolist() == [[0, 1], [0, 1], [1, 2]]
    np.testing.assert_allclose(batch.at_ends(batch.sweep(np.zeros((3, 1)), np.logaddexp), np.logaddexp), np.log(2))


@pytest.mark.parametrize("ops", [("Input",), ("Conv",), ("Output",), ("Input", "Conv"), ("Input", "ReLU", "ReLU")])
def test_graphs_without_output_and_of_one_node(ops: tuple[str, ...]) -> None:
    batch = GraphBatch.of([chain(*ops)])
    assert batch.ends.tolist() == [len(batch.kind) - 1]
    found = batch.at_ends(batch.sweep(batch.one_hot, np.maximum), np.maximum)
    assert found.sum() == ops.count("Conv")


def test_graphs_without_edges() -> None:
    g = graph([node("Conv", 3), node("Output"), node("Input"), node("MaxPool", 3)], [])
    batch = GraphBatch.of([g, chain("Input")])
    assert batch.edges.shape == (0, 2)
    assert batch.levels.tolist() == [0] * 5
    assert batch.steps == []
    np.testing.assert_array_equal(batch.walk(batch.one_hot), batch.one_hot)
    np.testing.assert_array_equal(batch.at_ends(batch.one_hot, np.add), batch.total(batch.one_hot))


# the skip rule


@pytest.mark.parametrize(
    ("edges", "stride", "skip"),
    [
        ([(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)], 1, True),  # beside a convolution, from the input to the sum
        ([(0, 2), (2, 1), (1, 3), (0, 3), (3, 4)], 1, False),  # behind the convolution: nothing but its value
        ([(0, 1), (1, 2), (2, 3), (3, 4)], 1, False),  # alone on the way
        ([(0, 1), (0, 2), (2, 1), (1, 3), (2, 3), (3, 4)], 1, True),  # reads a sum of two
        ([(0, 1), (1, 2), (1, 3), (0, 3), (2, 3), (3, 4)], 1, False),  # the convolution reads it, too
        ([(0, 2), (0, 1), (2, 3), (3, 4)], 1, False),  # read by nobody
        ([(0, 1), (1, 2), (2, 3), (3, 4)], 2, True),  # a stride does something anywhere
    ],
)
def test_only_an_identity_that_changes_a_sum_is_a_skip(edges: list[tuple[int, int]], stride: int, skip: bool) -> None:
    nodes = [node("Input"), Node("Identity", SHAPE, SHAPE, stride=(stride, stride)), node("Conv", 3), node("Add"),
             node("Output")]  # fmt: skip
    batch = GraphBatch.of([graph(nodes, edges)])
    assert batch.one_hot.sum(axis=0)[CLASSES.index("skip")] == skip


# classes


@pytest.mark.parametrize(
    ("op", "kernel", "dilation", "expected"),
    [
        ("Conv", 1, 1, "conv1"), ("Conv", 0, 1, "conv1"), ("Conv", 1, 2, "conv1"), ("Conv", 2, 1, "conv3"),
        ("Conv", 3, 1, "conv3"), ("Conv", 4, 1, "conv5+"), ("ConvTranspose", 7, 1, "conv5+"),
        ("Conv", 3, 2, "dilated3"), ("Conv", 5, 2, "dilated5+"), ("Depthwise", 3, 1, "depthwise3"),
        ("Depthwise", 5, 1, "depthwise5+"), ("Depthwise", 3, 2, "dilated3"), ("Depthwise", 7, 3, "dilated5+"),
        ("MatMul", 0, 1, "matmul"), ("BatchMatMul", 0, 1, "matmul"), ("Rnn", 0, 1, "matmul"),
        ("Attention", 0, 1, "attention"), ("MaxPool", 5, 2, "max_pool"), ("AvgPool", 3, 1, "avg_pool"),
        ("Identity", 0, 1, "skip"), ("Unknown", 0, 1, "other"), ("ReLU", 0, 1, None), ("Zero", 0, 1, None),
        ("Input", 0, 1, None), ("Constant", 0, 1, None),
    ],
)  # fmt: skip
def test_classes_by_hand(op: str, kernel: int, dilation: int, expected: str | None) -> None:
    found = classes(np.array([operation(op).id]), np.array([kernel]), np.array([dilation]))
    assert found.tolist() == [-1 if expected is None else CLASSES.index(expected)]


def test_the_larger_side_of_a_window_decides() -> None:
    g = graph([Node("Conv", SHAPE, SHAPE, kernel=(1, 7)), Node("Conv", SHAPE, SHAPE, (3, 1), dilation=(2, 1))], [])
    batch = GraphBatch.of([g])
    assert [CLASSES[k] for k in batch.kind] == ["conv5+", "dilated3"]
    assert batch.kernel.tolist() == [7, 3]


# sweeps


@given(st.lists(specs(), min_size=1, max_size=3))
def test_levels_are_longest_paths(many: list[Spec]) -> None:
    graphs = [graph(*spec) for spec in many]
    batch = GraphBatch.of(graphs)
    found = []
    for g in graphs:
        kept, edges = reduced(g)
        whole = networkx.DiGraph(list(edges))
        whole.add_nodes_from(kept)
        longest = dict.fromkeys(kept, 0)
        for v in networkx.topological_sort(whole):
            for w in whole.successors(v):
                longest[w] = max(longest[w], longest[v] + 1)
        found += [longest[v] for v in kept]
    assert batch.levels.tolist() == found


@pytest.mark.parametrize(
    ("join", "of_paths"),
    [(np.maximum, max), (np.minimum, min), (np.logaddexp, lambda sums: reduce(np.logaddexp, sums))],
    ids=["maximum", "minimum", "logaddexp"],
)
@given(spec=specs(7))
@settings(max_examples=60)
def test_a_sweep_equals_all_paths(join: np.ufunc, of_paths: object, spec: Spec) -> None:
    g = graph(*spec)
    batch, own, kept = GraphBatch.of([g]), own_numbers(g), reduced(g)[0]
    swept = batch.sweep(of_batch(batch, g), join)
    for column in range(2):
        by_paths = [of_paths([own[path, column].sum() for path in paths_to(g, v)]) for v in kept]  # type: ignore[operator]
        np.testing.assert_allclose(swept[:, column], by_paths, atol=1e-9)
        at_ends = reduce(join, [by_paths[kept.index(v)] for v in ends(g)])
        assert batch.at_ends(swept, join)[0, column] == pytest.approx(at_ends, abs=1e-9)


@given(specs(7))
@settings(max_examples=60)
def test_a_walk_is_the_expectation_over_paths_back(spec: Spec) -> None:
    """A walk back takes each of a node's inputs equally often, so that a path has the product of these shares."""
    g = graph(*spec)
    batch, own, kept = GraphBatch.of([g]), own_numbers(g), reduced(g)[0]
    fan_in = Counter(g.edges[:, 1].tolist())

    def expected(v: int) -> np.ndarray:
        shares = [(math.prod(1 / max(fan_in[u], 1) for u in path), path) for path in paths_to(g, v)]
        assert sum(share for share, _ in shares) == pytest.approx(1.0)
        return np.asarray(sum(share * own[path].sum(axis=0) for share, path in shares))

    np.testing.assert_allclose(batch.walk(of_batch(batch, g)), [expected(v) for v in kept], atol=1e-9)


@given(st.lists(specs(), min_size=1, max_size=4))
def test_reverse_turns_everything_round(many: list[Spec]) -> None:
    graphs = [graph(*spec) for spec in many]
    batch = GraphBatch.of(graphs)
    back, last = batch.reverse, len(batch.kind) - 1
    assert Counter((last - b, last - a) for a, b in back.edges.tolist()) == Counter(map(tuple, batch.edges.tolist()))
    assert (last - back.ends).tolist()[::-1] == np.flatnonzero(batch.levels == 0).tolist()
    for mine, theirs in ((back.kind, batch.kind), (back.kernel, batch.kernel), (back.params, batch.params)):
        assert mine.tolist() == theirs.tolist()[::-1]
    own = of_batch(batch, *graphs)
    np.testing.assert_allclose(back.total(own[::-1])[::-1], batch.total(own))
    onward, before = back.sweep(own[::-1], np.maximum)[::-1], batch.sweep(own, np.maximum)
    deepest = np.full((len(graphs), 2), -np.inf)
    np.maximum.at(deepest, batch.owner, onward + before - own)  # the longest way through any node
    np.testing.assert_allclose(back.at_ends(onward[::-1], np.maximum)[::-1], deepest)


@given(st.lists(specs(), min_size=2, max_size=5))
def test_a_batch_equals_singles(many: list[Spec]) -> None:
    graphs = [graph(*spec) for spec in many]
    batch, singles = GraphBatch.of(graphs), [GraphBatch.of([g]) for g in graphs]
    assert batch.size == len(graphs)
    assert batch.owner.tolist() == [i for i, single in enumerate(singles) for _ in single.kind]
    starts = np.cumsum([0, *(len(single.kind) for single in singles)])
    for start, single in zip(starts, singles, strict=False):
        here = slice(start, start + len(single.kind))
        inside = (batch.edges[:, 1] >= here.start) & (batch.edges[:, 1] < here.stop)
        np.testing.assert_array_equal(batch.edges[inside] - start, single.edges)
        for name in ("kind", "kernel", "params", "levels", "one_hot"):
            np.testing.assert_array_equal(getattr(batch, name)[here], getattr(single, name))
    own = of_batch(batch, *graphs)
    alone = [own[a:b] for a, b in itertools.pairwise(starts)]
    for join in (np.maximum, np.minimum, np.logaddexp):
        by_one = [s.at_ends(s.sweep(o, join), join) for s, o in zip(singles, alone, strict=True)]
        np.testing.assert_allclose(batch.at_ends(batch.sweep(own, join), join), np.concatenate(by_one), atol=1e-12)
    totals = [o.sum(axis=0) for o in alone]
    np.testing.assert_allclose(batch.total(own), totals)


def test_several_outputs_are_all_ends() -> None:
    nodes = [node("Input"), node("Conv", 3), node("Output"), node("MaxPool", 3), node("Output"), node("ReLU")]
    batch = GraphBatch.of([chain("Conv"), graph(nodes, [(0, 1), (1, 2), (1, 3), (3, 4), (0, 5)])])
    assert batch.owner[batch.ends].tolist() == [0, 1, 1, 1]
    number = batch.sweep(batch.one_hot.sum(axis=1, keepdims=True), np.maximum)
    assert batch.at_ends(number, np.maximum).tolist() == [[1], [2]]
    assert batch.at_ends(number, np.minimum).tolist() == [[1], [0]]
    assert batch.at_ends(number, np.add).tolist() == [[1], [3]]


def test_what_is_given_is_not_changed() -> None:
    batch = GraphBatch.of([chain("Input", "Conv", "Conv", "Output")])
    own = np.ones((4, 1))
    batch.sweep(own, np.maximum)
    batch.walk(own)
    assert own.tolist() == [[1]] * 4
