"""Motifs that help and hurt: the closed-form gradient against finite differences, planted motifs, and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from foretell.benchmarks.tables import load_201
from foretell.candidate import Candidate
from foretell.capture import nasbench201, nasbench301
from foretell.encoders import GraphStatistics, OfCells, WeisfeilerLehman
from foretell.errors import InvalidDataError, NotFittedError
from foretell.explain import motif_differences, motif_gradients, motif_removals
from foretell.predictor import Predictor
from foretell.surrogates import ExtraTrees, GaussianProcess

EACH = pytest.mark.parametrize("effects", [motif_gradients, motif_removals, motif_differences])


def cells(n: int, seed: int = 0) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [Candidate(cells=nasbench201.cells(nasbench201.sample(rng))) for _ in range(n)]


def target(items: list[Candidate]) -> list[float]:
    """3x3 convolutions help, poolings hurt."""
    counts = [c.cells[0].op_counts() | {"3": int((c.cells[0].kernel[:, 0] == 3).sum())} for c in items]
    return [c["3"] - 2.5 * c.get("AvgPool", 0) for c in counts]


@pytest.fixture(scope="module")
def known() -> list[Candidate]:
    return cells(50)


@pytest.fixture(scope="module")
def predictor(known: list[Candidate]) -> Predictor:
    return Predictor.preset("nas-bowl").fit(known, target(known))


@pytest.mark.parametrize("d", [1, 3, 40])
def test_gradient_of_the_process_equals_finite_differences(d: int) -> None:
    rng = np.random.default_rng(d)
    X, new, groups = rng.standard_normal((30, d)), rng.standard_normal((4, d)), ["a"] + ["b"] * (d - 1)
    fitted = GaussianProcess(length_scale=1.4).fit(X, np.sin(X).sum(axis=1), groups)
    found, h = fitted.mean_gradient(new), 1e-5
    for j in range(d):
        step = h * np.eye(d)[j]
        numeric = (fitted.predict(new + step).mean - fitted.predict(new - step).mean) / (2 * h)
        np.testing.assert_allclose(found[:, j], numeric, atol=1e-6)


def test_gradient_without_columns() -> None:
    fitted = GaussianProcess().fit(np.empty((5, 0)), np.arange(5.0), ())
    assert fitted.mean_gradient(np.empty((3, 0))).shape == (3, 0)


def test_gradients_are_the_change_by_one_more_with_the_length_held(
    predictor: Predictor, known: list[Candidate]
) -> None:
    """Through encoder and scaler, by finite differences of the latent mean."""
    fitted, rows = predictor.fitted, predictor.encode(known)
    lengths = np.array([np.linalg.norm([len(v) for v in WeisfeilerLehman().roots(c.cells[0]).values()]) for c in known])
    for motif in motif_gradients(predictor, known)[:5]:
        h, j = 1e-5, [rows.names.index(column) for column in motif.columns]
        shifted = [rows.values.copy() for _ in range(2)]
        for sign, values in zip((1, -1), shifted, strict=True):
            values[:, j] += sign * h / lengths[:, None]
        up, down = (fitted.surrogate.predict(fitted.scaler.transform(replace(rows, values=v))).mean for v in shifted)
        assert motif.effect == pytest.approx(((up - down) / (2 * h)).mean(), abs=1e-6)


@EACH
def test_what_was_planted_is_found(effects, predictor: Predictor, known: list[Candidate]) -> None:
    motifs = effects(predictor, known)
    found = {m.text: m.effect for m in motifs}
    assert len(found) == len(motifs)
    assert found["Conv3x3"] > 0 > found["AvgPool3x3"]
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_numbers_and_places(predictor: Predictor, known: list[Candidate]) -> None:
    motif = next(m for m in motif_gradients(predictor, known) if m.text == "Conv3x3")
    counts = [int(((c.cells[0].kernel[:, 0] == 3) & (c.cells[0].op == 3)).sum()) for c in known]
    assert (motif.networks, motif.occurrences) == (np.count_nonzero(counts), sum(counts))
    where = motif.nodes(known[0])
    assert len(where) == counts[0]
    assert all(known[0].cells[0].nodes[i].op == "Conv" for i in where)
    assert motif.nodes(Candidate()) == ()


def test_differences_are_those_of_means(predictor: Predictor, known: list[Candidate]) -> None:
    motif = motif_differences(predictor, known)[0]
    mean, has = predictor.predict(known).mean, np.array([bool(motif.nodes(c)) for c in known])
    assert motif.effect == pytest.approx(mean[has].mean() - mean[~has].mean())


def test_removals_set_one_column_to_zero(predictor: Predictor, known: list[Candidate]) -> None:
    motif = motif_removals(predictor, known)[0]
    rows = predictor.encode([c for c in known if motif.nodes(c)])
    values = rows.values.copy()
    values[:, [rows.names.index(column) for column in motif.columns]] = 0.0
    lost = predictor.predict_encoding(rows).mean - predictor.predict_encoding(replace(rows, values=values)).mean
    assert motif.effect == pytest.approx(lost.mean())


def test_beside_other_columns_and_with_two_cells_and_gaps() -> None:
    rng = np.random.default_rng(0)
    specs = [nasbench301.sample(rng) for _ in range(12)]
    known = [Candidate(nasbench301.graph(s), cells=nasbench301.cells(s)) for s in specs]
    encoders = (GraphStatistics(), OfCells(WeisfeilerLehman(depth=1)), WeisfeilerLehman(depth=0))
    predictor = Predictor(encoders, ExtraTrees(n_trees=5)).fit(known, np.arange(12.0))
    found = motif_removals(predictor, [*known, Candidate(known[0].graph)])  # without cells: the network is the first
    assert {m.cell for m in found} == {0, 1, None}
    for motif in found:
        assert any(motif.nodes(c) for c in known) or motif.cell == 0
        assert not any(": " in column for column in motif.columns)
    stride = next(m for m in found if m.cell == 1 and m.text.endswith("/2"))
    assert stride.nodes(known[0]) or stride.networks < 12


@EACH
def test_refusals(effects, predictor: Predictor) -> None:
    with pytest.raises(InvalidDataError, match="averages over networks, but got none"):
        effects(predictor, [])
    with pytest.raises(NotFittedError):
        effects(Predictor.preset("nas-bowl"), cells(2))
    graphs = [Candidate(c.cells[0]) for c in cells(4)]
    other = Predictor((GraphStatistics(),)).fit(graphs, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(InvalidDataError, match="motifs need weisfeiler_lehman among the encoders"):
        effects(other, graphs)


def test_gradients_need_a_process() -> None:
    known = cells(6)
    predictor = Predictor((OfCells(WeisfeilerLehman(), 1),), ExtraTrees(n_trees=3)).fit(known, np.arange(6.0))
    with pytest.raises(InvalidDataError, match="need a Gaussian process"):
        motif_gradients(predictor, known)


def test_on_nasbench201_effects_agree_with_true_differences(foretell_data: Path) -> None:
    pytest.importorskip("pyarrow")
    table = load_201()
    rows = np.random.default_rng(0).permutation(len(table))[:2000]
    items = [Candidate(cells=table.cells(table.specs[i])) for i in rows]
    truth = table.targets["cifar10"][rows]
    predictor = Predictor.preset("nas-bowl").fit(items[:100], truth[:100])
    gradients, differences = motif_gradients(predictor, items[:100]), motif_differences(predictor, items)
    has = predictor.encode(items).values > 0
    names = predictor.encode(items[:1]).names
    for found, least in ((gradients, 0.3), (differences, 0.8)):
        common = [m for m in found if 10 <= has[:100, names.index(m.columns[0])].sum() <= 98]
        real = [truth[h].mean() - truth[~h].mean() for m in common for h in [has[:, names.index(m.columns[0])]]]
        assert spearmanr([m.effect for m in common], real).statistic > least
