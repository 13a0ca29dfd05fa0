"""Objectives that give what is no result, on every kind of storage, among such that do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from fault_worker import Ledger, bowl
from optuna.trial import TrialState

from foretell_adapters.optuna import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_worker import Place
    from faulty_study import FaultyStudy


def raising(error: BaseException) -> Callable[[optuna.Trial], Any]:
    def objective(trial: optuna.Trial) -> Any:
        bowl(trial)
        raise error

    return objective


def giving(value: Any) -> Callable[[optuna.Trial], Any]:
    def objective(trial: optuna.Trial) -> Any:
        bowl(trial)
        return value

    return objective


def reporting(*values: float) -> Callable[[optuna.Trial], Any]:
    def objective(trial: optuna.Trial) -> Any:
        bowl(trial)
        for step, value in enumerate(values):
            trial.report(value, step)
        raise optuna.TrialPruned

    return objective


def with_constraint(value: float) -> Callable[[optuna.Trial], Any]:
    def objective(trial: optuna.Trial) -> Any:
        trial.set_constraint("c", value)
        return giving(None)(trial)

    return objective


FAULTS: dict[str, list[Callable[[optuna.Trial], Any]]] = {
    "objective gives NaN": [giving(math.nan), giving(float("-nan"))],
    "objective gives a wrong type": [
        giving(None), giving("text"), giving([1.0, 2.0]), giving(()), giving({}), giving(1j), giving(object()),
        giving([None]), giving("nan"), giving(b""),
    ],
    "objective raises": [
        raising(ValueError("x" * 5000)), raising(MemoryError()), raising(RecursionError()), raising(StopIteration()),
        raising(KeyError(None)), lambda trial: trial.suggest_float("x", 1, -1), raising(AssertionError()),
        lambda trial: trial.suggest_int("k", 1, 99) / 0,
    ],
    "objective prunes itself": [
        reporting(), reporting(math.nan), reporting(math.inf, -math.inf), reporting(1e300, 5e-324),
    ],
    "constraint of no use": [with_constraint(math.inf), with_constraint(-math.inf), with_constraint(math.nan)],
}  # fmt: skip


@pytest.mark.parametrize("place", ["sqlite", "journal"], indirect=True)
@pytest.mark.filterwarnings("ignore:The reported value is ignored", "ignore:.*is not acceptable")
def test_what_is_no_result_costs_no_other(place: Place, start_study: Callable[[Place], FaultyStudy]) -> None:
    faulty = start_study(place)
    sampler = ForetellSampler(seed=1, n_startup_trials=4, warn_independent_sampling=False)
    study = optuna.load_study(study_name="faults", storage=place.open(pooled=False), sampler=sampler)
    ledger = Ledger(faulty.folder, 99)
    infinite = 0
    for fault, objectives in FAULTS.items():
        for objective in objectives:
            before = len(study.trials)
            study.optimize(objective, n_trials=1, catch=(Exception,))
            bad = study.trials[-1]
            assert len(study.trials) == before + 1
            assert bad.state in (TrialState.FAIL, TrialState.PRUNED)
            trial = study.ask()
            value = bowl(trial) + len(study.trials) * 1e-9
            if objective is objectives[0]:  # infinite results are results
                infinite += 1
                value = math.copysign(math.inf, (-1) ** infinite) if infinite <= 2 else value
            ledger.write("telling", number=trial.number, value=value)
            study.tell(trial, value)
            ledger.write("told", number=trial.number, value=value)
        if fault != list(FAULTS)[-1]:
            faulty.table.count(fault, place.kind, injected=len(objectives))
    assert sum(not math.isfinite(t.values[0]) for t in study.get_trials(states=[TrialState.COMPLETE])) == 2
    assert faulty.reckon(list(FAULTS)[-1], len(FAULTS[list(FAULTS)[-1]])) is not None
