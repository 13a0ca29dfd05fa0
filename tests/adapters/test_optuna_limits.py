"""Hard limits in Optuna: no proposal is beyond, from the first trial on."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
import torch
from torch import nn

from foretell.benchmarks.runner import Cell
from foretell.errors import InvalidDataError
from foretell.limit import Limit
from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.limits_bench import LimitsBench

FLOAT, INT, CHOICE = (
    optuna.distributions.FloatDistribution, optuna.distributions.IntDistribution,
    optuna.distributions.CategoricalDistribution,
)  # fmt: skip
SPACE = {
    "depth": INT(1, 6),
    "width": INT(4, 64, log=True),
    "skip": CHOICE([False, True]),
    "lr": FLOAT(1e-4, 1, log=True),
}


def build(params: dict[str, Any]) -> nn.Module:
    width = params["width"]
    inner = [layer for _ in range(params["depth"] - 1) for layer in (nn.ReLU(), nn.Linear(width, width))]
    return nn.Sequential(nn.Linear(8, width), *inner, nn.Linear(width, 1))


def count(params: dict[str, Any]) -> int:
    return sum(p.numel() for p in build(params).parameters())


def run(sampler: ForetellSampler, n: int, direction: str = "maximize") -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=sampler, direction=direction)

    def objective(trial: optuna.Trial) -> float:
        depth, width = trial.suggest_int("depth", 1, 6), trial.suggest_int("width", 4, 64, log=True)
        if depth > 2:
            trial.suggest_categorical("skip", [False, True])
        return depth + width / 10 - abs(trial.suggest_float("lr", 1e-4, 1, log=True) - 0.01)

    study.optimize(objective, n_trials=n)
    return [t.params for t in study.trials]


@pytest.mark.parametrize("at_most", [45, 400])
def test_parameters_of_networks_stay_below_a_limit(at_most: int) -> None:
    sampler = ForetellSampler(
        seed=0, limits={"params": at_most}, search_space=SPACE, graph=build, example_inputs=torch.zeros(1, 8)
    )
    trials = run(sampler, 11)
    assert max(map(count, trials)) <= at_most
    if at_most > 45:  # only one network is that small
        assert max(map(count, trials)) > 0.7 * at_most


def test_no_proposal_is_beyond_a_latency_with_conditions_and_pending_trials() -> None:
    def latency(params: dict[str, Any]) -> float:
        return float(params["depth"] * params["width"]) * (2.0 if params["depth"] > 2 and params["skip"] else 1.0)

    sampler = ForetellSampler(seed=0, limits=[Limit(latency, 60.0)], search_space=SPACE)
    assert max(latency({"skip": False, **p}) for p in run(sampler, 25)) <= 60.0


def test_a_space_that_is_given_is_proposed_whole_from_the_first_trial_on() -> None:
    study = optuna.create_study(sampler=ForetellSampler(seed=0, search_space=SPACE))
    assert set(study.ask().relative_params) == set(SPACE)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": {"params": 3}}, "limits need the whole space from the first trial on"),
        ({"limits": {"flops": 3}, "search_space": SPACE}, "need the network: pass graph="),
        ({"limits": {"watts": 3}, "search_space": SPACE}, "must be one of flops, params, memory"),
    ],
)
def test_limits_say_what_they_need(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        ForetellSampler(**settings)


def test_parameters_outside_the_given_space_are_refused() -> None:
    study = optuna.create_study(sampler=ForetellSampler(seed=0, limits=[Limit(lambda p: 1.0, 2.0)], search_space=SPACE))
    trial = study.ask()
    assert trial.suggest_int("depth", 1, 6)
    with pytest.raises(
        InvalidDataError, match="every parameter must be in `search_space`, but the trial asks for 'new'"
    ):
        trial.suggest_int("new", 1, 6)


def test_limits_that_nothing_keeps_are_said() -> None:
    sampler = ForetellSampler(seed=0, limits=[Limit(lambda p: 9.0, 3.0)], search_space=SPACE)
    with pytest.raises(InvalidDataError, match="costs 3 times what is allowed"):
        optuna.create_study(sampler=sampler).ask().suggest_int("depth", 1, 6)


def test_the_bench_counts_what_is_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    from itertools import product

    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.capture import nasbench201
    from foretell.search_space import SearchSpace
    from foretell_adapters.optuna import limits_bench

    specs = list(product(range(5), repeat=6))
    latencies = {spec: 1.0 + sum(digit == 2 for digit in spec) for spec in specs}

    def value(config: Any) -> float:
        return float(sum(config[name] == nasbench201.OPERATIONS[2] for name in config))

    problem = SearchProblem(SearchSpace({}), value, torch.linspace(0, 6, 7).double().numpy())
    bench = LimitsBench(_latencies={"edgegpu": latencies}, _problem=[problem])
    monkeypatch.setattr(limits_bench, "_TRIALS", 12)
    for method in ("foretell", "tpe-rejection", "random-rejection", "tpe-constraints"):
        found = bench.measure(Cell(method, "nasbench201", "edgegpu", 50, 0))
        assert (found["violations"][0] == 0.0) or method == "tpe-constraints"
        assert 0.0 <= found["regret@60"][0] <= found["regret@20"][0] <= 2.0
    assert {c.method for c in bench.cells(bench.methods, 1, quick=True)} == set(bench.methods)
