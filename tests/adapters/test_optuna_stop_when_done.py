"""`StopWhenDone`: stops what is done, lets go on what is not, with any sampler and kind of trial."""

from __future__ import annotations

import optuna
import pytest

from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler, StopWhenDone

optuna.logging.set_verbosity(optuna.logging.ERROR)


def bowl(trial: optuna.Trial) -> float:
    return (trial.suggest_float("x", -3, 3) - 1) ** 2 + (trial.suggest_float("y", -3, 3) + 1) ** 2


def table(trial: optuna.Trial) -> float:
    return trial.suggest_int("a", 0, 7) * trial.suggest_categorical("b", (1, 2, 3))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_a_search_that_found_the_best_is_stopped(direction: str) -> None:
    sign = 1 if direction == "minimize" else -1
    study = optuna.create_study(direction=direction, sampler=ForetellSampler(seed=0))
    study.optimize(lambda trial: sign * bowl(trial), n_trials=90, callbacks=[StopWhenDone()])
    assert 20 <= len(study.trials) < 80
    assert abs(study.best_value) < 0.02


def test_a_small_table_is_stopped_at_its_best() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.optimize(table, n_trials=90, callbacks=[StopWhenDone()])
    assert len(study.trials) < 90
    assert study.best_value == 21


def test_a_search_that_goes_on_gaining_is_not() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))

    def rising(trial: optuna.Trial) -> float:
        return trial.number + trial.suggest_float("x", 0, 1)

    study.optimize(rising, n_trials=45, callbacks=[StopWhenDone(trials=10)])
    assert len(study.trials) == 45


def test_an_absolute_bound_stops_earlier() -> None:
    ends = []
    for gain in (None, 5.0):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
        study.optimize(bowl, n_trials=45, callbacks=[StopWhenDone(gain=gain, share=1e-5)])
        ends.append(len(study.trials))
    assert ends[1] == 25  # two checks, the first after 20
    assert ends[0] == 45


def test_trials_without_a_value_do_not_count() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))

    def often_failing(trial: optuna.Trial) -> float:
        value = bowl(trial)
        if trial.number % 2:
            raise optuna.TrialPruned
        return value

    study.optimize(often_failing, n_trials=38, callbacks=[StopWhenDone(gain=5.0)])
    assert len(study.trials) == 38  # 19 values are too few to judge by


def test_no_parameters_no_judgement() -> None:
    study = optuna.create_study()
    study.optimize(lambda trial: 1.0, n_trials=30, callbacks=[StopWhenDone()])
    assert len(study.trials) == 30


def test_refusals() -> None:
    for wrong in ({"trials": 0}, {"every": 0}, {"checks": 0}, {"min_trials": 3}, {"share": -1.0}, {"gain": -1.0}):
        with pytest.raises(InvalidDataError, match="must be at least 1"):
            StopWhenDone(**wrong)
    study = optuna.create_study(directions=["minimize", "minimize"])
    with pytest.raises(InvalidDataError, match="judged by one objective"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=1, callbacks=[StopWhenDone()])
