"""Costs: what they take from a gain, and what a search makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.cost_aware import SHARE, CostAware
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace
from foretell.unit_cube import UnitCube

SPACE = SearchSpace(
    {
        "x": FloatDistribution(0.0, 1.0),
        "epochs": IntDistribution(1, 100, log=True),
        "kind": CategoricalDistribution(("a", "b", "c")),
    }
)


def cost_of(config: dict) -> float:
    """Cost proportional to the epochs, twice as much for b."""
    return config["epochs"] * (2.0 if config["kind"] == "b" else 1.0)


def observed(n: int, seed: int = 0, cost: float | None = None, **more: bool) -> list[Observation]:
    rng = np.random.default_rng(seed)
    configs = [SPACE.sample(rng) for _ in range(n)]
    return [
        Observation(c, (-((c["x"] - 0.3) ** 2),), cost=cost_of(c) if cost is None else cost, **more) for c in configs
    ]


def aware_of(observations: list[Observation], **known: object) -> CostAware | None:
    memory = SearchMemory()
    cube = UnitCube(SPACE)
    return CostAware.of(cube, SPACE.to_unit([o.config for o in observations]), observations, memory, **known)


def test_costs_that_are_a_power_of_a_parameter_are_predicted() -> None:
    aware = aware_of(observed(40))
    assert aware is not None
    new = [SPACE.sample(np.random.default_rng(100 + i)) for i in range(30)]
    error = aware.log_costs(SPACE.to_unit(new)) - np.log([cost_of(c) for c in new])
    assert np.sqrt(np.mean(error**2)) < 0.15  # the logarithms spread by 1.3


def test_the_burden_is_the_cost_and_a_share_of_what_was_spent() -> None:
    observations = observed(12)
    aware = aware_of(observations, known=cost_of)
    assert aware is not None
    spent = math.fsum(cost_of(o.config) for o in observations)
    expected = [math.log(cost_of(o.config) + SHARE * spent) for o in observations]
    assert aware.exact_burden([o.config for o in observations]) == pytest.approx(expected)


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=8), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=40)
def test_a_burden_grows_with_the_cost_and_differs_less_the_more_was_spent(
    spent: list[float], low: float, high: float
) -> None:
    config = {"x": 0.5, "epochs": 10, "kind": "a"}
    costs = {"a": low, "b": low + high}
    burdens = []
    for more in ([], [1e9]):
        observations = [Observation(config, (0.0,), cost=c) for c in spent + more]
        aware = aware_of(observations, known=lambda c: costs[c["kind"]])
        assert aware is not None
        cheap, dear = aware.exact_burden([config | {"kind": "a"}, config | {"kind": "b"}]).tolist()
        assert cheap < dear or high < 1e-12 * low or math.fsum(spent + more) * SHARE > 1e13 * high
        assert dear - cheap <= math.log((low + high) / low) + 1e-9  # never more than gain per cost
        burdens.append(dear - cheap)
    assert burdens[1] <= burdens[0] + 1e-12


@pytest.mark.parametrize("n", [3, 14])
def test_equal_costs_change_no_proposal(n: int) -> None:
    plain = [Observation(o.config, o.values) for o in observed(n)]
    for cost in (1e-9, 1.0, 1e12):
        told = observed(n, cost=cost)
        first, second = (BayesianOptimizer(SPACE, n_startup=3).suggest(o, seed=[1, n], index=n) for o in (plain, told))
        assert first == second


def test_another_unit_changes_no_proposal() -> None:
    seconds = observed(14)
    hours = [Observation(o.config, o.values, cost=o.cost / 4096) for o in seconds if o.cost is not None]
    first, second = (BayesianOptimizer(SPACE).suggest(o, seed=[1, 14], index=14) for o in (seconds, hours))
    assert first == second


@pytest.mark.parametrize("known", [True, False])
def test_where_a_parameter_only_costs_the_cheap_end_is_searched_first(known: bool) -> None:
    observations: list[Observation] = []
    optimizer = BayesianOptimizer(SPACE, n_startup=4, cost=cost_of if known else None)
    plain: list[Observation] = []
    for i in range(16):
        config = optimizer.suggest(observations, seed=[0, i], index=i)
        value = -((config["x"] - 0.3) ** 2)
        observations.append(Observation(config, (value,), cost=None if known else cost_of(config)))
        other = BayesianOptimizer(SPACE, n_startup=4).suggest(plain, seed=[0, i], index=i)
        plain.append(Observation(other, (-((other["x"] - 0.3) ** 2),)))
    spent, spent_plain = (math.fsum(cost_of(o.config) for o in seen[4:]) for seen in (observations, plain))
    assert spent < spent_plain / 3
    assert max(o.values[0] for o in observations) > -0.01


def test_what_was_stopped_early_is_spent_but_teaches_nothing() -> None:
    whole = observed(10)
    stopped = [Observation(o.config, o.values, partial=True, cost=0.01) for o in whole]
    alone, both = aware_of(whole), aware_of(whole + stopped)
    assert alone is not None
    assert both is not None
    rows = SPACE.to_unit([o.config for o in whole])
    assert (alone.log_costs(rows) == both.log_costs(rows)).all()
    assert both.spent == pytest.approx(alone.spent + 0.1)
    assert aware_of(stopped) is None


def test_observations_without_a_cost_are_left_aside() -> None:
    told = observed(10)
    silent = [Observation(o.config, o.values) for o in observed(10, seed=5)]
    alone, both = aware_of(told), aware_of([*told[:5], *silent, *told[5:]])
    assert alone is not None
    assert both is not None
    rows = SPACE.to_unit([o.config for o in told])
    assert (alone.log_costs(rows) == both.log_costs(rows)).all()
    assert aware_of(silent) is None
    assert aware_of([*silent, told[0]]) is None


@pytest.mark.parametrize("cost", [0.0, -1.0, math.nan, math.inf, True, "3"])
def test_a_cost_is_a_finite_number_above_zero(cost: object) -> None:
    with pytest.raises(InvalidDataError, match="finite number above 0"):
        Observation({"x": 0.5}, (1.0,), cost=cost)  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="finite number above 0"):
        BayesianOptimizer(SPACE, cost=lambda config: cost).suggest([Observation({"x": 0.5}, (1.0,))])  # type: ignore[arg-type,return-value]  # fmt: skip


def test_several_objectives_with_a_cost_are_refused() -> None:
    two = [Observation(o.config, (o.values[0], 1.0), cost=1.0) for o in observed(3)]
    with pytest.raises(InvalidDataError, match="one objective, but got 2: make the cost one of them"):
        BayesianOptimizer(SPACE).suggest(two)
