"""Zero-shot: the benchmark on small tables equals doing it by hand, and votes of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.zero_shot import ZeroShot
from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau, spearman_rho
from foretell.pretraining.rank_vote import rank_vote
from foretell.pretraining.transferable import any_family


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ZeroShot:
    """Two small tables of made-up accuracies, which count operators."""
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    for family, file, k, acc in (
        ("nasbench201", "nb201", 5, (0.3, -1, 3, 2, 0)),
        ("transnasbench101", "tnb101_micro", 4, (-1, 0.3, 2, 3)),
    ):
        specs = [tuple(map(int, rng.integers(k, size=6))) for _ in range(40)]
        y = [70.0 + sum(acc[op] for op in s) for s in specs]
        names = ["net", "cifar10_test_acc_200ep", "cifar100_test_acc_200ep"]
        if family == "transnasbench101":
            names = ["arch", "class_scene", "jigsaw", "autoencoder", "room_layout"]
        (tmp_path / family).mkdir()
        columns = {name: list(map(str, specs)) if name in {"net", "arch"} else y for name in names}
        parquet.write_table(pyarrow.table(columns), tmp_path / family / f"{file}.parquet")
    return ZeroShot()


def test_figures_equal_fitting_by_hand(bench: ZeroShot) -> None:
    found = bench.measure(Cell("transnasbench101", "nasbench201", "cifar10", seed=0))
    source, target = bench._table("transnasbench101"), bench._table("nasbench201")
    known = np.random.default_rng(0).permutation(40)
    predictor = any_family().fit([source.candidate(int(i)) for i in known], source.targets["class_scene"][known])
    guess = predictor.predict([target.candidate(i) for i in range(40)]).mean
    truth = target.targets["cifar10"]
    assert found["rho"][0] == pytest.approx(spearman_rho(truth, guess))
    assert found["tau"][0] == pytest.approx(kendall_tau(truth, guess))
    whole = np.array([1 not in spec for spec in target.specs])
    assert found["rho connected"][0] == pytest.approx(spearman_rho(truth[whole], guess[whole]))


def test_sizes_are_measured_beside(bench: ZeroShot) -> None:
    found = bench.measure(Cell("params", "nasbench201", "cifar10"))
    table = bench._table("nasbench201")
    params = [table.build(spec).params for spec in table.specs]
    assert found["rho"][0] == pytest.approx(spearman_rho(table.targets["cifar10"], np.array(params, dtype=float)))


def test_nothing_is_measured_on_what_it_learnt() -> None:
    cells = ZeroShot().cells(ZeroShot().methods, 2, quick=False)
    assert len(cells) == len(set(cells))
    assert all(cell.method != cell.family for cell in cells)
    assert {cell.family for cell in ZeroShot().cells(["params"], 2, quick=True)} == {"nasbench301"}


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=20))
def test_a_vote_sees_ranks_alone(values: list[int]) -> None:
    scores = np.array(values, dtype=float)
    np.testing.assert_allclose(rank_vote({"a": scores, "b": scores}), rank_vote({"a": np.exp(scores)}))


def test_a_vote_needs_scores_of_the_same_networks() -> None:
    for scores in ({}, {"a": np.zeros(2), "b": np.zeros(3)}):
        with pytest.raises(InvalidDataError, match=r"at least one, but got .*: score every network"):
            rank_vote(scores)
