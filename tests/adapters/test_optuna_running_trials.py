"""What running trials try is read again where anything of it changed, and only there."""

from __future__ import annotations

import pickle
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from foretell.errors import InvalidDataError
from foretell_adapters.optuna.proposal import proposal_attributes
from foretell_adapters.optuna.running_trials import RunningTrials

SPACE: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 9)}


def running(proposed: dict[str, Any], given: dict[str, Any], look: int = 0) -> FrozenTrial:
    trial = optuna.trial.create_trial(
        state=TrialState.RUNNING, params=given, distributions={name: SPACE[name] for name in given}
    )
    trial.system_attrs = proposal_attributes(proposed, SPACE, look)
    return trial


def test_what_was_given_overrules_the_proposal() -> None:
    known = RunningTrials()
    assert known.config(running({"x": 0.5, "n": 3}, {}), SPACE) == {"x": 0.5, "n": 3}
    assert known.config(running({"x": 0.5, "n": 3}, {"n": 7}), SPACE) == {"x": 0.5, "n": 7}
    assert known.config(running({}, {"x": 0.25}), SPACE) == {"x": 0.25}


def test_the_same_is_read_once_and_a_second_thought_is_heard() -> None:
    known = RunningTrials()
    first = known.config(running({"x": 0.5, "n": 3}, {}), SPACE)
    assert known.config(running({"x": 0.5, "n": 3}, {}), SPACE) is first
    assert known.config(running({"x": 0.75, "n": 3}, {}, look=1), SPACE) == {"x": 0.75, "n": 3}
    narrow: dict[str, BaseDistribution] = {"n": IntDistribution(1, 9)}
    assert known.config(running({"x": 0.5, "n": 3}, {}), narrow) == {"n": 3}
    assert pickle.loads(pickle.dumps(known)).config(running({"n": 3}, {}), narrow) == {"n": 3}


def test_what_cannot_be_read_is_refused_every_time() -> None:
    known, trial = RunningTrials(), running({"x": 0.5}, {})
    trial.system_attrs = dict.fromkeys(trial.system_attrs, "nonsense")
    for _ in range(2):
        with pytest.raises(InvalidDataError, match="whole JSON"):
            known.config(trial, SPACE)
