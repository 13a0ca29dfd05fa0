"""Programs in Optuna: Optuna's own samplers draw them, and ours searches them."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING

import optuna
import pytest

from foretell.spaces.ready import einspace_tokens, nasbench201_cells
from foretell.spaces.searchers import Evolution
from foretell_adapters.optuna import ForetellSampler, SpaceSampler

if TYPE_CHECKING:
    from foretell.spaces import Space

GRAMMAR = einspace_tokens(6, 9, 4, 3)


def objective(space: Space, trial: optuna.Trial) -> float:
    space.plan(trial)
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    return sum(v in {"attend", "near"} for v in trial.params.values()) - abs(math.log10(trial.params["lr"]) + 2)


@pytest.mark.parametrize(
    "sampler", [optuna.samplers.RandomSampler(seed=0), optuna.samplers.TPESampler(seed=0)], ids=["random", "tpe"]
)
def test_optunas_samplers_draw_networks(sampler: optuna.samplers.BaseSampler) -> None:
    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.optimize(lambda trial: objective(GRAMMAR, trial), n_trials=6)
    network = GRAMMAR.build(study.best_params)
    assert network(GRAMMAR.example()).shape == (2, 2)


def test_every_parameter_of_the_network_is_proposed_and_the_others_drawn() -> None:
    study = optuna.create_study(sampler=SpaceSampler(GRAMMAR, seed=0), direction="maximize")
    study.optimize(lambda trial: objective(GRAMMAR, trial), n_trials=14)
    for trial in study.trials:
        assert {n: v for n, v in trial.params.items() if n != "lr"} == dict(GRAMMAR.trace(trial.params).config)
    assert len({t.params["lr"] for t in study.trials}) == 14


def test_the_same_seed_makes_the_same_study_also_when_resumed() -> None:
    def run(pieces: tuple[int, ...]) -> list[dict[str, object]]:
        storage = optuna.storages.InMemoryStorage()
        for n in pieces:
            sampler = pickle.loads(pickle.dumps(SpaceSampler(nasbench201_cells(), seed=3)))
            study = optuna.create_study(storage=storage, study_name="x", sampler=sampler, load_if_exists=True)
            study.optimize(lambda trial: float(nasbench201_cells().plan(trial).text.count("2")), n_trials=n)
        return [t.params for t in study.trials]

    assert run((13,)) == run((11, 2))


def test_failed_and_running_networks_are_not_proposed_again() -> None:
    study = optuna.create_study(sampler=SpaceSampler(GRAMMAR, Evolution(GRAMMAR, population=5), seed=1))
    seen = []
    for i in range(12):
        trial = study.ask()
        GRAMMAR.plan(trial)
        seen.append(frozenset(trial.params.items()))
        if i % 3 == 0:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif i % 3 == 1:
            study.tell(trial, float(len(trial.params)))
    assert len(set(seen)) == 12


def test_a_program_s_graph_is_what_foretells_sampler_sees() -> None:
    space = nasbench201_cells(channels=4, cells=1)
    study = optuna.create_study(sampler=ForetellSampler(seed=0, graph=space.graph), direction="maximize")
    study.optimize(lambda trial: float(space.plan(trial).text.count("2")), n_trials=10)
    assert study.best_value >= 3
