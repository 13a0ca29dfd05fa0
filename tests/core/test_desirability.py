"""Desirability: one number of several objectives, its expected gain, and searches for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from foretell.desirability import Desirability, log_expected_gain, normal_points, overall
from foretell.distributions import FloatDistribution
from foretell.errors import InvalidDataError
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_space import SearchSpace

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})


def objectives(config: dict) -> tuple[float, float]:
    """A front of x from 0 to 1 at y = .4: the more of one objective, the less of the other."""
    loss = 4 * (config["y"] - 0.4) ** 2
    return config["x"] - loss, 1 - config["x"] - loss


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2), st.integers(0, 1), st.floats(0, 2))
@settings(deadline=None)
def test_more_of_an_objective_is_never_less_desirable(values: list[float], k: int, more: float) -> None:
    wishes = [Desirability(-1.0, 0.5), Desirability(0.0, 1.0)]
    better = [v + (more if i == k else 0.0) for i, v in enumerate(values)]
    low, high = overall(np.array([values, better]), wishes).tolist()
    assert 0 <= low <= high <= 1
    assert low == 0 or values[0] > -1 and values[1] > 0  # noqa: RUF021


def test_the_expected_gain_of_one_objective_is_that_of_two_improvements() -> None:
    # E[max(D - b, 0)] for a straight line clipped at 1: what EI over the threshold has more than EI over the end
    mean, std, low, high, best = 0.3, 0.5, -1.0, 1.0, 0.4
    samples = (mean + std * np.repeat(normal_points(1), 40, axis=1) + 0 * np.arange(40))[..., None]
    threshold = low + best * (high - low)

    def improvement(over: float) -> float:
        z = (mean - over) / std
        return std * float(norm.pdf(z) + z * norm.cdf(z))

    expected = (improvement(threshold) - improvement(high)) / (high - low)
    found = np.exp(log_expected_gain(samples, [Desirability(low, high)], best))
    assert found == pytest.approx(expected, rel=0.03)


def test_wishes_find_the_compromise_and_leave_the_rest_of_the_front_alone() -> None:
    wishes = (Desirability(0.5, 0.9), Desirability(0.0, 0.2))  # best at x = .8, y = .4
    found = {}
    for given_wishes in (wishes, ()):
        observations: list[Observation] = []
        optimizer = BayesianOptimizer(SPACE, wishes=given_wishes)
        for i in range(22):
            config = optimizer.suggest(observations, seed=[0, i], index=i)
            observations.append(Observation(config, objectives(config)))
        found[bool(given_wishes)] = observations[6:]
    reached = {k: float(overall(np.array([o.values for o in v]), wishes).max()) for k, v in found.items()}
    assert reached[True] > 0.8
    assert reached[True] >= reached[False]
    spread = {k: float(np.std([o.config["x"] for o in v])) for k, v in found.items()}  # type: ignore[arg-type]
    assert spread[True] < 0.8 * spread[False]


def test_constraints_failures_and_running_ones_are_minded() -> None:
    rng = np.random.default_rng(0)
    configs = [SPACE.sample(rng) for _ in range(20)]
    wishes = (Desirability(0.0, 1.0), Desirability(0.0, 1.0))
    held = [Observation(c, objectives(c), (c["x"] - 0.3,)) for c in configs]  # type: ignore[operator]
    optimizer = BayesianOptimizer(SPACE, wishes=wishes)
    chosen = [optimizer.suggest(held, seed=s) for s in range(3)]
    assert sum(c["x"] <= 0.35 for c in chosen) >= 2  # type: ignore[operator]
    plain = [Observation(c, objectives(c)) for c in configs]
    first = optimizer.suggest(plain, seed=1)
    second = optimizer.suggest(plain, [first], seed=1)
    assert math.dist((first["x"], first["y"]), (second["x"], second["y"])) > 1e-3  # type: ignore[arg-type]
    broken = [Observation(c, objectives(c), (1.0,)) for c in configs]
    assert SPACE.contains(optimizer.suggest(broken, failed=configs[:3], seed=1))


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (1.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_a_desirability_goes_up(low: float, high: float) -> None:
    with pytest.raises(InvalidDataError, match="finite low < high, but got"):
        Desirability(low, high)


def test_a_wish_is_missing() -> None:
    seen = [Observation({"x": 0.1 * i, "y": 0.5}, (1.0 * i, -1.0 * i)) for i in range(8)]
    with pytest.raises(InvalidDataError, match="one wish an objective, but got 1 for 2"):
        BayesianOptimizer(SPACE, wishes=(Desirability(0.0, 1.0),)).suggest(seen)
