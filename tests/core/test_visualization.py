"""Pictures: their values against closed forms, and both drawings against these values."""

from __future__ import annotations

import re
import sys
from html import escape

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell import CategoricalDistribution, ComputationGraph, FloatDistribution, SearchSpace, visualization
from foretell.capture import nasbench201
from foretell.curve_rule import CurveRule
from foretell.encoders import WeisfeilerLehman
from foretell.errors import InvalidArchitectureError, InvalidDataError, MissingDependencyError
from foretell.explain import Motif
from foretell.graph import Node
from foretell.learning_curve import FinishedRun
from foretell.posterior import FoldedPosterior, GaussianPosterior
from foretell.response_surface import Believed, ResponseSurface
from foretell.visualization import (
    BeliefSlice,
    Calibration,
    Chart,
    ClusterMembership,
    CostComparison,
    CurveForecast,
    History,
    Importances,
    MotifEffects,
    NetworkDrawing,
    ParetoFront,
    PredictedAgainstTrue,
    matplotlib_axes,
    plotly_figure,
)
from foretell.visualization import matplotlib as twins
from foretell.visualization.chart import Axis, Band, Bars, Boxes, Intervals, Line, Points
from foretell.visualization.html_charts import chart_svg
from foretell.visualization.pareto_front import believed_on_both, front_rows

go = pytest.importorskip("plotly.graph_objects")
pytest.importorskip("matplotlib")
NONE = np.zeros(0)
SPACE = SearchSpace({"lr": FloatDistribution(1e-3, 1, log=True), "act": CategoricalDistribution(("relu", "tanh"))})


def motif(text: str, effect: float) -> Motif:
    return Motif(text, effect, "target", 1, 1, None, ("c",), WeisfeilerLehman())


@pytest.fixture(scope="module")
def surface() -> ResponseSurface:
    configs = [SPACE.quasi_random(i, 0) for i in range(12)]
    return ResponseSurface.fit(SPACE, configs, [-(np.log10(c["lr"]) ** 2) - (c["act"] == "tanh") for c in configs])


def run(*values: float) -> FinishedRun:
    return FinishedRun(tuple((float(i), v) for i, v in enumerate(values, 1)), values[-1])


FINISHED = [run(*(a * (1 - 0.8**t) for t in range(1, 11))) for a in (0.5, 0.6, 0.7, 0.8, 0.9)]
PICTURES = {
    "plot_predicted_against_true": PredictedAgainstTrue.of(
        np.array([1.0, 2.0, 4.0]), GaussianPosterior(np.array([1.5, 2.0, 3.0]), np.ones(3))
    ),
    "plot_calibration": Calibration.of(np.array([0.1, -1.0]), GaussianPosterior(np.zeros(2), np.ones(2))),
    "plot_slice": BeliefSlice("x", *(np.array([1.0, 2.0]) + k for k in range(4)), np.array([1.5]), np.array([2.5])),
    "plot_importances": Importances.of({"a": 0.2, "b": 0.7}),
    "plot_history": History.of(np.array([1.0, 3.0, -np.inf, 2.0, 4.0])),
    "plot_motifs": MotifEffects.of([motif("Conv(ReLU)", 0.5), motif("ReLU", -0.1)]),
    "plot_clusters": ClusterMembership.project(np.eye(3), np.eye(3)[:2], np.array([[1.0, 0], [0, 1], [0.4, 0.6]])),
    "plot_curve_forecast": CurveForecast.of(FINISHED, FINISHED[3].curve[:4]),
    "plot_pareto_front": ParetoFront.of(
        np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 0.0]]),
        tuple([Believed(*(np.array([k, 1.0]) for k in (2.0, 1, 3)))] * 2),
    ),
    "plot_cost": CostComparison.of({"a": [[(1, 0.5), (2, 0.9)], [(2, 0.7), (2, 0.1)]], "b": [[(1, 0.2)]]}),
    "plot_network": NetworkDrawing.of(nasbench201.graph((2, 0, 0, 2, 0, 2))),
}
EMPTY = {
    "plot_predicted_against_true": PredictedAgainstTrue.of(NONE, FoldedPosterior(())),
    "plot_calibration": Calibration.of(NONE, FoldedPosterior(())),
    "plot_slice": BeliefSlice("x", NONE, NONE, NONE, NONE, NONE, NONE),
    "plot_importances": Importances.of({}),
    "plot_history": History.of(NONE),
    "plot_motifs": MotifEffects.of([]),
    "plot_clusters": ClusterMembership.project(np.zeros((0, 4)), np.ones((1, 4)), np.zeros((0, 1))),
    "plot_curve_forecast": CurveForecast.of([], []),
    "plot_pareto_front": ParetoFront.of(np.zeros((0, 2))),
    "plot_cost": CostComparison.of({"a": [], "b": [[]]}),
}


