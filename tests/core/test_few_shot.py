"""The accuracy benchmark on a small table: the same figures as fitting by hand, each architecture encoded once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from scipy import stats

from foretell.benchmarks import protocol
from foretell.benchmarks.few_shot import FewShot
from foretell.benchmarks.protocol import SIZES, scores, split
from foretell.benchmarks.runner import Cell, Measurement, read, run
from foretell.benchmarks.tables import Table
from foretell.benchmarks.unknowing import unknowing
from foretell.capture import nasbench101, nasbench201
from foretell.presets import PRESETS

ROWS = 60
TIMES = {"fit", "query", "encode"}


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """A table of 60 architectures whose accuracy is a function of their operators."""
    drawn = np.random.default_rng(0).permutation(5**6)[:ROWS]
    found = [tuple((i // 5**k) % 5 for k in range(6)) for i in drawn.tolist()]
    acc = [70.0 + sum((0.3, -1, 3, 2, 0)[op] for op in s) for s in found]
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    (tmp_path / "nasbench201").mkdir()
    columns = {"net": list(map(str, found)), "cifar10_test_acc_200ep": acc, "cifar100_test_acc_200ep": acc[::-1]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "nasbench201" / "nb201.parquet")
    return found


def measured(bench: FewShot, method: str, task: str = "cifar10", n: int = 20, seed: int = 0) -> dict[str, float]:
    found = bench.measure(Cell(method, "nasbench201", task, n, seed))
    return {name: value for name, (value, _) in found.items()}


def without_times(found: dict[str, float]) -> dict[str, float]:
    assert TIMES <= set(found)
    assert all(found[name] >= 0 for name in TIMES)
    return {name: value for name, value in found.items() if name not in TIMES}


@pytest.mark.filterwarnings("ignore:some networks lie outside")
@pytest.mark.parametrize("method", ["foretell", "foretell-pretrained", "graf", "nas-bowl"])
def test_figures_equal_fitting_by_hand(specs: list[tuple[int, ...]], method: str) -> None:
    bench = FewShot()
    found = without_times(measured(bench, method, seed=3))
    table, rows = bench._tables["nasbench201"], split("nasbench201", ROWS, 20, 3)
    truth = table.targets["cifar10"]
    unlearnt = unknowing(PRESETS[method](), "nasbench201")
    predictor = unlearnt.fit([table.candidate(i) for i in rows.train], truth[rows.train])
    posterior = predictor.predict([table.candidate(i) for i in rows.test])
    assert found == pytest.approx({name: value for name, (value, _) in scores(posterior, truth[rows.test]).items()})
    assert found["tau"] > 0.3
    assert 0.5 < found["coverage90"]


def test_for_a_new_task_the_weights_of_the_other_tasks_stay(specs: list[tuple[int, ...]]) -> None:
    bench = FewShot()
    measured(bench, "foretell-pretrained-new-task", "cifar100")
    known = [set(json.loads(key)[-1][1]["without"]) for _, key in bench._encoded]
    assert known == [{"nasbench201.cifar100"}]


@pytest.mark.parametrize(("method", "of"), [("params", "params"), ("flops", "flops")])
def test_baselines_rank_by_size(specs: list[tuple[int, ...]], method: str, of: str) -> None:
    found = measured(FewShot(), method, "cifar100", n=7, seed=2)
    test = split("nasbench201", ROWS, 7, 2).test
    acc = np.array([70.0 + sum((0.3, -1, 3, 2, 0)[op] for op in s) for s in specs[::-1]])[test]
    sizes = [getattr(nasbench201.graph(specs[i]), of) for i in test]
    tau, rho = stats.kendalltau(acc, sizes).statistic, stats.spearmanr(acc, sizes).statistic
    assert found == {"tau": pytest.approx(tau), "rho": pytest.approx(rho)}


def test_each_architecture_is_encoded_once_whatever_is_asked(
    specs: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[int] = Counter()
    candidate = Table.candidate

    def counted(self: Table, row: int) -> Any:
        asked[row] += 1
        return candidate(self, row)

    monkeypatch.setattr(Table, "candidate", counted)
    bench = FewShot()
    first = without_times(measured(bench, "nas-bowl"))
    assert asked == Counter(range(ROWS))
    measured(bench, "nas-bowl", "cifar100", n=11, seed=5)
    assert without_times(measured(bench, "nas-bowl")) == first
    assert asked == Counter(range(ROWS))
    fresh = FewShot()
    measured(fresh, "nas-bowl", n=30, seed=9)  # in another order
    assert without_times(measured(fresh, "nas-bowl")) == pytest.approx(first)


def test_nasbench101_is_tested_on_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    cells = [c for c in (nasbench101.sample(rng) for _ in range(80)) if len(c[1]) == 7][:40]
    codes = {"input": -1, "output": -2, **{op: k for k, op in enumerate(nasbench101.OPERATIONS)}}
    (tmp_path / "nasbench101").mkdir()
    np.savez(
        tmp_path / "nasbench101" / "nb101.npz", adjacency=np.array([m for m, _ in cells], np.uint8),
        ops=np.array([[codes[op] for op in ops] for _, ops in cells], np.int8), n_vertices=np.full(40, 7, np.uint8),
        test_acc_mean=rng.uniform(0.8, 0.9, 40),
    )  # fmt: skip
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    monkeypatch.setattr(protocol, "_TEST_101", 15)
    bench = FewShot()
    found = bench.measure(Cell("params", "nasbench101", "test_acc", 9, 4))
    test = np.sort(np.random.default_rng(101).permutation(40)[:15])
    truth = bench._tables["nasbench101"].targets["test_acc"][test]
    sizes = [nasbench101.graph(*cells[i]).params for i in test]
    assert found["tau"][0] == pytest.approx(stats.kendalltau(truth, sizes).statistic)
    assert 0 <= bench.measure(Cell("nas-bowl", "nasbench101", "test_acc", 9, 4))["coverage90"][0] <= 1


def test_results_are_written_and_not_measured_again(specs: list[tuple[int, ...]], tmp_path: Path) -> None:
    bench, out = FewShot(), tmp_path / "out.jsonl"
    cells = [c for c in bench.cells(["params", "nas-bowl"], 2, quick=True) if c.family == "nasbench201"]
    assert [(c.method, c.n, c.seed) for c in cells] == [(m, 50, s) for m in ("params", "nas-bowl") for s in (0, 1)]
    list(run(bench, cells, out))
    rows = read(out)
    list(run(FewShot(), cells, out))
    assert read(out) == rows
    assert Counter(m.method for m in rows) == {"params": 4, "nas-bowl": 2 * (6 + len(TIMES))}
    assert {m.metric: m.unit for m in rows if m.metric in TIMES} == {"fit": "s", "query": "s", "encode": "ms"}


def names(cells: Sequence[Cell]) -> set[tuple[str | None, str | None, int | None]]:
    return {(c.family, c.task, c.n) for c in cells}


def test_everything_that_is_to_be_measured() -> None:
    bench = FewShot()
    whole, quick = (bench.cells(bench.methods, 3, quick=quick) for quick in (False, True))
    presets = set(PRESETS) - {"baker"}  # which needs learning curves
    assert set(bench.methods) == {"params", "flops", *presets, "foretell-pretrained-new-task"}
    assert len(set(whole)) == len(whole)
    assert names(quick) < names(whole)
    assert names(quick) == {("nasbench201", "cifar10", 50), ("nasbench101", "test_acc", 100),
                            ("transnasbench101", "class_scene", 50), ("nasbench301", "val_acc", 50)}  # fmt: skip
    tasks = {"nasbench201": 2, "nasbench101": 1, "transnasbench101": 4, "nasbench301": 1}
    assert len(whole) == 3 * len(bench.methods) * sum(tasks[family] * len(sizes) for family, sizes in SIZES.items())
    assert Counter(c.seed for c in whole) == dict.fromkeys(range(3), len(whole) // 3)


# what is shown


def rows_of(values: dict[tuple[str, str, int, int, str], float]) -> list[Measurement]:
    return [
        Measurement("few-shot", method, "nasbench201", task, n, seed, metric, value, "", "0")
        for (method, task, n, seed, metric), value in values.items()
    ]


SHOWN = rows_of(
    {
        ("params", "cifar10", 20, 0, "tau"): 0.5, ("graf", "cifar10", 20, 0, "tau"): 0.7,
        ("graf", "cifar10", 20, 1, "tau"): 0.6, ("graf", "cifar10", 50, 0, "tau"): 0.75,
        ("foretell", "cifar100", 50, 0, "tau"): -0.25, ("graf", "cifar10", 20, 0, "fit"): 1.0,
        ("graf", "cifar10", 50, 0, "fit"): 1.5, ("graf", "cifar10", 50, 1, "fit"): 2.5,
        ("graf", "cifar10", 50, 0, "query"): 0.25,
    }
)  # fmt: skip


def test_tables_have_mean_deviation_and_number_of_seeds() -> None:
    lines = FewShot().report(SHOWN)
    assert lines[:7] == [
        "", "Kendall tau, nasbench201 cifar10; mean ± standard deviation (seeds)", "", "| method | 20 | 50 |",
        "|---|---|---|", "| graf | **.650** ± .050 (2) | **.750** (1) |", "| params | .500 (1) |  |",
    ]  # fmt: skip
    assert "| foretell | **-.250** (1) |" in lines
    head, _, times = lines[-3:]
    assert head.startswith("| method | nasbench201: fit, s (n = 50) | nasbench201: rank all others, s (n = 50) |")
    assert times == "| graf | 2 | 0.25 |  |"


def test_curves_have_a_panel_a_task_and_a_line_a_method() -> None:
    figure = FewShot().figure(SHOWN)
    first, second = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["nasbench201 cifar10", "nasbench201 cifar100"]
    lines = {line.get_label(): line for line in first.get_lines()}
    assert set(lines) == {"graf", "params"}
    assert lines["graf"].get_xydata().tolist() == [[20, pytest.approx(0.65)], [50, 0.75]]
    assert lines["params"].get_linestyle() == "--"
    band = first.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (pytest.approx(0.6), pytest.approx(0.75))
    assert FewShot().figure([]).axes == []
