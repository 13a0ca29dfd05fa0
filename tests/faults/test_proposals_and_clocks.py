"""Attributes of ours that are not as we wrote them, and clocks that go backwards, under workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import optuna
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_worker import Place
    from faulty_study import FaultyStudy

WHOLE = json.dumps({"version": 1, "params": {"x": 0.25, "k": 3.0, "c": 1.0}})
CORRUPT: list[object] = [
    WHOLE[:30], WHOLE[:-1], "", "[" * 1900, "null", "7", '"x"', "[]", WHOLE.replace('"version": 1', '"version": 2'),
    json.dumps({"x": 0.25}), json.dumps({"version": 1, "params": [1]}), json.dumps({"version": 1}),
    json.dumps({"version": 1, "params": {"x": "0.25"}}), json.dumps({"version": 1, "params": {"x": True}}),
    json.dumps({"version": 1, "params": {"k": [1]}}), '{"version": 1, "params": {"x": NaN}}',
    '{"version": 1, "params": {"c": Infinity}}', '{"version": 1, "params": {"k": 1' + 400 * "0" + "}}",
    json.dumps({"version": 1, "params": {"c": 99}}), json.dumps({"version": 1, "params": {"c": -1}}),
    json.dumps({"version": 1, "params": {"x": 1e300, "k": 0.5}}), 7, None, [1, 2], {"x": 0.25}, "\u2028" * 99,
]  # fmt: skip


@pytest.mark.parametrize("place", ["sqlite", "journal", "postgres"], indirect=True)
def test_corrupt_proposals_of_running_trials(place: Place, start_study: Callable[[Place], FaultyStudy]) -> None:
    faulty = start_study(place)
    faulty.start(5)
    assert faulty.wait() == 0
    study = optuna.load_study(study_name="faults", storage=place.open(pooled=False))
    for attribute in CORRUPT:
        study._storage.set_trial_system_attr(study.ask()._trial_id, "foretell:proposal:0", attribute)
    big = study.ask()._trial_id
    for i in range(40):
        study._storage.set_trial_system_attr(big, f"foretell:proposal:{i}", "x" * 2045)
    workers = [faulty.start(4) for _ in range(2)]
    stuck = faulty.wait()
    assert [w.exitcode for w in workers] == [0, 0]
    assert faulty.reckon("corrupt proposal", len(CORRUPT) + 1, stuck) is not None


@pytest.mark.parametrize("place", ["sqlite", "journal", "postgres"], indirect=True)
def test_a_clock_that_goes_backwards(place: Place, start_study: Callable[[Place], FaultyStudy]) -> None:
    faulty = start_study(place)
    workers = [faulty.start(6, clock=hours) for hours in (0.0, 1.0, 24.0)]
    stuck = faulty.wait()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    study = faulty.reckon("result by a clock going backwards", 12, stuck)
    assert study is not None
    times = [t.datetime_complete for t in study.get_trials() if t.datetime_complete]
    assert times != sorted(times)
