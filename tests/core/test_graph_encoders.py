"""Encoders of graphs: closed forms, brute force on small graphs, other libraries, and invariance under renumbering."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.candidate import Candidate
from foretell.capture import nasbench101, nasbench201
from foretell.capture.families import FAMILIES
from foretell.encode_corpus import encode_corpus
from foretell.encoders import (
    ENCODERS,
    Adjacency,
    ColumnScaler,
    Encoder,
    Flow,
    LaplacianSpectrum,
    Paths,
    WeisfeilerLehman,
)
from foretell.encoders.operator_class import operator_classes
from foretell.encoders.stable_hash import mix, uniform
from foretell.errors import InvalidArchitectureError, InvalidDataError
from foretell.graph import ComputationGraph, Node
from foretell.predictor import Predictor
from foretell.surrogates import ExtraTrees
from foretell.surrogates.dense_graphs import GraphColumns

KINDS = (("Conv", 1), ("Conv", 3), ("MaxPool", 3), ("Identity", 0))
SHAPE = (4, 8, 8)
CLASSES = ("Conv1x1", "Conv3x3", "Identity", "Input", "MaxPool3x3", "Output")
WIDE = 2**17  # so many buckets that two motifs hardly ever share one

Spec = tuple[list[Node], list[tuple[int, int]]]


def node(op: str, kernel: int = 0, size: int = 8) -> Node:
    return Node(op, (4, size, size), (4, size, size), kernel=(kernel, kernel))


@st.composite
def specs(draw: st.DrawFn, largest: int = 9) -> Spec:
    """Nodes and edges of a random acyclic graph; several sources and sinks allowed."""
    n = draw(st.integers(1, largest))
    nodes = [node(*draw(st.sampled_from(KINDS)), size=draw(st.integers(1, 3))) for _ in range(n)]
    pairs = [(a, b) for b in range(n) for a in range(b)]
    return nodes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18)) if pairs else []


def chain(*ops: tuple[str, int]) -> ComputationGraph:
    return ComputationGraph.from_nodes([node(*op) for op in ops], list(itertools.pairwise(range(len(ops)))))


def renumbered(spec: Spec, order: list[int]) -> ComputationGraph:
    nodes, edges = spec
    position = {old: new for new, old in enumerate(order)}
    return ComputationGraph.from_nodes([nodes[i] for i in order], [(position[a], position[b]) for a, b in edges])


def rows(encoder: Encoder, *graphs: ComputationGraph) -> np.ndarray:
    return encoder.encode([Candidate(g) for g in graphs]).values


def label(n: Node) -> str:
    return n.op + (f"{n.kernel[0]}x{n.kernel[0]}" if n.kernel[0] else "")


# what all of them promise

ENCODERS_OF_GRAPHS = [
    Adjacency(9, CLASSES),
    Flow(4, 0.3, 5),
    LaplacianSpectrum(5),
    Paths(4, 64),
    WeisfeilerLehman(2, 64),
]
BY_NAME = pytest.mark.parametrize("encoder", ENCODERS_OF_GRAPHS, ids=lambda e: e.name)


@BY_NAME
@given(spec=specs(), shuffler=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_renumbering_changes_no_column(encoder: Encoder, spec: Spec, shuffler: object) -> None:
    order = list(range(len(spec[0])))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    a, b = rows(encoder, ComputationGraph.from_nodes(*spec), renumbered(spec, order))
    np.testing.assert_allclose(a, b, atol=1e-9)


@BY_NAME
@given(many=st.lists(specs(), min_size=2, max_size=6))
@settings(max_examples=30, deadline=None)
def test_a_batch_equals_singles(encoder: Encoder, many: list[Spec]) -> None:
    graphs = [ComputationGraph.from_nodes(*spec) for spec in many]
    singly = np.concatenate([rows(encoder, g) for g in graphs])
    np.testing.assert_allclose(rows(encoder, *graphs), singly, atol=1e-12)


@BY_NAME
def test_more_graphs_than_one_sweep_holds(encoder: Encoder) -> None:
    graph, other = chain(*KINDS), chain(KINDS[0], KINDS[0])
    values = rows(encoder, *[graph] * 9000, other)
    np.testing.assert_allclose(values[[0, 8190, 8191, 8192, 8999]], np.repeat(rows(encoder, graph), 5, axis=0))
    np.testing.assert_allclose(values[9000:], rows(encoder, other))


@BY_NAME
def test_an_absent_graph_is_absent_in_all_columns(encoder: Encoder) -> None:
    encoding = encoder.encode([Candidate(), Candidate(chain(KINDS[0])), Candidate()])
    assert np.isnan(encoding.values[[0, 2]]).all()
    assert np.isfinite(encoding.values[1]).all()
    assert encoder.encode([Candidate()]).values.shape == (1, len(encoding.names))
    assert encoder.encode([]).values.shape == (0, len(encoding.names))


@BY_NAME
def test_columns_have_names_groups_and_units(encoder: Encoder) -> None:
    encoding = encoder.encode([Candidate(chain(*KINDS))])
    d = encoding.values.shape[1]
    assert len(set(encoding.names)) == len(encoding.groups) == len(encoding.scaled) == d > 0


@BY_NAME
def test_settings_survive_json(encoder: Encoder) -> None:
    again = ENCODERS.make(encoder.name, json.loads(json.dumps(encoder.to_config())))
    assert again == encoder
    np.testing.assert_array_equal(rows(again, chain(*KINDS)), rows(encoder, chain(*KINDS)))


@BY_NAME
@pytest.mark.parametrize("name", ["nasbench101", "nasbench201", "nasbench301", "transnasbench101"])
def test_cells_of_every_family_and_scaling(encoder: Encoder, name: str) -> None:
    family = FAMILIES[name]
    cells = [c for seed in range(12) for c in family.cells(family.sample(np.random.default_rng(seed)))]
    if encoder.name == "adjacency":
        encoder = Adjacency.fit_to(cells)
    encoding = encoder.encode([Candidate(g) for g in cells])
    scaler = ColumnScaler.fit(encoding)
    assert np.isfinite(scaler.transform(encoding)).all()
    if encoder.name != "laplacian_spectrum":  # which does not see operators
        distinct = {row.round(9).tobytes() for row in encoding.values}
        assert len(distinct) == len({g.digest for g in cells})


def test_all_blocks_together_survive_saving(tmp_path) -> None:
    """Adjacency among others, with candidates that have no graph."""
    cells = [nasbench201.cells(nasbench201.sample(np.random.default_rng(seed)))[0] for seed in range(30)]
    blocks = (Adjacency.fit_to(cells), Flow(4), LaplacianSpectrum(4), Paths(7, 64), WeisfeilerLehman(1, 64))
    items = [Candidate(), *map(Candidate, cells)]
    predictor = Predictor(blocks, ExtraTrees(n_trees=5)).fit(items[:20], np.arange(20.0))
    predictor.save(tmp_path)
    again = Predictor.load(tmp_path)
    assert again.encoders == blocks
    np.testing.assert_array_equal(again.predict(items).mean, predictor.predict(items).mean)


def test_a_corpus_of_cells_keeps_what_is_verbatim() -> None:
    encoding = encode_corpus(
        [(2, 1, 1, 1, 2, 1)] * 2, lambda spec: nasbench201.cells(spec)[0], [Adjacency(4, CLASSES), Paths(3, 8)]
    )
    assert encoding.verbatim.tolist() == [group != "paths" for group in encoding.groups]


def test_operator_classes_name_windows_strides_and_dilations() -> None:
    nodes = [
        Node("Conv", SHAPE, SHAPE, kernel=(1, 7)), Node("MaxPool", SHAPE, SHAPE, kernel=(2, 2), stride=(2, 2)),
        Node("Depthwise", SHAPE, SHAPE, kernel=(5, 5), stride=(2, 2), dilation=(2, 2)), node("ReLU"),
        Node("Identity", SHAPE, SHAPE, stride=(1, 2)), Node("Conv", SHAPE, SHAPE, kernel=(1, 7), groups=2, bias=True),
    ]  # fmt: skip
    g = ComputationGraph.from_nodes(nodes, [])
    texts, index = operator_classes([g, g])
    expected = ["Conv1x7", "MaxPool2x2/2", "Depthwise5x5/2d2", "ReLU", "Identity/2", "Conv1x7"]
    assert [texts[i] for i in index.tolist()] == expected * 2
    assert list(texts) == sorted(set(expected))


def test_mixed_numbers_are_a_permutation_that_looks_random() -> None:
    numbers = np.arange(4096, dtype=np.uint64)
    assert len(np.unique(mix(numbers))) == 4096
    assert not np.any(mix(numbers) == mix(numbers, salt=1))
    drawn = uniform(numbers)
    assert -1 <= drawn.min() < -0.99 < 0.99 < drawn.max() < 1
    assert abs(drawn.mean()) < 0.05
    assert drawn.var() == pytest.approx(1 / 3, rel=0.05)


# adjacency


def test_adjacency_by_hand() -> None:
    """Input feeds conv3 and Output, conv3 feeds Output; one place is left over."""
    g = ComputationGraph.from_nodes([node("Output"), node("Conv", 3), node("Input")], [(2, 1), (2, 0), (1, 0)])
    encoding = Adjacency(4, ("Conv3x3", "Input", "Output")).encode([Candidate(g)])
    assert encoding.values.tolist() == [[0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0]]
    assert encoding.names[4] == "operator 1 Input"
    assert encoding.names[12:] == ("edge 0>1", "edge 0>2", "edge 0>3", "edge 1>2", "edge 1>3", "edge 2>3")
    assert Counter(encoding.groups) == {"operators": 12, "edges": 6}
    assert encoding.verbatim.all()


@given(specs())
@settings(max_examples=60, deadline=None)
def test_adjacency_is_lossless_even_after_scaling(spec: Spec) -> None:
    g = ComputationGraph.from_nodes(*spec)
    encoding = Adjacency(10, CLASSES).encode([Candidate(g), Candidate(chain(*KINDS)), Candidate()])
    scaler = ColumnScaler.fit(encoding)
    assert scaler.groups == encoding.groups
    graphs = GraphColumns.of(scaler.groups).graphs(scaler.transform(encoding))
    operators, edges = graphs.operators, graphs.adjacency
    assert operators.shape[1] == 10
    assert not operators[2].any()
    found = networkx.DiGraph([(a, b) for a, b in np.argwhere(edges[0]).tolist()])
    found.add_nodes_from((i, {"label": CLASSES[int(np.argmax(row))]}) for i, row in enumerate(operators[0]) if any(row))
    given_graph = networkx.DiGraph(g.edges.tolist())
    given_graph.add_nodes_from((i, {"label": label(n)}) for i, n in enumerate(g.nodes))
    assert networkx.is_isomorphic(found, given_graph, node_match=lambda a, b: a == b)


def test_adjacency_of_two_equal_branches_is_canonical() -> None:
    """Two chains of two equal operators side by side: four nodes that colours alone cannot tell apart."""
    nodes = [node("Input"), *[node("Conv", 3)] * 4, node("Output")]
    straight = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)]
    crossed = [(0, 1), (0, 2), (1, 4), (2, 3), (3, 5), (4, 5)]
    values = rows(Adjacency(6, CLASSES), *(ComputationGraph.from_nodes(nodes, e) for e in (straight, crossed)))
    np.testing.assert_array_equal(values[0], values[1])


def test_isomorphic_cells_of_201_have_one_matrix() -> None:
    cells = [nasbench201.cells(digits)[0] for digits in itertools.product((1, 2, 4), repeat=6)]
    values = rows(Adjacency.fit_to(cells), *cells)
    assert len({row.tobytes() for row in values}) == len({g.digest for g in cells})


def test_what_an_adjacency_cannot_hold_is_refused() -> None:
    g = chain(*KINDS)
    with pytest.raises(InvalidArchitectureError, match=r"at most 3 nodes .* but one has 4: use the cell alone"):
        rows(Adjacency(3, CLASSES), g)
    with pytest.raises(InvalidArchitectureError, match=r"one of \['Conv1x1'\] .* but got \['Conv3x3', 'Identity', "):
        rows(Adjacency(4, ("Conv1x1",)), g)
    with pytest.raises(InvalidDataError, match=r"needs `max_nodes >= 1` and operator classes that differ"):
        Adjacency.fit_to([])
    with pytest.raises(InvalidDataError, match=r"that differ, but got .*'Input', 'Input'"):
        Adjacency(3, ("Input", "Input"))
    with pytest.raises(InvalidDataError, match=r"stored as a number of nodes and a list .*: save it again"):
        Adjacency.from_config({"max_nodes": "3", "classes": ["Input"]})


# flow


def flow_by_hand(g: ComputationGraph, encoder: Flow) -> np.ndarray:
    """The same messages node by node and in scalars, from the encoder's weights."""

    def rush(known: np.ndarray, into: list[list[int]], order: list[int], way: str) -> np.ndarray:
        own = encoder._random(f"{way} own", known.shape[1], encoder.width)
        mixing = encoder._random(f"{way} inputs", encoder.width, encoder.width)
        weights = np.concatenate([own, mixing / np.sqrt(np.linalg.eigvalsh(mixing.T @ mixing)[-1])])
        f = np.zeros((len(g), encoder.width))
        for v in order:
            m = sum((f[u] for u in into[v]), np.zeros(encoder.width)) / max(1, len(into[v]))
            f[v] = encoder.keep * m + (1 - encoder.keep) * np.maximum(np.concatenate([known[v], m]) @ weights, 0)
        return f

    order = list(range(len(g)))
    inputs = [[a for a, b in g.edges.tolist() if b == v] for v in order]
    consumers = [[b for a, b in g.edges.tolist() if a == v] for v in order]
    vectors = [encoder._random(f"class {label(n)}", encoder.width, 1)[:, 0] for n in g.nodes]
    known = np.array(
        [[*x, *(np.log2(1.0 + np.array(n.out_shape)) / 16)] for x, n in zip(vectors, g.nodes, strict=True)]
    )
    ahead = rush(known, inputs, order, "forward")
    back = rush(ahead, consumers, order[::-1], "backward")
    pools = []
    for f, onward in ((ahead, consumers), (back, inputs)):
        pools += [f.mean(axis=0), np.log2(1 + f.sum(axis=0)), f[[v for v in order if not onward[v]]].mean(axis=0)]
    return np.concatenate(pools)