def in_plotly(figure: go.Figure) -> list[tuple[list, list]]:
    """What each trace holds."""
    return [(list(t.x), list(t.y)) for t in figure.data]


def in_matplotlib(axes) -> list[np.ndarray]:
    """What lines, dots and bars hold, n x 2 each; bars by length and height."""
    found = [line.get_xydata() for line in axes.lines if not line.get_label().startswith("_child")]
    found = [np.ma.filled(xy, np.nan) for xy in found]
    found += [np.asarray(c.get_offsets()) for c in axes.collections if len(c.get_offsets()) and c.get_paths()]
    if axes.patches:
        found.append(np.array([[bar.get_width(), bar.get_y() + bar.get_height() / 2] for bar in axes.patches]))
    return found


def layers(chart: Chart) -> list[np.ndarray]:
    """What a chart says is drawn as lines, dots and bars, n x 2 each."""
    found = []
    for layer in chart.layers:
        if isinstance(layer, Bars):
            found.append(np.column_stack([layer.lengths, np.arange(len(layer.lengths))]))
        elif not isinstance(layer, Band):
            found.append(np.column_stack([layer.x, layer.y]))
    return found


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(any(x.shape == y.shape and np.allclose(x, y, equal_nan=True) for y in b) for x in a if len(x))


@pytest.mark.parametrize("name", PICTURES)
def test_both_drawings_hold_the_values(name: str) -> None:
    data = PICTURES[name]
    figure, axes = getattr(visualization, name)(data), getattr(twins, name)(data)
    wanted = layers(data.chart())
    assert wanted
    traces = [np.column_stack([np.array(part, dtype=float) for part in trace]) for trace in in_plotly(figure)]
    assert same(wanted, traces)
    assert same(wanted, in_matplotlib(axes))
    bands = [layer for layer in data.chart().layers if isinstance(layer, Band)]
    for band in bands:
        corners = np.column_stack([np.append(band.x, band.x[::-1]), np.append(band.high, band.low[::-1])])
        assert same([corners], traces)
        areas = [path.vertices for c in axes.collections for path in c.get_paths()]
        for part in (np.column_stack([band.x, band.low]), np.column_stack([band.x, band.high])):
            assert any({tuple(v) for v in part} <= {tuple(v) for v in area} for area in areas)
    assert figure.layout.title.text == axes.get_title(loc="left") == data.chart().title
    assert figure.layout.meta["description"] == data.chart().description
    assert "<desc" in chart_svg(data.chart())


@pytest.mark.parametrize("name", EMPTY)
def test_where_there_is_nothing_both_say_so(name: str) -> None:
    data = EMPTY[name]
    figure, axes = getattr(visualization, name)(data), getattr(twins, name)(data)
    note = data.chart().note
    assert note
    assert figure.layout.annotations[-1].text == note
    assert note in [text.get_text() for text in axes.texts]


def test_every_picture_is_tested_and_has_a_twin() -> None:
    names = {name for name in visualization.__all__ if name.startswith("plot_")}
    assert names == set(PICTURES) == {name for name in dir(twins) if name.startswith("plot_")}
    assert names - set(EMPTY) == {"plot_network"}  # a graph is never empty


def test_a_twin_draws_where_it_is_told() -> None:
    ours = matplotlib_axes(PICTURES["plot_history"].chart())
    assert twins.plot_importances(PICTURES["plot_importances"], ours) is ours


def test_intervals_are_arms_and_colours_and_names_arrive() -> None:
    x = np.array([1.0, 2.0])
    chart = Chart(
        "cost in $ and $, <b>bold</b>", "words", Axis("$x$ <i>", log=True), Axis(ticks=("a", "b" * 50), range=(0, 1)),
        (Intervals(x, x, x - 1, x + 2, name="_told", left=x - 0.5, right=x),
         Points(x, x, symbol="cross", texts=("<p>", "q")),
         Line(x, x, dashed=True, steps=True), Boxes(x, x, ("one\ntwo", "<b>"), ("#ffffff", ""))),
    )  # fmt: skip
    figure, axes = plotly_figure(chart), matplotlib_axes(chart)
    axes.figure.canvas.draw()
    bars = figure.data[0]
    assert (bars.error_y.array, bars.error_y.arrayminus) == ((2.0, 2.0), (1.0, 1.0))
    assert (bars.error_x.array, bars.error_x.arrayminus) == ((0.0, 0.0), (0.5, 0.5))
    assert figure.data[2].line.shape == "hv"
    assert figure.layout.title.text == "cost in $ and $, &lt;b&gt;bold&lt;/b&gt;"
    assert figure.data[1].text == ("&lt;p&gt;", "q")
    assert [a.text for a in figure.layout.annotations] == ["one<br>two", "&lt;b&gt;"]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.ticktext[1].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert axes.get_xscale() == "log"
    assert "cost in $ and $, &lt;b&gt;bold" in chart_svg(chart)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [" _told"]


