"""The benchmark of searches from good cells: on a small table that is made here."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from foretell.benchmarks import graph_search, tables
from foretell.benchmarks.graph_search import GraphSearch, Reach
from foretell.benchmarks.runner import Cell
from foretell.capture import nasbench201


def small_table() -> tables.Table:
    """64 cells of NAS-Bench-201 with skip, 3x3 and none; wider is better, but a skip on the long way is worth more."""
    specs = [tuple(spec) for spec in product((0, 2), repeat=6)]
    target = np.array([spec.count(2) + 2.5 * (spec[2] == 0) for spec in specs], dtype=np.float64)
    return tables.Table(
        "nasbench201", specs, lambda spec: nasbench201.graph(spec, channels=4, cells=1), {"cifar10": target},
        nasbench201.cells,
    )  # fmt: skip


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> GraphSearch:
    monkeypatch.setattr(graph_search, "TABLES", {"nasbench201": small_table})
    monkeypatch.setattr(graph_search, "_STARTS", 1)
    return GraphSearch()


def test_shares_grow_with_what_is_trained_and_repeat(bench: GraphSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_search, "_QUERIES", 12)
    monkeypatch.setattr(graph_search, "_MORE", 4)
    monkeypatch.setattr(graph_search, "_TRAINED", 2)
    for method in bench.methods:
        cell = Cell(method, "nasbench201", "cifar10", 10, 0)
        found = {name: value for name, (value, _) in bench.measure(cell).items()}
        shares = [found[f"share@{k}"] for k in (0, 1, 3, 10, "all")]
        assert shares == sorted(shares)
        assert all(0 <= found[f"saved@{k}"] <= found["saved@all"] <= 1 for k in (0, 1, 3, 10))
        if method == "random":
            assert {name: value for name, (value, _) in bench.measure(cell).items()} == found


def test_neighbours_differ_by_one_operator() -> None:
    table = small_table()
    reach = Reach(table)
    rng = np.random.default_rng(0)
    met = {reach.propose(0, rng)[1] for _ in range(200)}
    assert {sum(a != b for a, b in zip(table.specs[row], table.specs[0], strict=True)) for row in met} == {1}
    assert len(met) == 6
    assert reach.flops(0) == table.build(table.specs[0]).flops


def test_cells_of_quick_are_one_family() -> None:
    assert {c.family for c in GraphSearch().cells(["random"], 2, quick=True)} == {"transnasbench101"}
