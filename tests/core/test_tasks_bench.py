"""`foretell bench tasks` on a small table of made-up tasks: who sees which label, and what is measured."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

import foretell.benchmarks.tasks as tasks_module
from foretell.aio_p.few_shot import FewShot
from foretell.aio_p.train_adapters import AdapterTraining
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.task_tables import TASK_TABLES, TaskTable
from foretell.benchmarks.tasks import LABELS, TASKS, Draw, Tasks, _Family
from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.metrics import kendall_tau
from foretell.pretraining.objectives import Accuracy

ROWS = 70


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Tasks:
    monkeypatch.setattr(tasks_module, "SOURCES", 30)
    monkeypatch.setattr(tasks_module, "_RESERVED", 12)
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(ROWS)]
    depth = np.array([nasbench201.graph(s).depth for s in specs], dtype=float)
    targets = {name: k * depth + rng.standard_normal(ROWS) for k, name in ((1.0, "a"), (2.0, "b"), (3.0, "c"))}
    table = TaskTable(
        "toys",
        specs,
        lambda s: Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)),
        lambda s, task: nasbench201.graph(s, classes=len(task)),
        targets,
        dict.fromkeys(targets, Accuracy()),
    )
    return Tasks(_families={"toys": _Family(table)})


def test_networks_tested_are_never_learnt_from_and_draws_are_nested() -> None:
    few, many, other = Draw.of(4096, 20, 3), Draw.of(4096, 50, 3), Draw.of(4096, 20, 4)
    assert few.labelled.tolist() == many.labelled[:20].tolist()
    assert few.test.tolist() == many.test.tolist() != other.test.tolist()
    for draw in (few, many):
        parts = [set(part.tolist()) for part in (draw.sources, draw.labelled, draw.test)]
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_all_methods_are_measured(bench: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AdapterTraining, "__init__", _short)
    monkeypatch.setattr(FewShot, "descend", lambda *_: None)
    tau = {}
    for method, n in (("flops", 0), ("foretell", 12), ("related-tasks", 0), ("related-tasks", 12), ("aio-p", 0),
                      ("aio-p heads", 12), ("aio-p-bodies", 0)):  # fmt: skip
        found = bench.measure(Cell(method, "toys", "b", n, 0))
        assert set(found) >= {"tau", "rho"}
        assert ("fit" in found) == (n > 0 and method != "foretell")
        tau[method, n] = found["tau"][0]
    assert tau["related-tasks", 12] > 0.5
    assert tau["related-tasks", 0] > 0.5
    family = bench._families["toys"]
    rows = Draw.of(ROWS, 0, 0).test
    flops = np.array([nasbench201.graph(family.table.specs[i]).flops for i in rows], dtype=float)
    assert tau["flops", 0] == pytest.approx(kendall_tau(family.table.targets["b"][rows], flops))


def _short(self: AdapterTraining, seed: int = 0) -> None:
    for field in dataclasses.fields(AdapterTraining):
        object.__setattr__(self, field.name, seed if field.name == "seed" else field.default)
    object.__setattr__(self, "epochs", 1)


def test_no_source_is_the_task_itself(bench: Tasks) -> None:
    family = bench._families["toys"]
    assert family.related(0, "b").near.sources == ("toys.a", "toys.c")
    columns = family.columns(family.related(0, "b"), 0, "b")
    assert not any(name == "pretrained toys.b" for name in columns.names)


def test_cells_of_the_bench_are_those_that_make_sense() -> None:
    bench = Tasks()
    cells = bench.cells(bench.methods, 2, quick=False)
    assert len(set(cells)) == len(cells)
    assert {c.n for c in cells if c.method == "flops"} == {0}
    assert {c.n for c in cells if c.method == "aio-p"} == set(LABELS)
    assert {c.n for c in cells if c.method == "aio-p heads"} == {20}
    assert {c.family for c in cells} == set(TASKS) == set(TASK_TABLES)
    quick = bench.cells(bench.methods, 1, quick=True)
    assert {c.family for c in quick} == {"transnasbench101"}
    assert not any("aio" in c.method for c in quick)
    assert bench.average([1.0, 2.0, 6.0]) == pytest.approx(3.0)


@pytest.mark.skipif("FORETELL_DATA" not in os.environ, reason="FORETELL_DATA does not name the tables")
@pytest.mark.parametrize("family", TASK_TABLES)
def test_every_label_of_the_tables_is_a_number(family: str) -> None:
    table = TASK_TABLES[family]()
    assert set(table.targets) == set(TASKS[family])
    assert len(table) == 4096
    assert all(y.shape == (4096,) and np.isfinite(y).all() for y in table.targets.values())