@pytest.mark.parametrize("name", ["\U0001f600 \u65e5\u672c", "$\\frac{$", "\x00\x07\n", "_", "k" * 3000, "<b>&amp;"])
def test_any_name_can_be_drawn(name: str) -> None:
    k = np.arange(30.0)
    chart = BeliefSlice(name, k, k, k - 1, k + 1, k, k, tuple(f"{name} {i}" for i in range(30)), label=name).chart()
    drawing = chart_svg(chart)
    assert drawing.count("<svg") == drawing.count("</svg>") == 1
    assert escape(chart.title) in drawing  # whole for who cannot see the picture
    axes = matplotlib_axes(chart)
    assert len(axes.get_xticklabels()) == 15
    assert plotly_figure(chart).layout.title.text == escape(chart.title, quote=False)


def test_small_numbers_stay_in_the_drawing() -> None:
    x = np.array([0.00012, 0.00048])
    drawing = chart_svg(Chart("small", "numbers", Axis(), Axis(), (Line(x, x),)))
    assert re.search(r">0\.0004\d*<", drawing)
    assert not re.search(r'[ "]-?\d+\.\d{3,}', re.sub(r">[^<]*<", "><", drawing))  # coordinates are rounded
    assert drawing == chart_svg(Chart("small", "numbers", Axis(), Axis(), (Line(x, x),)))
    ids = re.findall(r' id="([^"]+)"', drawing)
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("s") for one in ids)


@pytest.mark.parametrize("ends", [(2.0, 90.0), (1e-4, 1.0)])
def test_logarithmic_axes_have_ticks_that_can_be_read(ends: tuple[float, float]) -> None:
    x = np.array(ends)
    axes = matplotlib_axes(Chart("", "", Axis(log=True), Axis(), (Line(x, x),)))
    axes.figure.canvas.draw()
    names = [t.get_text() for t in axes.get_xticklabels() if t.get_text()]
    shown = [n for n, at in zip(names, axes.get_xticks(), strict=True) if ends[0] <= at <= ends[1]]
    assert shown == (["2", "5", "10", "20", "50"] if ends[0] == 2.0 else shown)
    assert 2 < len(shown) < 8
    assert not any(t.get_text() for t in axes.get_xticklabels(minor=True))


def test_what_is_drawn_together_has_one_length() -> None:
    with pytest.raises(InvalidDataError, match=r"must have one length, but got \[2, 3\]: give one value a point"):
        Line(np.zeros(2), np.zeros(3))


def test_without_plotly_the_remedy_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingDependencyError, match=r"this picture needs plotly: pip install 'foretell\[plot\]', or"):
        visualization.plot_importances(PICTURES["plot_importances"])


# the values


def test_predictions_turn_with_the_direction() -> None:
    truth, posterior = np.array([1.0, np.nan, 3.0]), GaussianPosterior(np.array([1.0, 2.0, 0.0]), np.full(3, 2.0))
    up, down = (PredictedAgainstTrue.of(truth, posterior, sign=sign) for sign in (1.0, -1.0))
    assert up.truth.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(up.high - up.mean, 2 * 1.6448536269514722)
    np.testing.assert_allclose((down.truth, down.low, down.high), (-up.truth, -up.high, -up.low))
    assert up.tau == down.tau == -1.0
    assert up.coverage == 1.0
    with pytest.raises(InvalidDataError, match="one prediction a target is needed, but got 3 and 1"):
        PredictedAgainstTrue.of(np.zeros(1), posterior)


