"""Proposals of other workers: read as written, and nothing that is in their place harms a study."""

from __future__ import annotations

import json
import logging
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.proposal import proposal_attributes, read_proposal

KEY = "foretell:proposal"
SPACE = {
    "x": FloatDistribution(-1.0, 1.0),
    "n": IntDistribution(1, 9),
    "c": CategoricalDistribution(("a", None, 2.5)),
}
PARAMS = {"x": 0.25, "n": 3, "c": None}
_GRID = {"a": IntDistribution(0, 9), "b": IntDistribution(0, 9)}
WHOLE = json.dumps({"version": 1, "params": {"x": 0.25, "n": 3.0, "c": 1.0}})
HOSTILE: list[tuple[object, str]] = [
    (WHOLE[:30], 'must be whole JSON, but got \'{"version"'),
    ("[" * 2000, "whole JSON"),
    ("null", "of version 1, but got NoneType"),
    (WHOLE.replace('"version": 1', '"version": 2'), "of version 1, but got 2"),
    (json.dumps({"x": 0.25}), "of version 1, but got None"),
    (json.dumps({"version": 1, "params": [1]}), "a table of parameters, but got list"),
    (json.dumps({"version": 1, "params": {"x": "0.25"}}), "inside FloatDistribution.* for 'x', but got '0.25'"),
    (json.dumps({"version": 1, "params": {"x": True}}), "for 'x', but got True"),
    (json.dumps({"version": 1, "params": {"n": [1]}}), r"for 'n', but got \[1\]"),
    ('{"version": 1, "params": {"x": NaN}}', "for 'x', but got nan"),
    ('{"version": 1, "params": {"c": Infinity}}', "for 'c', but got inf"),
    ('{"version": 1, "params": {"n": 1' + 400 * "0" + "}}", "for 'n', but got 1000"),
    (json.dumps({"version": 1, "params": {"c": 99}}), "for 'c', but got 99"),
    (json.dumps({"version": 1, "params": {"x": 1e300}}), "for 'x', but got 1e"),
    (7, "at most 500 texts of 2045 characters, but got int"),
    ({"x": 0.25}, "but got dict"),
    (10**6 * " ", "but got one of 1000000"),
]


def running(attributes: dict[str, Any]) -> optuna.trial.FrozenTrial:
    return create_trial(state=optuna.trial.TrialState.RUNNING, system_attrs=attributes)


def test_what_is_written_is_read_and_the_first_piece_comes_last() -> None:
    space = {f"{name}{i}": d for i in range(60) for name, d in SPACE.items()}
    params = {f"{name}{i}": v for i in range(60) for name, v in PARAMS.items()}
    written = proposal_attributes(params, space)
    assert list(written) == [f"{KEY}:{i}" for i in reversed(range(len(written)))]
    assert 1 < len(written)
    assert max(map(len, written.values())) <= 2045
    assert read_proposal(running(written), space) == params
    assert read_proposal(running(written), {"x0": space["x0"]}) == {"x0": 0.25}
    for cut in range(1, len(written)):  # a worker that dies while it writes leaves nothing to read
        assert read_proposal(running(dict(list(written.items())[:cut])), space) == {}
    assert proposal_attributes(PARAMS | {"y" * 2_000_000: 1}, SPACE | {"y" * 2_000_000: SPACE["n"]}) == {}


def test_the_last_thought_counts_and_is_written_over_none() -> None:
    first, second = (proposal_attributes(PARAMS | {"n": 2 + look}, SPACE, look) for look in (0, 1))
    assert not set(first) & set(second)
    assert read_proposal(running(first | second), SPACE) == PARAMS | {"n": 3}


def test_of_two_workers_with_the_same_idea_at_once_one_has_another() -> None:
    """While one makes up its mind, another one does, and writes it down first."""
    study = optuna.create_study(sampler=ForetellSampler(seed=0, n_startup_trials=2))

    def objective(trial: optuna.Trial) -> float:
        return abs(trial.suggest_int("a", 0, 9) - 4) + abs(trial.suggest_int("b", 0, 9) - 7)

    study.optimize(objective, n_trials=20)
    sampler, ideas, inside = study.sampler, [], []
    assert isinstance(sampler, ForetellSampler)
    propose = sampler._propose

    def overtaken(study: optuna.Study, trial: Any, space: Any, trials: Any, look: int) -> dict[str, Any]:
        if not inside:
            inside.append(study.ask())
            inside[0].suggest_int("a", 0, 9)
        found = propose(study, trial, space, trials, look)
        ideas.append((trial.number, look, found))
        return found

    sampler._propose = overtaken  # type: ignore[method-assign]
    study.ask()  # somebody runs already
    inside.clear()
    ideas.clear()
    slow = study.ask()
    slow.suggest_int("a", 0, 9)
    first = {number: found for number, look, found in ideas if look == 0}
    assert len(first) == 2
    assert len({str(found) for found in first.values()}) == 1  # the same idea
    (other,) = inside
    assert read_proposal(study.trials[slow.number], _GRID) != read_proposal(study.trials[other.number], _GRID)


@pytest.mark.parametrize(("found", "message"), HOSTILE)
def test_what_is_no_proposal_is_refused_with_the_reason(found: object, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        read_proposal(running({f"{KEY}:0": found}), SPACE)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["version", "params", "x", "n", "c"]), s), max_leaves=8), st.integers(0, 60))  # fmt: skip  # noqa: E501
@settings(max_examples=150)
def test_whatever_is_there_is_read_or_refused(found: object, cut: int) -> None:
    for attribute in (found, json.dumps(found), json.dumps({"version": 1, "params": found}), WHOLE[:cut]):
        try:
            params = read_proposal(running({f"{KEY}:0": attribute}), SPACE)
        except InvalidDataError:
            continue
        assert all(SPACE[name]._contains(SPACE[name].to_internal_repr(value)) for name, value in params.items())


def test_a_study_goes_on_and_says_once_what_it_left_aside(caplog: pytest.LogCaptureFixture) -> None:
    sampler = ForetellSampler(seed=0, n_startup_trials=2)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda t: t.suggest_float("x", -1, 1) + t.suggest_int("n", 1, 9), n_trials=3)
    for found, _ in HOSTILE:
        study._storage.set_trial_system_attr(study.ask()._trial_id, f"{KEY}:0", found)
    optuna.logging.enable_propagation()
    try:
        with caplog.at_level(logging.WARNING):
            study.optimize(lambda t: t.suggest_float("x", -1, 1) + t.suggest_int("n", 1, 9), n_trials=3)
    finally:
        optuna.logging.disable_propagation()
    said = [r.getMessage() for r in caplog.records if "proposal" in r.getMessage()]
    assert len(said) == 1
    assert "Trial 3's proposal is left aside (a running trial's proposal must be whole JSON" in said[0]
    assert len(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))) == 6


def test_a_storage_that_takes_no_attribute_costs_no_trial(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(sampler=ForetellSampler(seed=0, n_startup_trials=2))

    def full(*_: object) -> None:
        raise optuna.exceptions.StorageInternalError("no space left on device")

    monkeypatch.setattr(study._storage, "set_trial_system_attr", full)
    optuna.logging.enable_propagation()
    try:
        with caplog.at_level(logging.WARNING):
            study.optimize(lambda t: t.suggest_float("x", -1, 1), n_trials=8)
    finally:
        optuna.logging.disable_propagation()
    said = [r.getMessage() for r in caplog.records if "proposal" in r.getMessage()]
    assert len(said) == 1
    assert "no space left on device" in said[0]
    assert len({t.params["x"] for t in study.trials if t.values}) == 8
