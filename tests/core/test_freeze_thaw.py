"""Paused runs: which one goes on, when none does, and what raising the epochs of a study saves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from foretell.benchmarks import deepening
from foretell.benchmarks.deepening import Deepening, deepen, run_pruned
from foretell.benchmarks.pruning_runs import REPORTED, TUNED
from foretell.benchmarks.runner import Cell, Measurement
from foretell.curve_rule import CurveRule, regression
from foretell.errors import InvalidDataError
from foretell.freeze_thaw import FreezeThaw
from foretell.learning_curve import FinishedRun
from foretell.overtaking import overtaking
from foretell_plugins import Plugins


def values(n: int, epochs: int, seed: int) -> np.ndarray:
    """Curves that rise to asymptotes of their own at rates of their own."""
    rng = np.random.default_rng(seed)
    end, rate = rng.uniform(0, 1, (n, 1)), rng.uniform(0.15, 0.3, (n, 1))
    return end * (1 - np.exp(-rate * np.arange(1, epochs + 1))) + 0.003 * rng.standard_normal((n, epochs))


def as_curve(row: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((i + 1.0, float(v)) for i, v in enumerate(row))


def test_first_the_best_is_run_to_its_end() -> None:
    rows = values(6, 20, 0)
    curves = [as_curve(row[:5]) for row in rows]
    choice, order = FreezeThaw(20, CurveRule(n_finished=5)), []
    while sum(len(c) == 20 for c in curves) < 4:
        i = choice.next(curves)
        assert i is not None
        curves[i] = as_curve(rows[i][: len(curves[i]) + 1])
        order.append(i)
    assert list(dict.fromkeys(order)) == sorted(range(6), key=lambda i: -rows[i][4])[:4]
    assert order == sorted(order, key=order.index)  # none is left half-way


def test_then_the_most_probable_one_goes_on() -> None:
    rows = values(12, 30, 1)
    curves = [as_curve(row[:30] if i < 8 else row[:12]) for i, row in enumerate(rows)]
    finished = [FinishedRun(c, c[-1][1]) for c in curves[:8]]
    for belief in (overtaking, regression):
        rule = CurveRule(threshold=0.0, pace=0.0, belief=belief)
        odds = [belief(finished, c, [d for d in curves[8:] if d is not c]) for c in curves[8:]]
        assert FreezeThaw(30, rule).next(curves) == 8 + int(np.argmax(odds))
        assert FreezeThaw(30, replace(rule, threshold=1.01 * max(odds))).next(curves) is None
        pace = max(odds) / (1 - 11 / 29) * 12  # what is left of twelve runs
        assert FreezeThaw(30, replace(rule, pace=0.99 * pace)).next(curves) is not None
        assert FreezeThaw(30, replace(rule, pace=1.01 * pace)).next(curves) is None
    assert FreezeThaw(30, CurveRule(threshold=0.999)).next(curves) is None


def test_what_cannot_go_on() -> None:
    choice = FreezeThaw(3)
    assert choice.next([]) is None
    assert choice.next([((1, 1.0), (2, math.nan)), ((3, 1.0),)]) is None
    assert choice.next([((1, 1.0), (2, math.nan)), ((2, 0.1),), ()]) == 1
    with pytest.raises(InvalidDataError, match="steps > 0"):
        FreezeThaw(0)


def test_raising_the_epochs_reuses_what_was_run() -> None:
    spent = {"fresh": 0, "deepened": 0}
    for seed in range(2):
        rows = values(30, 36, seed)
        fresh, epochs = run_pruned(rows)
        before, _ = run_pruned(rows[:, :12])
        deepened, more = deepen(rows, before)
        spent["fresh"] += epochs
        spent["deepened"] += more
        assert all(d[: len(b)] == b for d, b in zip(deepened, before, strict=True))
        best = [max(c[-1][1] for c in curves if len(c) == 36) for curves in (fresh, deepened)]
        assert best[1] > best[0] - 0.02
    assert spent["deepened"] < 0.7 * spent["fresh"]


def test_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepening, "pruning_runs", lambda family, task, n, seed: values(n // 3, 18, seed))
    bench = Plugins(environment={}).benchmarks["deepening"]()
    assert isinstance(bench, Deepening)
    cells = bench.cells(bench.methods, 1, quick=False)
    assert {(c.family, c.task) for c in cells} == {*TUNED, *REPORTED}
    rows = [
        Measurement("deepening", **{k: getattr(c, k) for k in ("method", "family", "task", "n", "seed")}, metric=metric,
                    value=value, unit=unit, version="0")
        for c in bench.cells(bench.methods, 1, quick=True)
        for metric, (value, unit) in bench.measure(c).items()
    ]  # fmt: skip
    fresh, deepened = (
        next(r.value for r in rows if (r.method, r.metric) == (m, "epochs")) for m in ("fresh", "deepened")
    )
    assert f"| {fresh:.0f} | {deepened:.0f} | {100 * (1 - deepened / fresh):.0f} |" in bench.report(rows)[-1]
    assert bench.measure(Cell("fresh", *TUNED[0], 30, 0))["lost"][0] < 5
