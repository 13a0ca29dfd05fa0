"""`ForetellSampler(pretrained=...)`: where it begins, and what it asks for."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from foretell.capture import nasbench201
from foretell.errors import CheckpointError, InvalidDataError
from foretell_adapters.optuna import ForetellSampler


def graph(params: dict[str, Any]) -> Any:
    return nasbench201.graph([nasbench201.OPERATIONS.index(params[f"edge{i}"]) for i in range(6)])


def objective(trial: optuna.Trial) -> float:
    for i in range(6):
        trial.suggest_categorical(f"edge{i}", nasbench201.OPERATIONS)
    return float(graph(trial.params).params)


def test_a_favourite_is_among_the_first_trials() -> None:
    study = optuna.create_study(
        direction="maximize", sampler=ForetellSampler(seed=0, graph=graph, pretrained="foretell-pretrained")
    )
    study.optimize(objective, n_trials=3)
    assert study.trials[2].value == max(t.value for t in study.trials if t.value is not None)


def test_weights_need_networks_and_must_be_there() -> None:
    with pytest.raises(InvalidDataError, match=r"`pretrained` expects something of networks, but `graph` is None"):
        ForetellSampler(pretrained="foretell-pretrained")
    with pytest.raises(CheckpointError, match="a checkpoint must hold a folder for each source"):
        ForetellSampler(graph=graph, pretrained="no-such-weights")
