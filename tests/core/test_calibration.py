"""The calibration benchmark on a small table: the same coverage as the protocol's, and a search's intervals by hand."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from foretell.benchmarks import searched_tables
from foretell.benchmarks.calibration import Calibration
from foretell.benchmarks.protocol import scores, split
from foretell.benchmarks.runner import Cell, Measurement, medians
from foretell.benchmarks.searched_tables import SearchedTables
from foretell.benchmarks.tables import Table
from foretell.capture import nasbench201
from foretell.encoders import OperatorStatistics
from foretell.predictor import Predictor
from foretell.surrogates import GaussianProcess
from foretell.tracked_intervals import TrackedIntervals


def small_table() -> Table:
    """64 cells of NAS-Bench-201; the target is a sum over operators with much noise."""
    rng = np.random.default_rng(3)
    specs = [tuple(int(d) for d in row) for row in rng.integers(0, 5, (64, 6))]
    target = np.array([sum(s) for s in specs]) + rng.standard_t(2, 64)
    return Table("nasbench201", specs, nasbench201.graph, {"cifar10": target}, nasbench201.cells)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found = small_table()
    monkeypatch.setattr(searched_tables, "TABLES", {"nasbench201": lambda: found})
    return found


def test_coverage_on_a_random_draw_is_that_of_the_protocol(table: Table) -> None:
    found = Calibration().measure(Cell("gp", "nasbench201", "cifar10", 20, 1))
    rows = split("nasbench201", 64, 20, 1)
    predictor = Predictor((OperatorStatistics(),), GaussianProcess(length_scale=1.4))
    truth = table.targets["cifar10"]
    posterior = predictor.fit([table.candidate(i) for i in rows.train], truth[rows.train]).predict(
        [table.candidate(i) for i in rows.test]
    )
    assert found["coverage90"][0] == scores(posterior, truth[rows.test])["coverage90"][0]
    assert found["width90"][0] == pytest.approx(np.mean(posterior.quantile(0.95) - posterior.quantile(0.05)))


def test_intervals_along_a_search_are_stated_before_the_target_is_known() -> None:
    found = Calibration().measure(Cell("gp", "nasbench201", "cifar10", None, 0))
    assert {name.split("@")[1] for name in found} == {"20-49", "50-99"}  # the table ends at 64
    steps = list(islice(SearchedTables(Calibration()._tables.predictors).steps("gp", "nasbench201", "cifar10", 0), 50))
    own, intervals, tracked = [], TrackedIntervals(), []
    for step in steps[10:]:
        assert step.posterior is not None
        for posterior, into in ((step.posterior, own), (intervals.of(step.posterior), tracked)):
            into.append(posterior.quantile(0.05)[0] <= step.value <= posterior.quantile(0.95)[0])
        intervals = intervals.after(step.posterior, np.array([step.value]))
    assert found["coverage90@20-49"][0] == pytest.approx(np.mean(own[10:]))
    assert found["tracked coverage90@20-49"][0] == pytest.approx(np.mean(tracked[10:]))


def test_seeds_are_averaged_by_their_mean() -> None:
    rows = [
        Measurement("calibration", "gp", "f", None, 20, s, "coverage90", v, "", "0") for s, v in enumerate((1, 1, 0.4))
    ]
    assert medians(rows, Calibration().average)[0][2] == pytest.approx(0.8)
    assert medians(rows)[0][2] == 1.0


def test_cells() -> None:
    bench = Calibration()
    assert {c.n for c in bench.cells(["gp"], 1, quick=False)} == {20, 50, 100, 400, None}
    assert {c.n for c in bench.cells(["gp"], 1, quick=True)} == {20, 50}