@given(specs())
@settings(max_examples=60, deadline=None)
def test_flow_equals_messages_node_by_node(spec: Spec) -> None:
    g, encoder = ComputationGraph.from_nodes(*spec), Flow(3, 0.4, 2)
    np.testing.assert_allclose(rows(encoder, g)[0], flow_by_hand(g, encoder), atol=1e-9)


def test_messages_neither_explode_nor_vanish_with_depth() -> None:
    shallow, deep = (chain(*[("Conv", 3), ("MaxPool", 3)] * n) for n in (10, 500))
    values = rows(Flow(), shallow, deep)
    ends = values[:, 32:48]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-3)  # a chain this long has forgotten its start
    assert 0.01 < ends.max() < 10


def test_flows_of_other_seeds_differ_and_sizes_matter() -> None:
    g, larger = (
        ComputationGraph.from_nodes([node("Conv", 3, size), node("Conv", 1, size)], [(0, 1)]) for size in (4, 8)
    )
    assert not np.allclose(rows(Flow(seed=0), g), rows(Flow(seed=1), g))
    assert not np.allclose(rows(Flow(), g), rows(Flow(), larger))


@pytest.mark.parametrize("settings_", [dict(width=0), dict(keep=1.0), dict(keep=-0.1), dict(keep=math.nan)])
def test_impossible_flows_are_refused(settings_: dict[str, float]) -> None:
    with pytest.raises(InvalidDataError, match=r"`width >= 1` and `0 <= keep < 1` must hold for a flow, but got"):
        Flow(**settings_)