def test_calibration_of_the_true_distribution_is_the_diagonal() -> None:
    from scipy.special import ndtri

    n = 400
    truth = 3 + 2 * ndtri((np.arange(n) + 0.5) / n)
    found = Calibration.of(truth, GaussianPosterior(np.full(n, 3.0), np.full(n, 2.0)))
    np.testing.assert_allclose(found.shares, found.levels, atol=1 / n)
    low, high = found.chance()
    assert ((low <= found.shares) & (found.shares <= high)).all()
    narrow = Calibration.of(truth, GaussianPosterior(np.full(n, 3.0), np.full(n, 0.5)))
    assert (narrow.shares < narrow.chance()[0]).all()
    assert narrow.error > 0.2 > 0.01 > found.error
    with pytest.raises(InvalidDataError, match="one prediction a target is needed, but got 1 and 2"):
        Calibration.of(np.zeros(2), GaussianPosterior(np.zeros(1), np.ones(1)))


def test_a_slice_is_that_of_the_surface(surface: ResponseSurface) -> None:
    points, belief = surface.slice("lr")
    found = BeliefSlice.of(surface, "lr", sign=-1.0, label="loss")
    np.testing.assert_array_equal(found.points, points)
    np.testing.assert_array_equal(found.mean, -belief.mean)
    np.testing.assert_array_equal(found.low, -belief.high)
    assert found.log
    assert len(found.tried) == 12
    assert found.targets.min() == -surface.values.max()
    choices = BeliefSlice.of(surface, "act", most=5)
    assert choices.choices == ("relu", "tanh")
    assert set(choices.tried) <= {0.0, 1.0}
    assert len(choices.tried) == 5
    assert "lowest at tanh" in choices.chart().description


def test_held_out_beliefs_are_the_same_by_both_ways(surface: ResponseSurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.response_surface._FOLDS", 2)
    belief, posterior = surface.held_out(), surface.held_out_posterior()
    np.testing.assert_array_equal(belief.mean, posterior.mean)
    np.testing.assert_array_equal(belief.high, posterior.quantile(0.95))
    assert (posterior.std > 0).all()
    draws = posterior.sample(400, seed=0)
    assert draws.shape == (400, 12)
    assert (np.abs(draws.mean(axis=0) - posterior.mean) < 5 * posterior.std / 20).all()
    with pytest.raises(InvalidDataError, match=r"every row must be in one part, but got \[0, 2\]"):
        FoldedPosterior(((np.array([0, 2]), GaussianPosterior(np.zeros(2), np.ones(2))),))


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.sampled_from([1.0, -1.0]))
def test_the_best_so_far(values: list[float], sign: float) -> None:
    found = History.of(np.array(values), sign=sign)
    best = np.maximum.accumulate(values)
    for trial in range(len(values)):
        corner = np.searchsorted(found.corners, trial, side="right") - 1
        assert found.best[corner] == sign * best[trial]
    assert (found.sign * found.targets).tolist() == values


def test_motifs_are_the_best_and_the_worst() -> None:
    many = [motif(f"m{i}", float(i)) for i in range(10)]
    assert MotifEffects.of(many, most=5).names == ("m9", "m8", "m2", "m1", "m0")
    cells = [Motif("a", 1.0, "u", 1, 1, cell, ("c",), WeisfeilerLehman()) for cell in (1, 2)]
    assert MotifEffects.of(cells).names == ("cell 1: a", "cell 2: a")
    assert MotifEffects.of(cells[:1]).names == ("a",)


def test_the_plane_of_three_centroids_keeps_their_distances() -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    corners = np.array([[0.0, 0, 0, 0, 0], [3, 0, 0, 0, 0], [0, 4, 0, 0, 0]])
    centroids = corners @ rotation + 7
    off = rotation[2] * 9  # leaves the plane
    found = ClusterMembership.project(centroids + off, centroids, np.eye(3) * 0.5 + 0.5 / 3)
    away = np.linalg.norm(found.centroids[:, None] - found.centroids, axis=2)
    np.testing.assert_allclose(np.sort(away[np.triu_indices(3, 1)]), [3, 4, 5])
    np.testing.assert_allclose(found.places, found.centroids, atol=1e-9)
    np.testing.assert_allclose(found.shares, 1 / 3)
    assert ClusterMembership.project(np.ones((2, 1)), np.zeros((1, 1)), np.ones((2, 1))).places.shape == (2, 2)


def test_a_pretrained_model_says_where_a_family_lies() -> None:
    from foretell import Predictor

    model = Predictor.from_pretrained("gennape-nb101")
    graphs = [nasbench201.graph(spec) for spec in ((2, 0, 0, 2, 0, 2), (3, 3, 3, 3, 3, 3))]
    found = ClusterMembership.of(model, graphs, family="NAS-Bench-201")
    expected = model.clustering.memberships(model.fold(graphs)[0])
    np.testing.assert_allclose(found.memberships, expected)
    assert found.shares.sum() == pytest.approx(1)
    assert found.chart().title == "Clusters of NAS-Bench-201"


