"""The rule that stops training runs: closed forms, invariances, and what it must and must not stop."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from foretell.curve_rule import CurveRule, FinalValue, regression
from foretell.errors import InvalidDataError
from foretell.learning_curve import Curve, FinishedRun


def power(
    asymptote: float, rate: float, n: int = 30, noise: float = 0.0, seed: int = 0
) -> tuple[tuple[float, float], ...]:
    """asymptote - step^-rate, with noise."""
    rng = np.random.default_rng(seed)
    return tuple((float(s), asymptote - s**-rate + noise * rng.standard_normal()) for s in range(1, n + 1))


def runs(n: int, seed: int = 0, noise: float = 0.0) -> list[FinishedRun]:
    rng = np.random.default_rng(seed)
    curves = [power(rng.uniform(0, 1), rng.uniform(0.3, 1), noise=noise, seed=100 * seed + i) for i in range(n)]
    return [FinishedRun(c, c[-1][1]) for c in curves]


def test_a_belief_is_a_student_t() -> None:
    belief = FinalValue(0.3, 2.0, 4.5)
    for value in (-3.0, 0.3, 1.0, 8.0):
        assert belief.exceeds(value) == pytest.approx(student(4.5, 0.3, 2.0).sf(value))
    for q in (0.05, 0.5, 0.9):
        assert belief.quantile(q) == pytest.approx(student(4.5, 0.3, 2.0).ppf(q))


def test_alike_runs_give_the_conjugate_posterior() -> None:
    """Where all curves agree up to now, features vanish, weights are 1, and the belief is that of n draws."""
    gains = np.array([0.2, 0.2, 0.18, 0.5, 0.4])  # none far below the median, which would count as less far
    shared = tuple((float(s), s / 10) for s in range(1, 6))
    finished = [FinishedRun((*shared, (10.0, 0.5 + g)), 0.5 + g) for g in gains]
    belief = CurveRule().final_value(finished, shared)
    n, lam = len(gains), 1e-3  # lam: precision of the prior of the mean
    mean = gains.sum() / (n + lam)
    s2 = (np.sum((gains - mean) ** 2) + 2.0 * gains.var()) / (n + 2.0)
    assert belief.degrees == pytest.approx(n + 2.0)
    assert belief.location == pytest.approx(0.5 + mean)
    assert belief.scale == pytest.approx(math.sqrt(s2 * (1 + 1 / (n + lam))))


@settings(max_examples=30)
@given(shift=st.floats(-100, 100), scale=st.floats(1e-3, 1e3), order=st.permutations(range(8)))
def test_units_steps_and_order_do_not_matter(shift: float, scale: float, order: list[int]) -> None:
    finished, running = runs(8, noise=0.01), power(0.7, 0.5, n=10)
    plain = CurveRule().final_value(finished, running)
    moved = [
        FinishedRun(tuple((7 * s, scale * v + shift) for s, v in finished[i].curve), scale * finished[i].final + shift)
        for i in order
    ]
    other = CurveRule().final_value(moved, [(7 * s, scale * v + shift) for s, v in running])
    assert other.location == pytest.approx(scale * plain.location + shift, rel=1e-6, abs=1e-6 * (1 + abs(shift)))
    assert other.scale == pytest.approx(scale * plain.scale, rel=1e-5)


def test_the_belief_narrows_with_runs_and_with_the_curve() -> None:
    running = power(0.6, 0.5, n=25)
    widths = [CurveRule().final_value(runs(n, noise=0.01), running[:10]).scale for n in (4, 16, 64)]
    assert widths == sorted(widths, reverse=True)
    late = [CurveRule().final_value(runs(30, noise=0.01), running[:k]).scale for k in (8, 16, 25)]
    assert late == sorted(late, reverse=True)


def test_its_probabilities_come_true() -> None:
    """Runs drawn from one family of curves: of all cases given about p, about p beat the best."""
    said, true = [], []
    for seed in range(30):
        everything = runs(26, seed=seed, noise=0.02)
        finished = everything[:20]
        best = sorted(run.final for run in finished)[-3]  # the third best, so that it is beaten now and then
        for run in everything[20:]:
            for k in (4, 10, 20):
                said.append(CurveRule().final_value(finished, run.curve[:k]).exceeds(best))
                true.append(run.final > best)
    said_, true_ = np.array(said), np.array(true)
    assert abs(said_.mean() - true_.mean()) < 0.04
    low, high = said_ < 0.02, said_ > 0.8
    assert low.sum() > 100
    assert true_[low].mean() < 0.02
    assert high.sum() > 25
    assert true_[high].mean() > 0.75


BELIEFS = (CurveRule(), CurveRule(n_finished=3, belief=regression))


@pytest.mark.parametrize("rule", BELIEFS)
def test_it_saves_epochs_and_keeps_the_best(rule: CurveRule) -> None:
    spent, kept = 0, 0
    for seed in range(5):
        finished: list[FinishedRun] = []
        stopped: list[Curve] = []
        everything = runs(40, seed=seed, noise=0.005)
        for run in everything:
            for k in range(1, 31):
                spent += 1
                if rule.hopeless(finished, run.curve[:k], others=stopped):
                    stopped.append(run.curve[:k])
                    break
            else:
                finished.append(run)
        kept += max(finished, key=lambda r: r.final) is max(everything, key=lambda r: r.final)
    assert spent < 5 * 40 * 30 * 0.35
    assert kept >= 4


@pytest.mark.parametrize("rule", BELIEFS)
def test_what_is_never_stopped(rule: CurveRule) -> None:
    rule, bad = replace(rule, patience=0.2), power(-5.0, 0.5)
    finished = runs(10)
    assert rule.hopeless(finished, bad[:12])
    assert not rule.hopeless(finished[: rule.n_finished - 1], bad[:12])  # too few finished
    assert not rule.hopeless(finished, bad[:5])  # patience
    assert not rule.hopeless(finished, bad[:30])  # it is over
    assert not rule.hopeless(finished, ())
    assert not replace(rule, threshold=0.0, pace=0.0).hopeless(finished, bad[:12])
    assert not replace(rule, threshold=0.0, pace=0.0).hopeless(finished, bad[:12], begun=10)


def test_a_run_is_stopped_where_a_fresh_one_offers_more() -> None:
    """Its chance by what is left of it, beside one in as many as were begun for a whole one."""
    finished, running = runs(10, noise=0.02), power(0.5, 0.5, n=12)
    rule = CurveRule(threshold=0.0, pace=1.0)
    chance = rule.belief(finished, running)
    start, end = finished[0].curve[0][0], finished[0].curve[-1][0]
    left = 1.0 - (running[-1][0] - start) / (end - start)
    even = left / chance  # begun as many, both are worth the same
    assert rule.hopeless(finished, running, begun=int(even * 0.99))
    assert not rule.hopeless(finished, running, begun=int(even * 1.01) + 1)
    assert not replace(rule, pace=0.5).hopeless(finished, running, begun=int(even * 0.99))


def test_who_is_ahead_counts() -> None:
    """A run that many were ahead of is stopped; the same one among runs that were behind is not."""
    finished, running = [FinishedRun(power(0.6, 0.5), 0.58)], power(0.55, 0.5, n=8)
    stopped = [[power(end, 0.5, n=9) for _ in range(20)] for end in (0.57, 0.2)]
    assert CurveRule().hopeless(finished, running, begun=22, others=stopped[0])
    assert not CurveRule().hopeless(finished, running, begun=22, others=stopped[1])


def test_the_regression_is_the_belief_about_the_final_value() -> None:
    finished, running = runs(10, noise=0.02), power(0.5, 0.5, n=12)
    best = max(run.final for run in finished)
    assert regression(finished, running) == CurveRule().final_value(finished, running).exceeds(best)


def test_failures_and_outliers_bend_nothing() -> None:
    finished, running = runs(12, noise=0.01), power(0.2, 0.5, n=10)
    rule = CurveRule()
    assert rule.hopeless(finished, (*running, (11.0, math.nan)))
    assert rule.hopeless(finished, (*running, (11.0, -math.inf)))
    failed = [FinishedRun(((1.0, math.nan),), 0.5), FinishedRun(power(0.5, 0.5), math.nan), FinishedRun((), 1.0)]
    assert rule.final_value([*finished, *failed], running) == rule.final_value(finished, running)
    odd = FinishedRun(tuple((s, -1e30 * s) for s, _ in finished[0].curve), -3e31)
    shifted = rule.final_value([*finished, odd], running)
    plain = rule.final_value(finished, running)
    assert abs(shifted.location - plain.location) < plain.scale
    assert shifted.scale < 4 * plain.scale
    hole = (*running[:4], (5.0, math.nan), *running[5:])
    assert rule.final_value(finished, hole).location == pytest.approx(plain.location, abs=0.05)


def test_constant_curves_are_no_division_by_zero() -> None:
    flat = [FinishedRun(((1.0, 2.0), (9.0, 2.0)), 2.0) for _ in range(6)]
    belief = CurveRule().final_value(flat, ((1.0, 2.0), (2.0, 2.0)))
    assert math.isfinite(belief.location)
    assert belief.scale > 0


def test_refusals() -> None:
    for wrong in ({"threshold": 1.0}, {"threshold": -0.1}, {"patience": 1.0}, {"n_finished": 0}, {"pace": -1.0}):
        with pytest.raises(InvalidDataError, match="must hold"):
            CurveRule(**wrong)
    with pytest.raises(InvalidDataError, match="a finished run and a point"):
        CurveRule().final_value([], ((1.0, 2.0),))
    with pytest.raises(InvalidDataError, match="a finished run and a point"):
        CurveRule().final_value(runs(3), ((1.0, math.nan),))