# Laplacian spectrum


@given(specs())
@settings(max_examples=60, deadline=None)
def test_spectra_equal_networkx(spec: Spec) -> None:
    g = ComputationGraph.from_nodes(*spec)
    reference = networkx.Graph()
    reference.add_nodes_from(range(len(g)))
    reference.add_edges_from(g.edges.tolist())
    full = networkx.normalized_laplacian_spectrum(reference)
    expected = np.concatenate([np.sort(full), np.full(12, 2.0)])[:12]
    np.testing.assert_allclose(rows(LaplacianSpectrum(12), g)[0], expected, atol=1e-9)


def test_spectra_in_closed_form() -> None:
    """A complete graph of k nodes: 0 and k - 1 times k / (k - 1); a path of k: 1 - cos(pi i / (k - 1))."""
    complete = ComputationGraph.from_nodes([node("Add")] * 4, itertools.combinations(range(4), 2))
    values = rows(LaplacianSpectrum(5), complete, chain(*[("Identity", 0)] * 300))
    path = [1 - math.cos(math.pi * i / 299) for i in range(5)]
    np.testing.assert_allclose(values, [[0, 4 / 3, 4 / 3, 4 / 3, 2], path], atol=1e-9)


def test_a_spectrum_has_an_eigenvalue() -> None:
    with pytest.raises(InvalidDataError, match=r"a spectrum needs `q >= 1` eigenvalues, but got self.q=0: 21 suit"):
        LaplacianSpectrum(0)