def test_a_forecast_is_that_of_the_rule() -> None:
    curve = FINISHED[1].curve[:4]
    found = CurveForecast.of(FINISHED, curve)
    belief = CurveRule().final_value(FINISHED, curve)
    np.testing.assert_allclose(found.bands[:, -1], [belief.quantile(q) for q in (0.05, 0.25, 0.5, 0.75, 0.95)])
    assert found.chance == belief.exceeds(FINISHED[-1].final)
    assert (found.ahead[0], found.ahead[-1]) == (4.0, 10.0)
    assert set(found.bands[:, 0]) == {curve[-1][1]}
    assert (np.diff(found.bands, axis=0) >= 0).all()
    turned = CurveForecast.of(FINISHED, curve, sign=-1.0)
    np.testing.assert_allclose(turned.bands, -found.bands[::-1])
    assert turned.best == -found.best
    assert found.ahead[8] == 7.0
    cut = CurveRule().final_value([FinishedRun(run.curve[:7], run.curve[6][1]) for run in FINISHED], curve)
    np.testing.assert_allclose(found.bands[2, 8], cut.location)  # as if all runs had ended there
    assert not len(CurveForecast.of(FINISHED, FINISHED[0].curve).ahead)  # at its end already


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_the_front_is_what_none_beats(points: list[tuple[int, int]]) -> None:
    values = np.array(points, dtype=float).reshape(-1, 2)
    front = values[front_rows(values)]
    beaten = [any((o >= v).all() and (o > v).any() for o in values) for v in values]
    assert {tuple(v) for v in front} == {tuple(v) for v, b in zip(values, beaten, strict=True) if not b}


def test_the_front_that_is_believed_in(surface: ResponseSurface) -> None:
    both = believed_on_both(surface, surface, n=8)
    assert len(both[0].mean) == 20
    values = np.column_stack([surface.values, surface.values])
    found = ParetoFront.of(values, both, signs=(1.0, -1.0), labels=("a", "b"))
    assert len(found.front) == len(found.mean) == 1  # twice the same objective
    assert found.mean[0, 0] == both[0].mean.max() == -found.mean[0, 1]
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()
    with pytest.raises(InvalidDataError, match=r"has two objectives, but got values of shape \(3, 1\)"):
        ParetoFront.of(np.zeros((3, 1)))


def test_costs_add_up_and_the_best_is_kept() -> None:
    rng = np.random.default_rng(0)
    runs = [
        [(float(c), float(v)) for c, v in zip(rng.integers(1, 4, 6), rng.normal(size=6), strict=True)] for _ in "abc"
    ]
    runs[0][0] = (1.0, float("nan"))
    (found,) = CostComparison.of({"s": runs}, sign=-1.0).samplers
    for cost, median in zip(found.cost.tolist(), found.median.tolist(), strict=True):
        reached = []
        for one in runs:
            spent = np.cumsum([c for c, _ in one])
            reached.append(max(v for s, (_, v) in zip(spent, one, strict=True) if s <= cost and np.isfinite(v)))
        assert median == -np.median(reached)
    assert found.cost[-1] == min(sum(c for c, _ in one) for one in runs)
    assert (found.low <= found.median).all()
    with pytest.raises(InvalidDataError, match="a cost must be finite and not negative, but 's' has another"):
        CostComparison.of({"s": [[(-1.0, 0.0)]]})


def test_a_network_is_drawn_from_the_input_down() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    graph = ComputationGraph.from_module(net, torch.zeros(1, 4))
    found = NetworkDrawing.of(graph)
    assert found.texts[0].startswith("Input\n")
    assert found.y.tolist() == [-float(level) for level in graph.levels]
    np.testing.assert_array_equal(found.edges, graph.edges)
    folded = PICTURES["plot_network"]
    assert [times for _, _, times in folded.blocks] == [5, 5, 5]
    assert len(folded.x) < len(NetworkDrawing.of(nasbench201.graph((2, 0, 0, 2, 0, 2)), folded=False).x)
    nodes = [Node("ReLU", (1, 1, 1), (1, 1, 1))] * 2001
    with pytest.raises(InvalidArchitectureError, match="at most 2000 nodes, but got 2001: draw a part"):
        NetworkDrawing.of(ComputationGraph.from_nodes(nodes, []), folded=False)
