"""Hyperband's schedule: its brackets, who is promoted, and that raising the epochs repeats nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.errors import InvalidDataError
from foretell.hyperband import Bracket, Hyperband, Job, ScheduledRun


def run_all(schedule: Hyperband, value, runs: list[ScheduledRun] | None = None) -> tuple[list[ScheduledRun], int]:
    """Follow the schedule to its end: all runs, and the epochs that were trained. `value(run, epochs)` judges."""
    runs, spent = list(runs or []), 0
    while (job := schedule.next(runs)) is not None:
        i = len(runs) if job.run is None else job.run
        if job.run is None:
            runs.append(ScheduledRun(job.bracket, {}))
        spent += job.epochs - max(runs[i].values, default=0)
        runs[i] = ScheduledRun(job.bracket, {**runs[i].values, job.epochs: value(i, job.epochs)})
    return runs, spent


def noisy(i: int, epochs: int) -> float:
    return float(np.random.default_rng([i, epochs]).random())


def test_the_brackets_of_algorithm_1() -> None:
    """R = 81 and eta = 3; n = ceil(5 * 81 / 5), ceil(5 * 27 / 4), ceil(5 * 9 / 3), ceil(5 * 3 / 2), 5."""
    found = Hyperband(81).brackets
    assert [list(zip(b.sizes, b.rungs, strict=True)) for b in found] == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)], [(34, 3), (11, 9), (3, 27), (1, 81)], [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)], [(5, 81)],
    ]  # fmt: skip


def test_epochs_of_a_bracket_by_hand() -> None:
    assert Bracket((1, 3, 9), (9, 3, 1)).epochs == 9 * 1 + 3 * 2 + 1 * 6


@given(st.integers(1, 60), st.integers(2, 4), st.integers(1, 3))
def test_a_whole_run_takes_the_epochs_of_its_brackets(most: int, eta: int, least: int) -> None:
    schedule = Hyperband(max(most, least), eta, least)
    runs, spent = run_all(schedule, noisy)
    assert spent == sum(b.epochs for b in schedule.brackets)
    for bracket in schedule.brackets:
        mine = [r for r in runs if r.bracket == bracket.rungs[0]]
        assert tuple(sum(rung in r.values for r in mine) for rung in bracket.rungs) == bracket.sizes


def test_the_best_of_a_rung_go_on() -> None:
    schedule = Hyperband(27)
    runs, _ = run_all(schedule, noisy)
    for bracket in schedule.brackets:
        mine = [r for r in runs if r.bracket == bracket.rungs[0]]
        for rung, further in zip(bracket.rungs, bracket.rungs[1:], strict=False):
            went = {r.values[rung] for r in mine if further in r.values}
            stayed = {r.values[rung] for r in mine if rung in r.values and further not in r.values}
            assert min(went) > max(stayed)


@pytest.mark.parametrize(("most", "times"), [(9, 3), (27, 3), (16, 3), (8, 4), (9, 9)])
def test_deepening_costs_a_fresh_run_less_what_was_run(most: int, times: int) -> None:
    eta = 4 if times == 4 else 3
    before, spent = run_all(Hyperband(most, eta), noisy)
    deeper = Hyperband(times * most, eta)
    runs, more = run_all(deeper, noisy, before)
    assert all(old.bracket == new.bracket for old, new in zip(before, runs, strict=False))
    assert all(old.values.items() <= new.values.items() for old, new in zip(before, runs, strict=False))
    assert spent + more == sum(b.epochs for b in deeper.brackets)


def test_a_run_that_was_promoted_keeps_its_place() -> None:
    before, _ = run_all(Hyperband(3), lambda i, epochs: float(i == 0))  # run 0 alone was promoted
    runs, _ = run_all(Hyperband(9), lambda i, epochs: 2.0 + i, before)  # all later ones are better
    assert 3 in runs[0].values
    promoted = [i for i, r in enumerate(runs) if r.bracket == 1 and 3 in r.values]
    assert len(promoted) == 3
    assert promoted[0] == 0


def test_failed_runs_are_not_promoted() -> None:
    runs = [ScheduledRun(1, {1: math.nan if i < 8 else 0.5}) for i in range(9)]
    schedule = Hyperband(9)
    assert schedule.next(runs) == Job(8, 1, 3)
    runs[8] = ScheduledRun(1, {1: 0.5, 3: math.nan})
    assert schedule.next(runs) == Job(None, 3, 3)  # nobody is left, the next bracket begins


def test_half_trained_runs_are_finished_first() -> None:
    assert Hyperband(9).next([ScheduledRun(3, {}), *(ScheduledRun(1, {1: 1.0}) for _ in range(2))]) == Job(None, 1, 1)
    assert Hyperband(9).next([ScheduledRun(1, {1: 1.0}), ScheduledRun(1, {})]) == Job(1, 1, 1)


def test_refusals() -> None:
    for wrong in ((0, 3, 1), (9, 1, 1), (9, 3, 0), (9, 3, 10)):
        with pytest.raises(InvalidDataError, match="must hold"):
            Hyperband(*wrong)
    with pytest.raises(InvalidDataError, match="by powers of 3"):
        Hyperband(18).next([ScheduledRun(5, {5: 1.0})])
