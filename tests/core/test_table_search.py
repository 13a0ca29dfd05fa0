"""Search in a table: on a small one that is made here; neighbours of real cells by their fingerprints."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from foretell.benchmarks import searched_tables, tables
from foretell.benchmarks.nasbench101_neighbours import Neighbours101, edits
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.table_search import TableSearch
from foretell.capture import nasbench101, nasbench201

DATA = Path(os.environ.get("FORETELL_DATA", "../shared/data"))


def small_table() -> tables.Table:
    """60 cells of NAS-Bench-201; the target is how many 3x3 convolutions a network has, and a little noise."""
    rng = np.random.default_rng(3)
    specs = [tuple(int(d) for d in row) for row in rng.integers(0, 5, (60, 6))]
    convs = np.array([sum(n.op == "Conv" and n.kernel == (3, 3) for n in nasbench201.graph(s).nodes) for s in specs])
    target = convs + 0.01 * rng.standard_normal(60)
    return tables.Table("nasbench201", specs, nasbench201.graph, {"cifar10": target}, nasbench201.cells)


def test_a_search_finds_the_best_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched_tables, "TABLES", {"nasbench201": small_table})
    bench = TableSearch()
    found = [bench.measure(Cell(m, "nasbench201", "cifar10", None, 0)) for m in ("nas-bowl", "random")]
    assert all(1 <= f["queries"][0] <= 60 for f in found)  # no row is asked twice
    assert found[0]["queries"][0] <= found[1]["queries"][0]
    regrets = [[f[f"regret@{k}"][0] for k in (20, 50, 100, 150)] for f in found]
    assert all(r == sorted(r, reverse=True) and r[-1] == 0.0 for r in regrets)
    again = TableSearch().measure(Cell("nas-bowl", "nasbench201", "cifar10", None, 0))
    assert again == found[0]


def test_the_first_ten_are_those_of_random_search(monkeypatch: pytest.MonkeyPatch) -> None:
    table = small_table()
    table.targets["cifar10"][np.random.default_rng(5).permutation(60)[3]] = 1e3  # the fourth that is drawn
    monkeypatch.setattr(searched_tables, "TABLES", {"nasbench201": lambda: table})
    bench = TableSearch()
    assert [bench.measure(Cell(m, "nasbench201", "cifar10", None, 5))["queries"][0] for m in ("nas-bowl", "random")] \
        == [4.0, 4.0]  # fmt: skip


def test_cells_of_quick_are_one_task() -> None:
    assert {(c.family, c.task) for c in TableSearch().cells(["random"], 2, quick=True)} == {("nasbench201", "cifar10")}


def test_edits_of_a_chain_by_hand() -> None:
    chain = ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    found = list(edits(chain))
    assert len(found) == 3 + 2 + 3 * 3  # edges flipped, operators changed, a vertex put before the second of a pair
    assert all(len(ops) == len(matrix) == len(matrix[0]) for matrix, ops in found)
    for matrix, ops in found:
        assert not np.tril(matrix).any()
        nasbench101.prune(matrix, ops)
    assert ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], chain[1]) in found


def test_full_cells_do_not_grow() -> None:
    matrix = np.triu(np.ones((7, 7), dtype=int), 1)
    matrix[:, 3:5] = 0
    ops = ["input", *["conv3x3-bn-relu"] * 5, "output"]
    assert all(len(o) == 7 and sum(map(sum, m)) <= 9 for m, o in edits((matrix.tolist(), ops)) if m != matrix.tolist())


def test_neighbours_are_rows_of_edited_cells() -> None:
    if not (DATA / "nasbench101/nb101.npz").is_file():
        pytest.skip(f"needs nasbench101/nb101.npz in FORETELL_DATA (looked in {DATA.resolve()})")
    table = tables.load_101()
    neighbours = Neighbours101(table)
    near = neighbours(1000)
    assert near
    assert 1000 not in near
    edited = {nasbench101.fingerprint(*spec) for spec in edits(table.specs[1000])}
    assert all(nasbench101.fingerprint(*table.specs[row]) in edited for row in near)
    back = [1000 in neighbours(row) for row in near if len(table.specs[row][1]) == len(table.specs[1000][1])]
    assert np.mean(back) > 0.7  # an edit that kills a vertex has no way back
