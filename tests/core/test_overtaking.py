"""The belief learnt beforehand: what it may not depend on, which way it points, and that it can be learnt again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.benchmarks import overtaking_fit
from foretell.errors import InvalidDataError
from foretell.learning_curve import Curve, FinishedRun
from foretell.overtaking import WEIGHTS, overtaking, overtaking_features


def curve(end: float, steps: int, rate: float = 0.8, noise: float = 0.0, seed: int = 0) -> list[tuple[float, float]]:
    """A run that ends near `end`."""
    rng = np.random.default_rng(seed)
    return [(float(t), end * (1 - rate**t) + noise * rng.standard_normal()) for t in range(1, steps + 1)]


def finished(ends: list[float], noise: float = 0.0) -> list[FinishedRun]:
    curves = [curve(end, 30, noise=noise, seed=i) for i, end in enumerate(ends)]
    return [FinishedRun(tuple(c), c[-1][1]) for c in curves]


def test_features_are_what_they_say() -> None:
    """Straight lines, counted by hand: the best gains 1 a step up to 10, the run half of that, at step 4 of 10."""
    best = FinishedRun(tuple((float(t), float(t)) for t in range(1, 11)), 10.0)
    worse = FinishedRun(tuple((float(t), 0.1 * t) for t in range(1, 11)), 1.0)
    run, stopped = [(float(t), 0.5 * t) for t in range(1, 5)], [(1.0, 9.0), (5.0, 9.0)]
    x, s = overtaking_features([worse, best], run, [stopped, [(1.0, 99.0)]])
    least = 1e-3 * (10 - 5.5)
    expected = [
        (10 - 2) / (10 - 4),
        (10 - 2) / (10 - 4),  # a quarter of four points is one
        (10 - 2) / ((2 - 1) * math.log2(10 / 4)),
        math.e,  # not tied
        (4 - 2) / (2 - 1),
        (2 + 0.5) / (1 + 0.5),  # the best and the stopped one are ahead; who stopped before is not counted
        4,
        2,
        0.4,
    ]
    assert s == pytest.approx(0.4)
    assert x[3] == 0.0
    others = [v for i, v in enumerate(x) if i != 3]
    assert others == pytest.approx([math.log(v) for i, v in enumerate(expected) if i != 3], abs=2 * least)


@settings(max_examples=30)
@given(shift=st.floats(-100, 100), scale=st.floats(1e-3, 1e3), spacing=st.floats(0.1, 500), later=st.floats(-5, 50))
def test_units_and_steps_do_not_matter(shift: float, scale: float, spacing: float, later: float) -> None:
    def moved(points: Curve) -> list[tuple[float, float]]:
        return [(spacing * t + later, scale * v + shift) for t, v in points]

    runs, running = finished([0.5, 0.9, 0.7], noise=0.01), curve(0.88, 12, noise=0.01, seed=9)
    other = [FinishedRun(tuple(moved(run.curve)), scale * run.final + shift) for run in runs[::-1]]
    plain = overtaking(runs, running, [curve(0.4, 14)])
    assert 1e-4 < plain < 1 - 1e-4
    assert overtaking(other, moved(running), [moved(curve(0.4, 14))]) == pytest.approx(plain, rel=1e-4)


def test_better_is_more_probable() -> None:
    runs = finished([0.5, 0.9, 0.7], noise=0.005)
    for steps in (3, 8, 20, 28):
        chances = [overtaking(runs, curve(end, steps)) for end in (0.1, 0.5, 0.8, 0.95, 1.2)]
        assert chances == sorted(chances)
        assert chances[0] < 0.03
        assert chances[-1] > 0.4


def test_golden() -> None:
    """The weights in use; says nothing of their worth. After learning them anew, print and replace."""
    chances = [overtaking(finished([0.5, 0.9, 0.7]), curve(end, 10), [curve(0.3, 12)]) for end in (0.6, 0.85, 0.95)]
    assert chances == pytest.approx([0.0484876, 0.1873437, 0.5572820], rel=1e-5)


def test_the_longer_the_surer() -> None:
    """A run a little worse, and one a little better, than the only one that has ended."""
    worse = [overtaking(finished([0.9]), curve(0.8, steps)) for steps in (2, 10, 28)]
    better = [overtaking(finished([0.9]), curve(1.0, steps)) for steps in (2, 10, 28)]
    assert worse[0] > worse[1] > worse[2]
    assert better[2] > better[0]
    assert worse[2] < 0.02


def test_many_reports_are_thinned_out() -> None:
    """A thousand points say what fifty of them say."""
    fine = [FinishedRun(tuple((t / 20, 0.9 * (1 - 0.8 ** (t / 20))) for t in range(20, 1001)), 0.9)]
    coarse = [FinishedRun(tuple((float(t), 0.9 * (1 - 0.8**t)) for t in range(1, 51)), 0.9)]
    running = [(t / 20, 0.85 * (1 - 0.8 ** (t / 20))) for t in range(20, 201)]
    near = overtaking(coarse, curve(0.85, 10))
    assert overtaking(fine, running) == pytest.approx(near, rel=0.2)


def test_failures_and_gaps_bend_nothing() -> None:
    runs, running = finished([0.5, 0.9]), curve(0.7, 10)
    plain = overtaking(runs, running)
    broken = [FinishedRun(((1.0, math.nan),), 0.5), FinishedRun((), 1.0), FinishedRun(tuple(running), math.inf)]
    assert overtaking([*runs, *broken], running, [[], [(20.0, math.nan)]]) == plain
    assert overtaking(runs, [*running[:4], (4.5, math.nan), *running[4:]]) == plain
    awful = [(float(t), -(10.0 ** (3 * t))) for t in range(1, 11)]
    assert overtaking(runs, awful) < 0.01
    flat = [FinishedRun(((1.0, 2.0), (9.0, 2.0)), 2.0)]
    assert 0 < overtaking(flat, [(1.0, 2.0)]) < 1
    assert 0 < overtaking([FinishedRun(((1.0, 2.0),), 2.0)], [(1.0, 1.0)]) < 1
    with pytest.raises(InvalidDataError, match="a finished run and a point"):
        overtaking([], running)
    with pytest.raises(InvalidDataError, match="a finished run and a point"):
        overtaking(runs, [(1.0, math.nan)])


def test_weights_are_found_again() -> None:
    """States drawn from invented curves, ends drawn from known weights."""
    rng = np.random.default_rng(0)
    rows = np.hstack([rng.standard_normal((40_000, len(WEIGHTS) - 1)), rng.uniform(0, 1, (40_000, 1))])
    true = {name: (rng.normal(0, 0.5), rng.normal(0, 0.5)) for name in WEIGHTS}
    z = sum((w + u * rows[:, -1]) * v for (w, u), v in zip(true.values(), [1.0, *rows[:, :-1].T], strict=True))
    found = overtaking_fit.fit(rows, (rng.uniform(size=len(rows)) < 1 / (1 + np.exp(-z))).astype(float))
    assert list(found) == list(WEIGHTS)
    for name, pair in true.items():
        assert found[name] == pytest.approx(pair, abs=0.2), name


def test_states_are_beginnings_of_later_runs() -> None:
    """Of runs that never cross, those that end above the best are those that are ahead of it."""
    ends = np.random.default_rng(3).permutation(np.linspace(0.1, 1.0, 25))
    curves = np.array([[v for _, v in curve(end, 20)] for end in ends])
    curves[4, 7:] = np.nan
    rows, beaten = overtaking_fit.states(curves, np.random.default_rng(1))
    assert rows.shape[1] == len(WEIGHTS)
    assert len(rows) == len(beaten) > 50
    assert np.isfinite(rows).all()
    assert np.array_equal(beaten == 1, rows[:, 0] < 0)  # lacks less than the best lacked at that step
    for seed in range(8):
        other = overtaking_fit.changed(curves, np.random.default_rng(seed))
        assert len(other) == len(curves)
        assert 8 <= other.shape[1] <= 20
        assert len(overtaking_fit.states(other, np.random.default_rng(0))[0]) > 50
