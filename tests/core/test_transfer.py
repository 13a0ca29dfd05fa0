"""`foretell bench transfer` on a few networks with made-up accuracies: what is ranked, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import Predictor
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.transfer import Transfer, _Loaded
from foretell.capture import nasbench201
from foretell.metrics import spearman_rho


@pytest.fixture(scope="module")
def bench() -> Transfer:
    gennape = Predictor.from_pretrained("gennape-nb101")
    rng = np.random.default_rng(0)
    cells = [nasbench201.sample(rng) for _ in range(70)]
    graphs, gflops = gennape.fold([nasbench201.graph(cell) for cell in cells])
    accuracy = 0.5 + 0.4 * rng.random(70)
    complete = np.array([1 not in cell for cell in cells])
    columns = {"params": gflops, "naswot": np.where(np.arange(70) < 5, -np.inf, accuracy), "flops": gflops}
    return Transfer(_loaded=_Loaded(gennape, graphs, gflops, accuracy, complete, columns))


def test_all_methods_are_measured_with_labels_and_without(bench: Transfer):
    cells = bench.cells(bench.methods, 2, quick=False)
    assert {cell.n for cell in cells} == {0, 50}
    assert {cell.n for cell in bench.cells(bench.methods, 2, quick=True)} == {0}
    for method in ("gennape", "params"):
        found = bench.measure(Cell(method, "nasbench201", "cifar10", 50, 1))
        assert -1.0 <= found["rho"][0] <= 1.0
        assert ("fit" in found) == (method == "gennape")


def test_infinite_columns_and_cells_with_none_are_left_out(bench: Transfer):
    loaded = bench._loaded
    assert bench.measure(Cell("naswot", "nasbench201", "cifar10", 0))["rho"] == (pytest.approx(1.0), "")
    found = bench.measure(Cell("flops", "nasbench201-without-none", "cifar10", 0))["rho"][0]
    assert found == pytest.approx(spearman_rho(loaded.accuracy[loaded.complete], loaded.gflops[loaded.complete]))


@pytest.mark.filterwarnings("ignore:most of these networks lie outside")
def test_without_labels_the_ensemble_votes_as_it_does_for_users(bench: Transfer):
    loaded = bench._loaded
    assert loaded is not None
    votes = loaded.gennape.vote(loaded.gennape.folded_scores(loaded.graphs, loaded.gflops))
    for method in ("gennape", "equal-votes"):
        found = bench.measure(Cell(method, "nasbench201", "cifar10", 0))["rho"][0]
        assert found == pytest.approx(spearman_rho(loaded.accuracy, votes))
