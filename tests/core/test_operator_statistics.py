"""Operator statistics: every block against all paths of small graphs, and what the encoder promises."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.encoders import ENCODERS, OperatorStatistics
from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph, Node

KINDS = (
    ("Conv", 1), ("Conv", 3), ("Depthwise", 5), ("MaxPool", 3), ("MatMul", 0), ("Identity", 0), ("Identity", 0),
    ("AvgPool", 3), ("Attention", 0),
    ("ReLU", 0), ("Unknown", 0), ("Output", 0), ("Input", 0),
)  # fmt: skip
CLASS = {
    ("Conv", 1): "conv1", ("Conv", 3): "conv3", ("Depthwise", 5): "depthwise5+", ("MaxPool", 3): "max_pool",
    ("MatMul", 0): "matmul", ("Unknown", 0): "other", ("AvgPool", 3): "avg_pool", ("Attention", 0): "attention",
}  # fmt: skip
CLASSES = ("conv1", "conv3", "conv5+", "depthwise3", "depthwise5+", "dilated3", "dilated5+", "matmul", "attention",
           "max_pool", "avg_pool", "skip", "other")  # fmt: skip
ALL = OperatorStatistics()
SHAPE = (4, 8, 8)

Spec = tuple[list[Node], list[tuple[int, int]]]


def node(op: str, kernel: int = 0, **more: int) -> Node:
    return Node(op, SHAPE, SHAPE, kernel=(kernel, kernel), **more)  # type: ignore[arg-type]


@st.composite
def specs(draw: st.DrawFn, largest: int = 7) -> Spec:
    """Nodes and edges of a random acyclic graph: sources, sinks and outputs anywhere."""
    n = draw(st.integers(1, largest))
    nodes = [node(*draw(st.sampled_from(KINDS)), params=10**i, flops=i) for i in range(n)]
    pairs = [(a, b) for b in range(n) for a in range(b)]
    return nodes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12)) if pairs else []


def chain(*ops: tuple[str, int]) -> ComputationGraph:
    return ComputationGraph.from_nodes([node(*op) for op in ops], list(itertools.pairwise(range(len(ops)))))


def columns(*graphs: ComputationGraph, encoder: OperatorStatistics = ALL) -> np.ndarray:
    return encoder.encode([Candidate(g) for g in graphs]).values


def named(g: ComputationGraph) -> dict[str, float]:
    encoding = ALL.encode([Candidate(g)])
    return dict(zip(encoding.names, encoding.values[0].tolist(), strict=True))


class ByPaths:
    """The same numbers from lists of all paths; nothing is reduced and no array is swept."""

    def __init__(self, g: ComputationGraph) -> None:
        self.g, self.nodes = g, g.nodes
        self.parents = [[a for a, b in g.edges.tolist() if b == v] for v in range(len(g))]
        self.children = [[b for a, b in g.edges.tolist() if a == v] for v in range(len(g))]
        self.kind = [self._class(v) for v in range(len(g))]
        self.ends = [v for v in range(len(g)) if self.nodes[v].op == "Output" or not self.children[v]]
        self.sources = [v for v in range(len(g)) if not self.parents[v]]

    def _class(self, v: int) -> str | None:
        n = self.nodes[v]
        if n.op == "Identity":  # a skip reads the input or a sum, and only sums read it
            from_join = len(self.parents[v]) > 1 or any(
                self.nodes[u].op in ("Input", "Unknown") for u in self.parents[v]
            )
            to_joins = [len(self.parents[w]) > 1 for w in self.children[v]]
            return "skip" if from_join and to_joins and all(to_joins) else None
        return CLASS.get((n.op, n.kernel[0]))

    @cache  # noqa: B019 - lives as long as a test
    def back(self, v: int) -> list[tuple[float, list[int]]]:
        """Paths from any source to a node, each with the share of walks back that take it."""
        ways = [(s / len(self.parents[v]), p) for u in self.parents[v] for s, p in self.back(u)]
        return [(s, [*p, v]) for s, p in ways] or [(1.0, [v])]

    def consumers(self, v: int) -> list[int]:
        """Who reads a node; what only hands on a single tensor is not asked, but those who read it."""
        found = []
        for w in self.children[v]:
            hands_on = self.kind[w] is None and len(self.parents[w]) == 1 and w not in self.ends
            found += self.consumers(w) if hands_on else [w]
        return found

    @cache  # noqa: B019
    def on(self, v: int) -> list[tuple[float, list[int]]]:
        """Paths from a node to where nobody reads, each with the share of walks on that take it."""
        onward = self.consumers(v)
        ways = [(s / len(onward), p) for u in onward for s, p in self.on(u)]
        return [(s, [v, *p]) for s, p in ways] or [(1.0, [v])]

    def ops(self, path: list[int]) -> list[int]:
        return [v for v in path if self.kind[v] is not None]

    def number(self, path: list[int], members: set[str]) -> int:
        return sum(self.kind[v] in members for v in path)

    def steps(self, path: list[int]) -> list[str]:
        last = self.kind[path[0]] or "input"
        found = []
        for v in path[1:]:
            if self.kind[v] is not None or v in self.ends:
                found.append(f"{last}>{self.kind[v] or 'output'}")
            last = self.kind[v] or last
        return found

    def feeds(self) -> Counter[str]:
        """One for each way from an operator, or a source, to the next operator, or an end."""
        found: Counter[str] = Counter()

        def follow(start: str, v: int) -> None:
            for w in self.children[v]:
                if self.kind[w] is not None or w in self.ends:
                    found[f"{start}>{self.kind[w] or 'output'}"] += 1
                if self.kind[w] is None:
                    follow(start, w)

        for v, kind in enumerate(self.kind):
            if kind is not None or v in self.sources:
                follow(kind or "input", v)
        return found

    def attributes(self, v: int) -> np.ndarray:
        n = self.nodes[v]
        if self.kind[v] is None:
            return np.zeros(5)
        weighted = float(n.op in ("Conv", "Depthwise", "MatMul"))
        k = n.kernel[0]
        return np.array([weighted, max(k - 1, 0), weighted * k * k, n.params / 1e6, 1])

    def columns(self) -> dict[str, float]:
        """All of them by name; a name that is absent stands for 0."""
        found: dict[str, float] = defaultdict(float)
        found |= {"log_params": math.log1p(self.g.params), "log_flops": math.log1p(self.g.flops)}
        found["log_nodes"] = math.log1p(len(self.g))
        back = {e: self.back(e) for e in self.ends}
        paths = [p for ways in back.values() for _, p in ways]
        found["log_paths"] = math.log(len(paths))
        number = Counter(kind for kind in self.kind if kind)
        for c in CLASSES:
            of_class = [n.params for n, kind in zip(self.nodes, self.kind, strict=True) if kind == c]
            found[f"log_params_{c}"] = math.log1p(sum(of_class))
            found[f"count_{c}"] = math.sqrt(number[c])
            found[f"walk_{c}"] = max(sum(s * self.number(p, {c}) for s, p in ways) for ways in back.values())
            found[f"path_{c}"] = sum(self.number(p, {c}) for p in paths) / len(paths)
        joint = (CLASSES[:3], CLASSES[3:7], CLASSES[1:7], ("max_pool", "avg_pool"), ("conv1", "max_pool", "avg_pool"),
                 ("max_pool", "avg_pool", "skip"))  # fmt: skip
        sets = {c: {c} for c in CLASSES} | {"+".join(j): set(j) for j in joint} | {"any": set(CLASSES)}
        for name, members in sets.items():
            numbers = np.array([self.number(p, members) for p in paths])
            found[f"most_{name}"], found[f"fewest_{name}"] = math.sqrt(numbers.max()), math.sqrt(numbers.min())
            found[f"soft+_{name}"] = math.log(np.exp(2.0 * numbers).sum())
            found[f"soft-_{name}"] = math.log(np.exp(-2.0 * numbers).sum())
        own = [self.attributes(v) for v in range(len(self.g))]
        along = np.array([sum(own[v] for v in p) for p in paths])
        walks = [sum(s * own[v] for s, p in ways for v in p) for ways in back.values()]
        onward = [sum(s * own[v] for s, p in self.on(v0) for v in p) for v0 in self.sources]
        values = (along.max(axis=0), along.min(axis=0), np.max(walks, axis=0), np.max(onward, axis=0),
                  np.log1p(np.sum(own, axis=0)))  # fmt: skip
        for how, row in zip(("most", "fewest", "walk", "walk_on", "total"), values, strict=True):
            for a, value in zip(("weighted", "window", "taps", "params", "operator"), row, strict=True):
                found[f"{how}_{a}"] = value
        feeds = self.feeds()
        ins = {step: n for step, n in feeds.items() if step.startswith("input>")}
        outs = {step: n for step, n in feeds.items() if step.endswith(">output")}
        for step, n in feeds.items():
            a, b = step.split(">")
            found[f"feeds_{step}"] = math.sqrt(n)
            if step in ins:
                found[f"entry_{b}"], found[f"entry_share_{b}"] = math.sqrt(n), n / sum(ins.values())
            if step in outs:
                found[f"exit_{a}"], found[f"exit_share_{a}"] = math.sqrt(n), n / sum(outs.values())
        for where, position, starts, ways_of in (
            ("first", 0, self.ends, self.back), ("last", -1, self.sources, self.on),
        ):  # fmt: skip
            for v in starts:
                shares: Counter[str] = Counter()
                for s, p in ways_of(v):
                    ops = self.ops(p)
                    shares[(self.kind[ops[position]] if ops else None) or "none"] += s  # type: ignore[assignment]
                for c, share in shares.items():
                    found[f"{where}_{c}"] = max(found[f"{where}_{c}"], share)
        for ways in back.values():
            steps: Counter[str] = Counter()
            for s, p in ways:
                for step in self.steps(p):
                    steps[step] += s  # type: ignore[assignment]
            for step, n in steps.items():
                found[f"step_{step}"] = max(found[f"step_{step}"], n)
        for c in (*CLASSES, "any"):
            of_class = [v for v, kind in enumerate(self.kind) if kind and c in (kind, "any")]
            for where, ways_of in (("before", self.back), ("behind", self.on)):
                longest = [max(len(self.ops(p)) for _, p in ways_of(v)) for v in of_class]
                mean = [sum(s * len(self.ops(p)) for s, p in ways_of(v)) for v in of_class]
                found[f"{where}_{c}"] = float(np.mean(longest)) if longest else 0.0
                found[f"walk_{where}_{c}"] = float(np.mean(mean)) if mean else 0.0
        return found


# by all paths


def assert_equals_all_paths(g: ComputationGraph) -> None:
    expected, found = ByPaths(g).columns(), named(g)
    assert not set(expected) - set(found)
    rough = 0.01  # of the mean over paths, a finite difference
    wrong = {
        name: (value, expected[name])
        for name, value in found.items()
        if value != pytest.approx(expected[name], abs=rough if name.startswith("path_") else 1e-9)
    }
    assert not wrong


@given(specs())
@settings(max_examples=150)
def test_every_column_equals_all_paths(spec: Spec) -> None:
    assert_equals_all_paths(ComputationGraph.from_nodes(*spec))


@given(st.tuples(*[st.integers(0, 4)] * 6))
@settings(max_examples=40)
def test_every_column_of_real_cells_equals_all_paths(spec: tuple[int, ...]) -> None:
    assert_equals_all_paths(nasbench201.cells(spec)[0])


def test_a_short_network_by_hand() -> None:
    """Input, conv3, and a sum of conv1 with what it reads: two paths, of two operators and of one."""
    nodes = [node("Input"), node("Conv", 3), node("ReLU"), node("Conv", 1), node("Add"), node("Output")]
    found = named(ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2), (2, 3), (2, 4), (3, 4), (4, 5)]))
    expected = {
        "log_nodes": math.log(7), "count_conv3": 1, "most_any": math.sqrt(2), "fewest_any": 1, "fewest_conv1": 0,
        "soft+_any": math.log(math.exp(4) + math.exp(2)), "soft-_conv1": math.log(math.exp(-2) + 1),
        "walk_conv1": 0.5, "walk_conv3": 1, "log_paths": math.log(2), "entry_conv3": 1, "entry_share_conv3": 1,
        "entry_conv1": 0, "exit_conv1": 1, "exit_share_conv1": 0.5, "exit_share_conv3": 0.5, "first_conv3": 1,
        "last_conv1": 0.5, "last_conv3": 0.5, "last_none": 0, "feeds_conv3>conv1": 1, "feeds_conv3>output": 1,
        "step_conv3>conv1": 0.5, "step_input>conv3": 1, "step_conv3>output": 0.5, "before_conv1": 2, "behind_conv3": 2,
        "walk_behind_conv3": 1.5, "before_any": 1.5, "most_taps": 10, "fewest_window": 2, "total_window": math.log(3),
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_large_windows_do_not_overflow() -> None:
    found = named(chain(("Input", 0), ("Conv", 300), ("Output", 0)))
    assert found["most_taps"] == found["walk_on_taps"] == 300**2
    assert found["total_window"] == pytest.approx(math.log(300))


# what it promises


@given(spec=specs(9), shuffler=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_renumbering_changes_no_column(spec: Spec, shuffler: object) -> None:
    nodes, edges = spec
    order = list(range(len(nodes)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    position = {old: new for new, old in enumerate(order)}
    other = ComputationGraph.from_nodes([nodes[i] for i in order], [(position[a], position[b]) for a, b in edges])
    a, b = columns(ComputationGraph.from_nodes(*spec), other)
    np.testing.assert_allclose(a, b, atol=1e-9)


@given(spec=specs(6), at=st.integers(0, 5))
@settings(max_examples=60)
def test_an_activation_behind_a_single_tensor_changes_only_the_number_of_nodes(spec: Spec, at: int) -> None:
    """Wherever it stands in front of one reader: the operators, and the ways between them, are the same."""
    nodes, edges = spec
    if not edges:
        return
    a, b = edges[at % len(edges)]
    if nodes[b].op == "Identity":  # whether it is a skip depends on what it reads
        return
    longer = [*[e for e in edges if e != (a, b)], (a, len(nodes)), (len(nodes), b)]
    if nodes[a].op == "Identity" and sum(e[1] == b for e in edges) > 1:
        return
    g, other = ComputationGraph.from_nodes(*spec), ComputationGraph.from_nodes([*nodes, node("ReLU")], longer)
    x, y = columns(g, other)
    assert np.flatnonzero(np.abs(x - y) > 1e-9).tolist() == [ALL.encode([]).names.index("log_nodes")]


@given(st.lists(specs(), min_size=2, max_size=5))
@settings(max_examples=40)
def test_a_batch_equals_singles(many: list[Spec]) -> None:
    graphs = [ComputationGraph.from_nodes(*spec) for spec in many]
    np.testing.assert_allclose(columns(*graphs), np.concatenate([columns(g) for g in graphs]), atol=1e-9)


def test_more_graphs_than_one_sweep_holds() -> None:
    graphs = [chain(("Input", 0), *[("Conv", 3)] * (i % 7), ("Output", 0)) for i in range(600)]
    found = columns(*graphs, encoder=OperatorStatistics(("counts",)))[:, CLASSES.index("conv3")]
    np.testing.assert_allclose(found, [math.sqrt(i % 7) for i in range(600)])


def test_an_absent_graph_is_absent_in_all_columns() -> None:
    encoding = ALL.encode([Candidate(), Candidate(chain(("Conv", 3))), Candidate()])
    assert np.isnan(encoding.values[[0, 2]]).all()
    assert np.isfinite(encoding.values[1]).all()
    assert ALL.encode([Candidate()]).values.shape == (1, len(encoding.names))
    assert ALL.encode([]).values.shape == (0, len(encoding.names))


def test_names_differ_and_groups_are_the_blocks() -> None:
    encoding = ALL.encode([])
    assert len(set(encoding.names)) == len(encoding.names) == len(encoding.scaled) == len(encoding.groups)
    assert tuple(dict.fromkeys(encoding.groups)) == ALL.blocks
    assert not encoding.scaled.any()
    assert not encoding.verbatim.any()


@given(blocks=st.lists(st.sampled_from(ALL.blocks), min_size=1, max_size=5, unique=True), spec=specs())
@settings(max_examples=40)
def test_some_blocks_are_those_columns_of_all(blocks: list[str], spec: Spec) -> None:
    g = ComputationGraph.from_nodes(*spec)
    some = OperatorStatistics(tuple(blocks)).encode([Candidate(g)])
    whole = named(g)
    assert tuple(dict.fromkeys(some.groups)) == tuple(blocks)
    assert dict(zip(some.names, some.values[0].tolist(), strict=True)) == {name: whole[name] for name in some.names}


@pytest.mark.parametrize("encoder", [ALL, OperatorStatistics(("walks", "sizes"))])
def test_settings_survive_json(encoder: OperatorStatistics) -> None:
    again = ENCODERS.make(encoder.name, json.loads(json.dumps(encoder.to_config())))
    assert again == encoder


@pytest.mark.parametrize("blocks", [("depth",), ("sizes", "sizes"), ()])
def test_other_blocks_are_refused(blocks: tuple[str, ...]) -> None:
    with pytest.raises(InvalidDataError, match=r"different ones of \['sizes', 'counts', .* but got \(.*: choose among"):
        OperatorStatistics(blocks)


# repeated cells


def repeated(cells: int) -> ComputationGraph:
    """Cells of three operators in a row and a way round two of them."""
    nodes, edges = [node("Input")], []
    for _ in range(cells):
        i = len(nodes) - 1
        nodes += [node("Conv", 3), node("Depthwise", 5), node("MaxPool", 3), node("Add")]
        edges += [(i, i + 1), (i + 1, i + 2), (i + 2, i + 3), (i + 3, i + 4), (i + 1, i + 4)]
    nodes.append(node("Output"))
    return ComputationGraph.from_nodes(nodes, [*edges, (len(nodes) - 2, len(nodes) - 1)])


def test_twice_as_many_cells_change_counts_by_a_factor() -> None:
    one, two = columns(repeated(4), repeated(8), encoder=OperatorStatistics(("counts", "most", "fewest")))
    assert one.any()
    np.testing.assert_allclose(two, math.sqrt(2) * one)


def test_twice_as_many_cells_double_expectations_and_leave_the_ends() -> None:
    one, two = named(repeated(4)), named(repeated(8))
    for name in one:
        if name.startswith(("walk_conv", "walk_depthwise", "walk_max_pool", "log_paths")):
            assert two[name] == pytest.approx(2 * one[name], abs=1e-9)
        if name.startswith(("entry", "exit", "first", "last")):
            assert two[name] == pytest.approx(one[name], abs=1e-9)


def test_every_cell_of_a_real_network_adds_the_same_to_the_squared_counts() -> None:
    specs_ = [nasbench201.sample(np.random.default_rng(seed)) for seed in range(12)]
    encoder = OperatorStatistics(("counts",))
    one, two, three = (columns(*[nasbench201.graph(s, cells=n) for s in specs_], encoder=encoder) for n in (1, 2, 3))
    np.testing.assert_allclose(three**2 - two**2, two**2 - one**2, atol=1e-9)
