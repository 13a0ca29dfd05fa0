"""The measurements of motifs and of narrowing, on a small table that is made here."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks import motif_effects, narrowing, tables
from foretell.benchmarks.motif_effects import MotifEffects
from foretell.benchmarks.narrowing import NarrowingLeft
from foretell.benchmarks.runner import Cell
from foretell.capture import nasbench201


def small_table() -> tables.Table:
    """300 cells of NAS-Bench-201; 3x3 convolutions help, poolings hurt."""
    rng = np.random.default_rng(3)
    specs = [nasbench201.sample(rng) for _ in range(300)]
    target = np.array([s.count(2) - s.count(4) for s in specs]) + 0.01 * rng.standard_normal(300)
    return tables.Table("nasbench201", specs, nasbench201.graph, {"cifar10": target}, nasbench201.cells)


def test_effects_of_motifs_agree_with_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motif_effects, "TABLES", {"nasbench201": small_table})
    bench = MotifEffects()
    found = {m: bench.measure(Cell(m, "nasbench201", "cifar10", 100, 0)) for m in bench.methods}
    assert all(f["rho"][0] > 0.2 for f in found.values())
    assert found["differences"]["rho"][0] > 0.8
    assert found["training-means"]["rho"][0] > 0.8
    assert {f["motifs"][0] for m, f in found.items() if m != "differences"} == {found["gradients"]["motifs"][0]}
    assert all(10 < f["motifs"][0] < 60 for f in found.values())


def test_what_narrowing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightgbm")
    monkeypatch.setattr(narrowing, "TABLES", {"nasbench201": small_table})
    bench = NarrowingLeft()
    found = {m: bench.measure(Cell(m, "nasbench201", "cifar10", 100, 0)) for m in bench.methods}
    for mode in ("", "edge-choices: "):
        rule, guarded, random, ranked = (found[mode + m] for m in ("rule", "guarded", "random", "ranked"))
        assert 0.1 <= rule["share"][0] <= guarded["share"][0] < 1.0
        assert ranked["share"][0] == guarded["share"][0] <= random["share"][0]
        assert guarded["risk"][0] <= 0.1
        assert guarded["mean"][0] > random["mean"][0]
        assert ranked["mean"][0] > random["mean"][0]
        assert guarded["regret"][0] >= 0.0
    assert found["edge-choices: guarded"]["top1%"][0] > found["edge-choices: random"]["top1%"][0]
    again = NarrowingLeft().measure(Cell("edge-choices: random", "nasbench201", "cifar10", 100, 0))
    assert again == found["edge-choices: random"]


def test_cells_of_quick_are_one_task() -> None:
    quick = [*MotifEffects().cells(["gradients"], 2, quick=True), *NarrowingLeft().cells(["rule"], 2, quick=True)]
    assert {(c.family, c.task, c.n) for c in quick} == {
        ("nasbench201", "cifar10", 100), ("transnasbench101", "class_scene", 100),
    }  # fmt: skip
    every = NarrowingLeft().cells(NarrowingLeft().methods, 1, quick=False)
    assert not [c for c in every if c.family == "nasbench101" and "edge" in c.method]
