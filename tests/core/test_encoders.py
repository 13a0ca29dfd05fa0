"""Encoders: columns worked out by hand, batches against singles, gaps, and invariance under renumbering."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.candidate import Candidate
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.encoders import ENCODERS, ColumnScaler, Encoding, GraphStatistics, Hyperparameters, register_encoder
from foretell.errors import InvalidDataError, PluginError
from foretell.graph import ComputationGraph, Node
from foretell.search_space import Condition, SearchSpace

KINDS = (
    dict(op="Conv", kernel=(1, 1)), dict(op="Conv", kernel=(3, 3)), dict(op="Conv", kernel=(5, 5)), dict(op="ReLU"),
    dict(op="Depthwise", kernel=(3, 3)), dict(op="MatMul"), dict(op="MaxPool", kernel=(2, 2)), dict(op="Add"),
    dict(op="Output"), dict(op="Gather"),
)  # fmt: skip


def node(width: int = 4, size: int = 8, **fields: object) -> Node:
    return Node(in_shape=(width, size, size), out_shape=(width, size, size), **fields)  # type: ignore[arg-type]


@st.composite
def specs(draw: st.DrawFn) -> tuple[list[Node], list[tuple[int, int]]]:
    """Nodes and edges of a random acyclic graph, several outputs allowed."""
    n = draw(st.integers(1, 10))
    nodes = [node(draw(st.integers(1, 9)), draw(st.integers(1, 5)), **draw(st.sampled_from(KINDS))) for _ in range(n)]
    pairs = [(a, b) for b in range(n) for a in range(b)]
    return nodes, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18)) if pairs else []


def columns(*graphs: ComputationGraph) -> dict[str, np.ndarray]:
    encoding = GraphStatistics().encode([Candidate(g) for g in graphs])
    return dict(zip(encoding.names, encoding.values.T, strict=True))


# graph statistics


def test_statistics_by_hand() -> None:
    """Input -> conv3 -> Add -> Output, with a skip of Input through two 1x1 convolutions."""
    nodes = [
        node(op="Input"),
        node(op="Conv", kernel=(3, 3), params=144, flops=900),
        node(op="Conv", kernel=(1, 1), params=16, flops=99),
        node(op="Conv", kernel=(1, 1), params=16),
        node(op="Add"),
        node(op="Output"),
    ]
    edges = [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4), (4, 5)]
    c = {k: float(v[0]) for k, v in columns(ComputationGraph.from_nodes(nodes, edges)).items()}
    expected = {
        "log_params": math.log10(177), "log_flops": 3.0, "log_nodes": math.log10(6), "log_edges": math.log10(7),
        "log_depth": math.log10(5), "log_joins": math.log10(2), "log_width_max": math.log2(5),
        "log_width_mean": math.log2(5), "log_width_last": math.log2(5), "log_resolution_mean": math.log2(65),
        "log_resolution_last": math.log2(65), "residual_share": 1 / 6, "count_conv1": math.log2(3), "count_conv3": 1.0,
        "count_add": 1.0, "count_norm": 0.0, "longest_conv1": math.log2(3), "shortest_conv1": 0.0,
        "mean_conv1": 1.0, "longest_conv3": 1.0, "shortest_conv3": 0.0, "mean_conv3": math.log2(1.5),
    }  # fmt: skip
    assert {k: c[k] for k in expected} == pytest.approx(expected)


def walks(g: ComputationGraph, ends: list[int], kind: str) -> tuple[float, float, float]:
    """Most, fewest and mean nodes of one operator over all paths to the ends, by enumeration."""
    inputs = {b: [a for a, c in g.edges.tolist() if c == b] for b in range(len(g))}
    is_kind = [n.op == kind for n in g.nodes]

    def paths(at: int) -> list[tuple[float, int]]:
        """Probability and count of every way back from a node."""
        if not inputs[at]:
            return [(1.0, int(is_kind[at]))]
        share = 1 / len(inputs[at])
        return [(p * share, c + int(is_kind[at])) for a in inputs[at] for p, c in paths(a)]

    found = [path for end in ends for path in paths(end)]
    counts = [c for _, c in found]
    return max(counts), min(counts), sum(p * c for p, c in found) / len(ends)


@given(specs())
@settings(max_examples=60, deadline=None)
def test_path_counts_equal_enumeration(spec: tuple) -> None:
    g = ComputationGraph.from_nodes(*spec)
    outputs = [i for i, n in enumerate(g.nodes) if n.op == "Output"]
    ends = outputs or [i for i in range(len(g)) if i not in set(g.edges[:, 0].tolist())]
    c = columns(g)
    for kind, name in (("Depthwise", "depthwise"), ("MatMul", "matmul"), ("MaxPool", "max_pool")):
        got = [2.0 ** float(c[f"{how}_{name}"][0]) - 1 for how in ("longest", "shortest", "mean")]
        assert got == pytest.approx(walks(g, ends, kind), abs=1e-9)


@given(specs(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_renumbering_changes_no_column(spec: tuple, shuffler: object) -> None:
    nodes, edges = spec
    order = list(range(len(nodes)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    position = {old: new for new, old in enumerate(order)}
    g = ComputationGraph.from_nodes(nodes, edges)
    h = ComputationGraph.from_nodes([nodes[i] for i in order], [(position[a], position[b]) for a, b in edges])
    for name, (a, b) in columns(g, h).items():
        assert a == pytest.approx(b, abs=1e-9), name


@given(st.lists(specs(), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_batch_equals_singles(many: list[tuple]) -> None:
    graphs = [ComputationGraph.from_nodes(*spec) for spec in many]
    together = GraphStatistics().encode([Candidate(g) for g in graphs]).values
    singly = np.concatenate([GraphStatistics().encode([Candidate(g)]).values for g in graphs])
    np.testing.assert_allclose(together, singly, atol=1e-12)


def test_more_graphs_than_one_sweep_holds() -> None:
    graphs = [ComputationGraph.from_nodes([node(op="Input"), node(op="ReLU")], [(0, 1)])] * 520
    graphs.append(ComputationGraph.from_nodes([node(op="Input"), node(op="MatMul", params=9)], [(0, 1)]))
    c = columns(*graphs)
    assert c["log_params"].tolist() == [0.0] * 520 + [1.0]


def test_absent_graphs_are_absent_columns() -> None:
    graph = ComputationGraph.from_nodes([node(op="Input")], [])
    encoding = GraphStatistics().encode([Candidate(), Candidate(graph)])
    assert np.isnan(encoding.values[0]).all()
    assert np.isfinite(encoding.values[1]).all()
    assert encoding.mask.tolist() == [[False] * encoding.values.shape[1], [True] * encoding.values.shape[1]]
    assert len(GraphStatistics().encode([]).values) == 0


def test_a_sequence_longer_than_32_bits_squared_is_finite() -> None:
    huge = Node("MatMul", (1, 70_000, 70_000), (1, 70_000, 70_000))
    c = columns(ComputationGraph.from_nodes([huge], []))
    assert c["log_resolution_last"][0] == pytest.approx(2 * math.log2(70_000), rel=1e-9)


# hyperparameters

SPACE = SearchSpace(
    {
        "lr": FloatDistribution(1e-4, 1e-2, log=True),
        "op": CategoricalDistribution(("a", "b", "c")),
        "skip": CategoricalDistribution((False, True)),
        "k": IntDistribution(0, 3),
    },
    {"k": (Condition("op", frozenset({"a"})),)},
)


def test_hyperparameter_columns_by_hand() -> None:
    rows = [{"lr": 1e-3, "op": "a", "skip": True, "k": 1}, {"lr": 1e-4, "op": "c", "skip": False}]
    encoding = Hyperparameters(SPACE).encode([Candidate(config=c) for c in rows])
    assert encoding.names == ("lr", "op=a", "op=b", "op=c", "skip", "k")
    assert encoding.groups == ("lr", "op", "op", "op", "skip", "k")
    half = 1 / math.sqrt(2)
    np.testing.assert_allclose(encoding.values, [[0.5, half, 0, 0, 1, 0.375], [0, 0, 0, half, 0, np.nan]])
    assert encoding.scaled.all()


def test_any_two_choices_lie_at_distance_one() -> None:
    values = Hyperparameters(SPACE).encode([Candidate(config={"op": c}) for c in "abc"]).values[:, 1:4]
    distances = np.linalg.norm(values[:, None] - values[None], axis=2)
    np.testing.assert_allclose(distances, 1 - np.eye(3), atol=1e-12)


def test_unknown_choice_and_missing_parameter_are_absent() -> None:
    encoding = Hyperparameters(SPACE).encode([Candidate(config={"op": "z"}), Candidate()])
    assert not encoding.mask.any()


def test_an_empty_space_has_no_columns() -> None:
    assert Hyperparameters(SearchSpace({})).encode([Candidate()]).values.shape == (1, 0)


@pytest.mark.parametrize("encoder", [Hyperparameters(SPACE), GraphStatistics()], ids=lambda e: e.name)
def test_settings_rebuild_an_encoder(encoder: Hyperparameters | GraphStatistics) -> None:
    assert ENCODERS.make(encoder.name, encoder.to_config()) == encoder


# scaler


def encoding(values: list[list[float]], groups: tuple[str, ...], scaled: list[bool]) -> Encoding:
    return Encoding(np.array(values), tuple(f"c{i}" for i in range(len(groups))), groups, np.array(scaled))


def test_columns_are_standardised_dropped_and_kept_as_asked() -> None:
    e = encoding([[1.0, 5.0, 0.2], [3.0, 5.0, 0.8]], ("g", "g", "h"), [False, False, True])
    scaler = ColumnScaler.fit(e)
    np.testing.assert_allclose(scaler.transform(e), [[-1, -0.3], [1, 0.3]])
    assert scaler.groups == ("g", "h")


def test_a_gap_becomes_the_mean_and_a_mark() -> None:
    e = encoding([[1.0], [3.0], [np.nan]], ("g",), [False])
    scaler = ColumnScaler.fit(e)
    np.testing.assert_allclose(scaler.transform(e), [[-1, 1], [1, 1], [0, 0]])
    assert scaler.groups == ("g", "g")


def test_one_mark_for_columns_that_come_and_go_together() -> None:
    e = encoding([[1.0, 4.0], [3.0, 2.0], [np.nan, np.nan]], ("g", "g"), [False, False])
    assert ColumnScaler.fit(e).transform(e).shape == (3, 3)


def test_outliers_are_held_only_where_standardised() -> None:
    e = encoding([[0.0, 0.0], [2.0, 2.0]], ("g", "h"), [False, True])
    far = encoding([[900.0, 900.0]], ("g", "h"), [False, True])
    np.testing.assert_allclose(ColumnScaler.fit(e).transform(far), [[5.0, 899.0]])


def test_an_infinite_column_is_refused_by_name() -> None:
    with pytest.raises(InvalidDataError, match="'c1' is infinite: clip it in the encoder"):
        ColumnScaler.fit(encoding([[0.0, np.inf]], ("g", "g"), [False, False]))


def test_verbatim_columns_pass_as_they_are() -> None:
    """Constant, far out or with a gap: the same numbers in the same places, 0 in the gap, and no mark."""
    raw = np.array([[1.0, 900.0, 4.0], [1.0, 2.0, 6.0], [np.nan, np.nan, np.nan]])
    e = Encoding(raw, ("a", "b", "c"), ("g", "g", "h"), np.zeros(3, dtype=bool), np.array([True, True, False]))
    scaler = ColumnScaler.fit(e)
    np.testing.assert_allclose(scaler.transform(e), [[1, 900, -1, 1], [1, 2, 1, 1], [0, 0, 0, 0]])
    assert scaler.groups == ("g", "g", "h", "h")
    again = ColumnScaler.from_arrays(scaler.to_arrays(), scaler.groups)
    np.testing.assert_array_equal(again.transform(e), scaler.transform(e))


def test_blocks_keep_what_is_verbatim() -> None:
    plain = encoding([[1.0], [2.0]], ("g",), [False])
    kept = Encoding(plain.values, plain.names, plain.groups, plain.scaled, np.array(True))
    assert plain.verbatim.tolist() == [False]
    assert Encoding.side_by_side([plain, kept]).rows(slice(1)).verbatim.tolist() == [False, True]


def test_scaler_arrays_round_trip() -> None:
    e = encoding([[1.0, 7.0], [3.0, np.nan]], ("g", "h"), [False, True])
    scaler = ColumnScaler.fit(e)
    again = ColumnScaler.from_arrays(scaler.to_arrays(), list(scaler.groups))
    np.testing.assert_array_equal(again.transform(e), scaler.transform(e))
    assert again.groups == scaler.groups


# registry


def test_names_are_unique_and_unknown_ones_explained() -> None:
    register_encoder("graph_statistics", GraphStatistics.from_config)  # the same again
    with pytest.raises(PluginError, match="encoder names must be unique, but 'hyperparameters' is taken"):
        register_encoder("hyperparameters", GraphStatistics.from_config)
    with pytest.raises(PluginError, match="a known encoder is needed, one of .* but got 'alien': install its plugin"):
        ENCODERS.make("alien", {})
