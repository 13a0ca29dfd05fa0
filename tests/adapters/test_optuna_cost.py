"""`ForetellSampler(cost=...)`: where costs come from, what wrong ones do, and that they are used."""

from __future__ import annotations

import json
import logging
import math
import pickle
from datetime import datetime, timedelta
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.trial_cost import TrialCost

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: optuna.Trial) -> float:
    """Best at x = .3; epochs only cost."""
    x, epochs = trial.suggest_float("x", 0, 1), trial.suggest_int("epochs", 1, 100, log=True)
    trial.set_user_attr("seconds", float(epochs))
    return (x - 0.3) ** 2


def study_of(n_trials: int, cost: Any, **settings: Any) -> optuna.Study:
    study = optuna.create_study(sampler=ForetellSampler(seed=settings.get("seed", 0), cost=cost, n_startup_trials=4))
    study.optimize(settings.get("objective", objective), n_trials=n_trials)
    return study


def spent(study: optuna.Study) -> float:
    return math.fsum(t.params["epochs"] for t in study.trials[5:])


def finished(value: float, seconds: float, **attributes: Any) -> optuna.trial.FrozenTrial:
    trial = create_trial(
        params={"x": value, "epochs": 1},
        distributions={"x": FloatDistribution(0, 1), "epochs": IntDistribution(1, 100, log=True)},
        value=value,
        user_attrs=attributes,
    )
    trial.datetime_start = datetime(2020, 1, 1)
    trial.datetime_complete = trial.datetime_start + timedelta(seconds=seconds)
    return trial


@pytest.mark.parametrize("cost", ["seconds", lambda params: 2.0 * params["epochs"]])
def test_what_costs_less_is_tried_where_it_is_as_good(cost: Any) -> None:
    told, plain = ([study_of(20, c, seed=seed) for seed in (0, 1)] for c in (cost, None))
    assert sum(map(spent, told)) < 0.6 * sum(map(spent, plain))
    assert all(study.best_value < 0.01 for study in told)


def test_time_is_the_duration_of_a_trial() -> None:
    assert TrialCost("time")(finished(0.5, 90.0)) == 90.0


def test_durations_are_learnt_from() -> None:
    study = optuna.create_study(sampler=ForetellSampler(seed=0, cost="time"))
    dear = [finished(x / 10, 1000.0) for x in range(6, 10)]
    study.add_trials([*dear, *(finished(0.5 + x / 1000, 1.0) for x in range(6))])
    sampler = study.sampler
    assert isinstance(sampler, ForetellSampler)
    assert [o.cost for o in sampler._memory.observations(study, study.trials)] == [1.0] * 6 + [1000.0] * 4
    assert study.ask(dear[0].distributions).params["x"] < 0.6


@pytest.mark.parametrize("wrong", [None, -1.0, 0.0, math.nan, math.inf, "3 s", True])
def test_a_wrong_attribute_is_left_aside_and_said_once(wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken(trial: optuna.Trial) -> float:
        value = objective(trial)
        trial.set_user_attr("seconds", wrong)
        return value

    optuna.logging.enable_propagation()
    caplog.set_level(logging.WARNING)
    try:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = study_of(9, "seconds", objective=broken)
    finally:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        optuna.logging.disable_propagation()
    said = [r.message for r in caplog.records if "cost is left aside" in r.message]
    assert len(said) == 1
    assert "finite number above 0" in said[0]
    assert len(study.trials) == 9


def test_a_missing_attribute_says_what_to_do() -> None:
    with pytest.raises(InvalidDataError, match=r"must have the user attribute 'seconds'.*set_user_attr"):
        TrialCost("seconds")(finished(0.5, 1.0))


@pytest.mark.parametrize("cost", [lambda params: -1.0, lambda params: math.nan, lambda params: None])
def test_a_function_that_gives_no_cost_is_an_error(cost: Any) -> None:
    with pytest.raises(InvalidDataError, match="finite number above 0, but"):
        study_of(4, cost)


@pytest.mark.parametrize("cost", ["", 3, ["seconds"]])
def test_a_cost_is_named_or_a_function(cost: Any) -> None:
    with pytest.raises(InvalidDataError, match="'time', the name of a user attribute or a function"):
        ForetellSampler(cost=cost)


def test_several_objectives_are_refused_at_the_first_trial() -> None:
    study = optuna.create_study(directions=["minimize"] * 2, sampler=ForetellSampler(seed=0, cost="time"))
    with pytest.raises(InvalidDataError, match="`cost` is for one objective, but the study has 2: make the cost"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=1)


def test_pruned_failed_running_and_enqueued_trials_are_survived() -> None:
    def mixed(trial: optuna.Trial) -> float:
        value = objective(trial)
        if trial.number % 4 == 1:
            trial.report(value, step=1)
            raise optuna.TrialPruned
        if trial.number % 4 == 3:
            raise RuntimeError
        return value

    study = optuna.create_study(sampler=ForetellSampler(seed=0, cost="seconds", n_startup_trials=3))
    study.enqueue_trial({"x": 0.9})
    study.optimize(mixed, n_trials=10, catch=(RuntimeError,))
    running = [study.ask() for _ in range(3)]
    given = [(t.suggest_float("x", 0, 1), t.suggest_int("epochs", 1, 100, log=True)) for t in running]
    assert len(set(given)) == 3
    study.optimize(mixed, n_trials=4, catch=(RuntimeError,))
    states = {t.state for t in study.trials}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING}


def test_a_pickled_sampler_goes_on_alike_and_so_does_one_that_starts_anew() -> None:
    whole = study_of(10, "seconds")
    for anew in (True, False):
        study = study_of(6, "seconds")
        fresh = ForetellSampler(seed=0, cost="seconds", n_startup_trials=4)
        study.sampler = fresh if anew else pickle.loads(pickle.dumps(study.sampler))
        study.optimize(objective, n_trials=4)
        assert json.dumps([t.params for t in study.trials]) == json.dumps([t.params for t in whole.trials])


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_a_function_sees_choices_as_the_objective_does() -> None:
    seen: list[Any] = []

    def cost(params: dict[str, Any]) -> float:
        seen.append(params["width"])
        return float(params["width"][0])

    def wide(trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 0, 1) + trial.suggest_categorical("width", [(1, 2), (8, 8)])[0]

    study = optuna.create_study(sampler=ForetellSampler(seed=0, cost=cost, n_startup_trials=2))
    study.optimize(wide, n_trials=5)
    assert set(seen) <= {(1, 2), (8, 8)}