# paths


def sequences(g: ComputationGraph, length: int) -> Counter[tuple[str, ...]]:
    """All walks that are whole paths of at most so many nodes, or have just so many, one by one."""
    after = {a: [c for b, c in g.edges.tolist() if b == a] for a in range(len(g))}
    sources = set(range(len(g))) - set(g.edges[:, 1].tolist())
    names = [label(n) for n in g.nodes]
    found: Counter[tuple[str, ...]] = Counter()

    def walk(way: list[int]) -> None:
        whole = way[0] in sources and not after[way[-1]]
        found[tuple(names[v] for v in way)] += len(way) == length or whole
        for v in after[way[-1]] if len(way) < length else []:
            walk([*way, v])

    for v in range(len(g)):
        walk([v])
    return +found


@given(specs(), st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_paths_equal_enumeration(spec: Spec, length: int) -> None:
    g = ComputationGraph.from_nodes(*spec)
    values = rows(Paths(length, WIDE), g)[0]
    assert sorted(values[values > 0]) == pytest.approx(sorted(math.log2(1 + c) for c in sequences(g, length).values()))


@given(specs(6), specs(6), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_the_same_sequence_has_the_same_column_in_any_graph(a: Spec, b: Spec, length: int) -> None:
    g, h = ComputationGraph.from_nodes(*a), ComputationGraph.from_nodes(*b)
    p, q = sequences(g, length), sequences(h, length)
    x, y = rows(Paths(length, WIDE), g, h)
    assert np.count_nonzero((x > 0) & (y > 0)) == len(p.keys() & q.keys())


def test_very_many_paths_are_described_by_shorter_stretches() -> None:
    """70 nodes of 70 classes, each feeding all later ones: 2^68 paths, of which no sequence occurs twice."""
    n = 70
    nodes = [node("Conv", k + 1) for k in range(n)]
    g = ComputationGraph.from_nodes(nodes, itertools.combinations(range(n), 2))
    values = rows(Paths(7, WIDE), g)[0]
    pairs = n * (n - 1) // 2
    assert np.count_nonzero(values) == pytest.approx(pairs, abs=30)  # stretches of two, and the whole path of two
    n = 60  # of one class: few different walks, very many in all
    same = ComputationGraph.from_nodes([node("Conv", 3)] * n, itertools.combinations(range(n), 2))
    values = rows(Paths(4, WIDE), same)[0]
    whole = [math.comb(n - 2, k) for k in (0, 1)]
    assert sorted(2 ** values[values > 0] - 1) == pytest.approx([*whole, math.comb(n, 4)])


@pytest.mark.parametrize("settings_", [dict(length=1), dict(buckets=0)])
def test_impossible_paths_are_refused(settings_: dict[str, int]) -> None:
    with pytest.raises(InvalidDataError, match=r"`length >= 2` and `buckets >= 1` must hold .*: 7 and 512 suit cells"):
        Paths(**settings_)


# Weisfeiler-Lehman


def subtree_counts(g: ComputationGraph, depth: int) -> Counter[tuple[int, str]]:
    """Labels as texts, by the definition."""
    inputs = {b: [a for a, c in g.edges.tolist() if c == b] for b in range(len(g))}
    labels = [label(n) for n in g.nodes]
    counts = Counter((0, text) for text in labels)
    for i in range(1, depth + 1):
        labels = [f"{labels[v]}<{';'.join(sorted(labels[a] for a in inputs[v]))}>" for v in range(len(g))]
        counts.update((i, text) for text in labels)
    return counts


@given(specs(6), specs(6), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_distances_are_those_of_the_kernel(a: Spec, b: Spec, depth: int) -> None:
    g, h = ComputationGraph.from_nodes(*a), ComputationGraph.from_nodes(*b)
    p, q = subtree_counts(g, depth), subtree_counts(h, depth)
    norm = math.sqrt(sum(c * c for c in p.values()) * sum(c * c for c in q.values()))
    kernel = sum(c * q[key] for key, c in p.items()) / norm
    x, y = rows(WeisfeilerLehman(depth, WIDE), g, h)
    assert float((x - y) @ (x - y)) == pytest.approx(2 - 2 * kernel, abs=1e-9)


def test_motifs_name_the_columns() -> None:
    g = chain(("Input", 0), ("Conv", 3), ("Conv", 3), ("Output", 0))
    encoder = WeisfeilerLehman(2, WIDE)
    motifs = encoder.motifs([g])
    encoding = encoder.encode([Candidate(g)])
    counts = {motifs[encoding.names[j]]: encoding.values[0, j] for j in np.flatnonzero(encoding.values[0]).tolist()}
    assert len(motifs) == np.count_nonzero(encoding.values)
    assert counts["Conv3x3(Conv3x3(Input))"] == counts["Conv3x3"] / 2 > 0
    assert counts["Output(Conv3x3(Conv3x3))"] > 0
    assert set(encoder.motifs([g, chain(("MaxPool", 2))]).values()) - set(motifs.values()) == {"MaxPool2x2"}


def test_motifs_that_share_a_column_are_joined_and_long_ones_cut() -> None:
    one = WeisfeilerLehman(0, 1)
    assert one.motifs([chain(("Input", 0), ("Conv", 3))]) == {"motif 0.0": "Conv3x3 | Input"}
    wide = ComputationGraph.from_nodes([*[node("Conv", 3)] * 60, node("Add")], [(i, 60) for i in range(60)])
    assert max(map(len, WeisfeilerLehman(1, 4096).motifs([wide]).values())) == 300
    assert one.motifs([]) == {}


@pytest.mark.parametrize("settings_", [dict(depth=-1), dict(buckets=0)])
def test_impossible_depths_are_refused(settings_: dict[str, int]) -> None:
    with pytest.raises(InvalidDataError, match=r"`depth >= 0` and `buckets >= 1` must hold .*: 2 and 256 suit cells"):
        WeisfeilerLehman(**settings_)


def test_hashes_never_change() -> None:
    """Stored predictors rely on them: these numbers may only change together with the format of checkpoints."""
    (g,) = nasbench101.cells(([[0, 1], [0, 0]], ["input", "output"]))
    assert np.flatnonzero(rows(WeisfeilerLehman(1, 32), g)[0]).tolist() == [1, 16, 44, 54]
    assert np.flatnonzero(rows(Paths(3, 32), g)[0]).tolist() == [18]
    np.testing.assert_allclose(rows(Flow(2), g)[0, :4], [0.03810567, 0.17490498, 0.10596141, 0.4327563], atol=1e-7)
