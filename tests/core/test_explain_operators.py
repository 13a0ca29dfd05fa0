"""Operators skipped one by one: real architectures, copies, views, drawings, refusals."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import Candidate, ComputationGraph, GraphStatistics, Predictor
from foretell.capture import nasbench101, nasbench201
from foretell.drawing import to_svg
from foretell.encoders import Adjacency, OfCells
from foretell.errors import InvalidArchitectureError, InvalidDataError, NotFittedError
from foretell.explain import bars_svg, explain_operators, heat_map_svg, skip_operators
from foretell.explain.diverging_colours import LOWERS, RAISES, UNKNOWN, diverging_colour
from foretell.explain.stacked_svg import stacked_svg
from foretell.folding import Folding, fold
from foretell.surrogates import ExtraTrees

SVG = "{http://www.w3.org/2000/svg}"


def candidates(n: int) -> list[Candidate]:
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(n)]
    return [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in specs]


@pytest.fixture(scope="module")
def known() -> list[Candidate]:
    return candidates(15)


@pytest.fixture(scope="module")
def of_network(known: list[Candidate]) -> Predictor:
    """A predictor of the parameters, from the network alone."""
    return Predictor((GraphStatistics(),), ExtraTrees(n_trees=10)).fit(known, [float(c.graph.params) for c in known])


@given(st.integers(0, 10**6))
def test_a_skipped_operator_of_a_cell_is_the_cell_with_a_skip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spec = [2, 3, 4, 2, 3, 4]  # all edges live, so node 1 + i is edge i in the order of EDGES
    rng.shuffle(spec)
    cell = nasbench201.cells(tuple(spec))[0]
    ways = {nasbench201.cells((*spec[:i], 0, *spec[i + 1 :]))[0].digest for i in range(6)}
    assert {skip_operators(cell, np.array([node])).digest for node in range(1, 7)} == ways


def test_skipping_keeps_wiring_and_shapes_and_drops_weights(known: list[Candidate]) -> None:
    graph = nasbench201.graph((2, 2, 2, 2, 2, 2))
    convolutions = np.flatnonzero([node.op == "Conv" for node in graph.nodes])
    skipped = skip_operators(graph, convolutions)
    np.testing.assert_array_equal(skipped.edges, graph.edges)
    np.testing.assert_array_equal(skipped.out_shape, graph.out_shape)
    np.testing.assert_array_equal(skipped.stride, graph.stride)
    assert skipped.params == graph.params - graph.node_params[convolutions].sum()
    assert skipped.op_counts()["Identity"] == len(convolutions)
    assert graph.op_counts()["Conv"] == len(convolutions)  # the graph itself stays


def test_values_are_what_the_prediction_loses(of_network: Predictor, known: list[Candidate]) -> None:
    found = explain_operators(of_network, known[3])
    graph, whole = known[3].graph, of_network.predict([known[3]]).mean[0]
    assert found.prediction == whole
    assert found.view == "network"
    assert len(found.values) == len(found.drawn.graph) < len(graph)
    for i, node in enumerate(found.drawn.graph.nodes):
        if node.op in {"Input", "Output"}:
            assert np.isnan(found.values[i])
            continue
        copies = np.flatnonzero(found.drawn.place == i)
        less = of_network.predict([skip_operators(graph, copies)]).mean[0]
        assert found.values[i] == pytest.approx(whole - less, abs=1e-6 * whole)


def test_copies_are_copies(known: list[Candidate]) -> None:
    for c in known:
        drawn = fold(c.graph)
        assert (c.graph.op == drawn.graph.op[drawn.place]).all()
        assert (c.graph.out_shape == drawn.graph.out_shape[drawn.place]).all()
        assert set(drawn.place) == set(range(len(drawn.graph)))
    assert (Folding.none(known[0].graph).place == np.arange(len(known[0].graph))).all()


def test_a_view_that_is_not_looked_at_is_worth_nothing(of_network: Predictor, known: list[Candidate]) -> None:
    found = explain_operators(of_network, known[3], cell=0)
    assert found.view == "cell 0"
    assert np.nanmax(np.abs(found.values)) == 0.0


def test_any_bare_graph_will_do(of_network: Predictor) -> None:
    matrix, ops = nasbench101.sample(np.random.default_rng(0))
    graph = nasbench101.graph(matrix, ops)
    found = explain_operators(of_network, graph)
    assert np.isfinite(found.values[1:-1]).all()


def test_refusals(of_network: Predictor, known: list[Candidate]) -> None:
    with pytest.raises(InvalidDataError, match="this candidate has none"):
        explain_operators(of_network, Candidate())
    for cell in (1, -1):
        with pytest.raises(InvalidDataError, match=f"one of the candidate's 1, counted from 0, but got {cell}"):
            explain_operators(of_network, known[0], cell=cell)
    with pytest.raises(NotFittedError):
        explain_operators(Predictor(), known[0])
    convolutions = [Candidate(cells=nasbench201.cells((2, 1, 1, k, 1, 2))) for k in (2, 3)]
    encoder = Adjacency.fit_to([c.cells[0] for c in convolutions])
    predictor = Predictor((OfCells(encoder, 1),), ExtraTrees(n_trees=2)).fit(convolutions, [0.0, 1.0])
    with pytest.raises(InvalidArchitectureError, match="Identity"):
        explain_operators(predictor, convolutions[0], cell=0)


def test_the_drawing_says_each_number_with_its_sign(of_network: Predictor, known: list[Candidate]) -> None:
    found = explain_operators(of_network, known[3])
    svg = heat_map_svg(found, "a & b")
    root = ET.fromstring(svg)
    boxes = [r for r in root.iter(f"{SVG}rect") if r.get("rx") == "5"]
    notes = [t.text for t in root.iter(f"{SVG}tspan")]
    inner = found.values[np.isfinite(found.values)]
    assert len(boxes) == len(found.values)
    assert len(notes) == len(inner)
    assert [n[0] for n in notes] == ["+" if v > 0 else "\N{MINUS SIGN}" if v < 0 else "0" for v in inner]
    assert [b.get("fill") for b in boxes].count(UNKNOWN) == np.isnan(found.values).sum()
    strongest = int(np.nanargmax(np.abs(found.values)))
    assert boxes[strongest].get("fill") == (RAISES if found.values[strongest] > 0 else LOWERS)
    assert "predicted" in svg
    assert "a &amp; b" in svg


def test_a_drawing_without_effects() -> None:
    class Constant(ExtraTrees):
        """All predictions are the same where all targets are."""

    graph = nasbench201.cells((2, 2, 2, 2, 2, 2))[0]
    predictor = Predictor((GraphStatistics(),), Constant(n_trees=2)).fit([graph, graph], [1.0, 1.0])
    svg = heat_map_svg(explain_operators(predictor, graph))
    assert ET.fromstring(svg) is not None
    assert "nan" not in svg


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@given(st.floats(-3, 3), st.floats(0, 3))
def test_black_text_is_readable_on_every_colour(value: float, most: float) -> None:
    assert (luminance(diverging_colour(value, most)) + 0.05) / 0.05 > 7  # WCAG AAA


def test_bars() -> None:
    root = ET.fromstring(bars_svg([("first <one>", 0.5), ("second", -1.0), ("x" * 80, 0.0)], "title", "unit"))
    widths = [float(r.get("width")) for r in root.iter(f"{SVG}rect")]
    assert widths[1] == 2 * widths[0]
    assert widths[2] == 0
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert "+0.5" in texts
    assert "\N{MINUS SIGN}1" in texts
    assert "nothing contributes" in bars_svg([], "title", "unit")


def test_stacked_drawings_keep_their_sizes() -> None:
    graph = nasbench201.cells((2, 2, 2, 2, 2, 2))[0]
    parts = [to_svg(graph), bars_svg([("a", 1.0)], "t", "u")]
    outer = ET.fromstring(stacked_svg(parts, "a < b"))
    inner = outer.findall(f"{SVG}svg")
    sizes = [tuple(map(int, ET.fromstring(p).get("viewBox").split()[2:])) for p in parts]
    assert [(int(i.get("width")), int(i.get("height"))) for i in inner] == sizes
    assert int(inner[1].get("y")) >= sizes[0][1]
    assert outer.get("viewBox").split()[2] == str(max(w for w, _ in sizes))


def test_a_graph_of_one_node() -> None:
    from foretell.graph import Node

    graph = ComputationGraph.from_nodes([Node("Input", (3, 8, 8), (3, 8, 8))], [])
    predictor = Predictor((GraphStatistics(),), ExtraTrees(n_trees=2)).fit([graph, graph], [1.0, 2.0])
    found = explain_operators(predictor, graph)
    assert np.isnan(found.values).all()
    assert ET.fromstring(heat_map_svg(found)) is not None
