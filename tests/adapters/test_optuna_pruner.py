"""`ForetellPruner`: real studies in both directions and with several samplers, and Optuna's own demands on a pruner."""

from __future__ import annotations

import math
import pickle
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from foretell.benchmarks import digits
from foretell.curve_rule import CurveRule
from foretell.errors import InvalidDataError
from foretell.learning_curve import FinishedRun
from foretell_adapters.optuna import ForetellPruner, ForetellSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)
EPOCHS = 30


def curve(trial: optuna.Trial, sign: float) -> float:
    """A training that gains towards an asymptote that depends on two parameters."""
    lr, width = trial.suggest_float("lr", 1e-4, 1.0, log=True), trial.suggest_int("width", 8, 256, log=True)
    end = 0.9 - 0.08 * (math.log10(lr) + 2) ** 2 - 0.02 * (math.log2(width) - 6) ** 2
    value = 0.0
    for epoch in range(1, EPOCHS + 1):
        value = end - (end - 0.1) * 0.85**epoch
        trial.report(sign * value, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return sign * value


def spent(study: optuna.Study) -> int:
    return sum(len(t.intermediate_values) for t in study.trials)


@pytest.mark.parametrize(("kind", "direction"), [("random", "minimize"), ("tpe", "maximize"), ("foretell", "minimize")])
def test_it_saves_epochs_with_any_sampler(kind: str, direction: str) -> None:
    sign = 1.0 if direction == "maximize" else -1.0
    samplers: dict[str, Any] = {
        "random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler, "foretell": ForetellSampler,
    }  # fmt: skip
    epochs = [0, 0]
    for seed in (1, 2, 3):
        studies = []
        for i, pruner in enumerate((ForetellPruner(), optuna.pruners.NopPruner())):
            studies.append(optuna.create_study(direction=direction, sampler=samplers[kind](seed=seed), pruner=pruner))
            studies[-1].optimize(lambda trial: curve(trial, sign), n_trials=24)
            epochs[i] += spent(studies[-1])
        assert abs(studies[0].best_value - studies[1].best_value) < 0.02
    assert epochs[0] < (0.9 if kind == "foretell" else 0.6) * epochs[1]  # whose proposals are good


def test_directions_mirror_each_other() -> None:
    runs = []
    for direction, sign in (("maximize", 1.0), ("minimize", -1.0)):
        sampler = optuna.samplers.RandomSampler(seed=5)
        study = optuna.create_study(direction=direction, sampler=sampler, pruner=ForetellPruner())
        study.optimize(lambda trial, sign=sign: curve(trial, sign), n_trials=25)
        runs.append([len(t.intermediate_values) for t in study.trials])
    assert runs[0] == runs[1]


def test_it_is_silent_without_reports_and_before_enough_trials() -> None:
    study = optuna.create_study(pruner=ForetellPruner(n_startup_trials=3))
    trial = study.ask()
    assert not trial.should_prune()
    study.tell(trial, 1.0)  # finished without a report: no curve to learn from
    for _ in range(2):
        trial = study.ask()
        trial.report(1.0, 1)
        trial.report(0.5, 10)
        study.tell(trial, 0.5)
    trial = study.ask()
    trial.report(100.0, 5)
    assert not trial.should_prune()
    study.tell(trial, 100.0)
    trial = study.ask()
    trial.report(math.nan, 5)
    assert trial.should_prune()


def test_it_keeps_nothing_between_calls() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: curve(trial, 1.0), n_trials=8)
    trial = study.ask()
    for epoch in range(1, 12):
        trial.report(-1.0, epoch)
    frozen = study._storage.get_trial(trial._trial_id)
    pruner = ForetellPruner()
    copy = pickle.loads(pickle.dumps(pruner))
    assert pruner.prune(study, frozen) is True
    assert copy.prune(study, frozen) is True
    assert repr(copy) == repr(pruner) == "ForetellPruner(threshold=0.005, n_startup_trials=1, patience=0.03, pace=0.75)"


def test_it_says_what_the_rule_says_of_whole_curves() -> None:
    """It reads of others only what they are asked for; some report at every step, some at every third."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=3))
    curves: dict[TrialState, list[tuple[tuple[float, float], ...]]] = {TrialState.COMPLETE: [], TrialState.PRUNED: []}
    for i in range(12):
        trial = study.ask()
        end, rate = trial.suggest_float("end", 0, 1), trial.suggest_float("rate", 0.7, 0.95)
        steps = range(1, (EPOCHS if i % 4 == 0 else i) + 1, 3 if i % 3 == 0 else 1)
        reported = tuple((float(s), end * (1 - rate**s)) for s in steps)
        for step, value in reported:
            trial.report(value, int(step))
        state = TrialState.COMPLETE if i % 4 == 0 else TrialState.PRUNED
        curves[state].append(reported)
        study.tell(trial, reported[-1][1] if state == TrialState.COMPLETE else None, state)
    finished = [FinishedRun(c, c[-1][1]) for c in curves[TrialState.COMPLETE]]
    said = []
    for end in (0.2, 0.5, 0.7, 0.8, 0.85, 0.9, 1.0):
        trial, running = study.ask(), tuple((float(s), end * (1 - 0.85**s)) for s in range(1, 8))
        for step, value in running:
            trial.report(value, int(step))
        said.append(ForetellPruner().prune(study, frozen(trial)))
        others = curves[TrialState.PRUNED]
        assert said[-1] is CurveRule().hopeless(finished, running, trial.number + 1, others)
        study.tell(trial, state=TrialState.FAIL)
        others.append(running)
    assert True in said
    assert False in said


def frozen(trial: optuna.Trial) -> FrozenTrial:
    return trial.study._storage.get_trial(trial._trial_id)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="threshold"):
        ForetellPruner(threshold=1.5)


def test_real_trainings_are_cut_short() -> None:
    """Handwritten digits, learning rates from useless to good: the useless ones go, the best one stays."""
    config: dict[str, Any] = {
        "family": "mlp", "depth": 1, "width": 8, "activation": "relu", "norm": "none", "skip": False, "dropout": 0.0,
        "optimizer": "adam", "weight_decay": 1e-6, "batch_size": 256,
    }  # fmt: skip
    rates = [1e-4, 1e-2, 3e-4, 3e-3, 1e-3, 1e-4, 2e-2, 2e-4, 5e-3, 1e-4]
    curves = [[s.log_loss for s in digits.train_curve({**config, "lr": lr}, 0, 10)] for lr in rates]
    study = optuna.create_study(pruner=ForetellPruner())
    for losses in curves:
        trial = study.ask()
        for epoch, loss in enumerate(losses, start=1):
            trial.report(loss, epoch)
            if trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, losses[-1])
    assert study.best_value == min(c[-1] for c in curves)
    assert spent(study) < 0.85 * 100  # half of them are needed to begin with
    assert [t.state.name for t in study.trials if t.number in {5, 7, 9}] == ["PRUNED"] * 3
