"""One process over a cube's columns: what is fitted is found again whenever the same would be fitted."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import early_fit
from foretell.distributions import CategoricalDistribution, FloatDistribution
from foretell.search_memory import SearchMemory
from foretell.search_space import Condition, SearchSpace
from foretell.study_belief import Trend
from foretell.unit_cube import UnitCube

DISTRIBUTIONS = {
    "op": CategoricalDistribution(("conv", "pool", "none")),
    "mode": CategoricalDistribution(("conv", "pool", "none")),
    "x": FloatDistribution(0.0, 1.0),
}


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many observations each fit had."""
    found: list[int] = []
    fit = early_fit.fit_theta
    monkeypatch.setattr(early_fit, "fit_theta", lambda X, *rest: found.append(len(X)) or fit(X, *rest))
    return found


def positions(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = SearchSpace(DISTRIBUTIONS).sample_units(n, rng)
    rows[::3, 2] = np.nan
    return rows


def test_another_condition_that_says_the_same_of_what_was_tried_costs_no_fit(fits: list[int]) -> None:
    memory, rows, y = SearchMemory(), positions(24), np.random.default_rng(1).standard_normal(24)
    trends = []
    for parent in ("op", "mode"):
        space = SearchSpace(DISTRIBUTIONS, {"x": (Condition(parent, frozenset({"conv"})),)})
        trends.append(Trend.fit(UnitCube(space), rows, y, memory, scales=(np.inf,)))
    assert fits == [18, 24]  # what the second begins with
    assert (trends[0].process.alpha == trends[1].process.alpha).all()


def test_a_few_more_observations_cost_no_fit_and_follow_the_same_scales(fits: list[int]) -> None:
    memory, rows, y = SearchMemory(), positions(26), np.random.default_rng(1).standard_normal(26)
    cube = UnitCube(SearchSpace(DISTRIBUTIONS), np.array([False, False, True]))
    first, second = (Trend.fit(cube, rows[:n], y[:n], memory, scales=(np.inf,)) for n in (24, 26))
    assert fits == [18, 24]
    assert (first.process.scale == second.process.scale).all()
    assert len(second.process.alpha) == 26


def test_another_target_is_fitted_anew(fits: list[int]) -> None:
    memory, rows, y = SearchMemory(), positions(24), np.random.default_rng(1).standard_normal(24)
    cube = UnitCube(SearchSpace(DISTRIBUTIONS), np.array([False, False, True]))
    for target in (y, -y):
        Trend.fit(cube, rows, target, memory, scales=(np.inf,))
    assert fits == [18, 24] * 2
