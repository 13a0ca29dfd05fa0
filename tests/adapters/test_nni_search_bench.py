"""`foretell bench nni-search`: NNI's strategies and ours, asking the same table through NNI's engine."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING

import pytest
from numpy.random import RandomState

from foretell.benchmarks.runner import Cell
from foretell.capture import nasbench201

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nni.nas meets torch newer than it knows
    from nni.nas.hub.pytorch import NasBench201

from foretell_adapters.nni.table_search import NniSearch, cell_of, search

if TYPE_CHECKING:
    from pathlib import Path

CELLS = list(itertools.product(range(5), repeat=6))


def test_a_sample_of_the_hub_is_the_cell_that_its_network_shows() -> None:
    space = NasBench201(stem_out_channels=1, num_modules_per_stack=1)
    cells = set()
    for seed in range(4):
        sample: dict[str, str] = {}
        space.random(memo=sample, random_state=RandomState(seed))
        cell = cell_of(sample)
        assert nasbench201.parse(cell) == cell
        cells.add(cell)
        assert sum(op == "conv_3x3" for op in sample.values()) == cell.count(2)
        assert sum(op == "none" for op in sample.values()) == cell.count(1)
    assert len(cells) == 4


@pytest.mark.parametrize("method", NniSearch.methods)
def test_every_method_asks_the_table_as_often_as_it_may(method: str) -> None:
    accuracy = {cell: 1.0 + cell.count(2) for cell in CELLS}
    asked: list[float] = []
    search(method, 0, accuracy, asked, 12)
    assert len(asked) == 12
    assert set(asked) <= set(accuracy.values())


def test_regret_on_the_real_table(foretell_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_DATA", str(foretell_data))
    bench = NniSearch()
    assert (
        len(bench.cells(bench.methods, 10, quick=False)) == 2 * len(bench.cells(bench.methods, 10, quick=True)) == 100
    )
    found = bench.measure(Cell("evolution-20", "nasbench201", "cifar10", None, 0))
    assert found["regret@20"][0] >= found["regret@50"][0] >= found["regret@100"][0] >= 0
    assert found["regret@100"][1] == "%"
