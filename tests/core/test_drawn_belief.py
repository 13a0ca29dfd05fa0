"""Many workers follow draws: each its own, none where limits are drawn to be broken."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import BayesianOptimizer, FloatDistribution, Observation, SearchSpace
from foretell.drawn_belief import DrawnBelief
from foretell.errors import InvalidDataError
from foretell.search_memory import SearchMemory
from foretell.study_belief import StudyBelief
from foretell.thompson_crowd import ThompsonCrowd
from foretell.unit_cube import UnitCube

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "z": FloatDistribution(0.0, 1.0)})
UNITS = SPACE.sample_units(40, np.random.default_rng(0))


def belief(units: np.ndarray, limit: np.ndarray | None = None, failed: np.ndarray = UNITS[:0]) -> StudyBelief:
    """Of a value that grows with x, and is noisy."""
    y = units[:, 0] + 0.3 * np.random.default_rng(1).standard_normal(len(units))
    constraints = np.empty((len(units), 0)) if limit is None else limit[:, None]
    partial = np.zeros(len(units), dtype=bool)
    return StudyBelief.fit(UnitCube(SPACE), units, y[:, None], partial, constraints, UNITS[:0], failed, SearchMemory())


def chosen(known: StudyBelief, n: int = 30) -> np.ndarray:
    rows = SPACE.sample_units(200, np.random.default_rng(2))
    return np.array([rows[np.argmax(DrawnBelief.of(known, np.random.default_rng(s)).score(rows))] for s in range(n)])


def test_draws_spread_around_what_is_good_and_follow_from_their_seed() -> None:
    found = chosen(belief(UNITS))
    assert np.median(found[:, 0]) > 0.7
    assert len(np.unique(found, axis=0)) > 5
    np.testing.assert_array_equal(chosen(belief(UNITS), 5), found[:5])


@pytest.mark.parametrize("kind", ["constraint", "failure"])
def test_what_is_drawn_to_break_a_limit_comes_after_all_else(kind: str) -> None:
    low, high = UNITS[UNITS[:, 0] < 0.5], UNITS[UNITS[:, 0] > 0.5]
    bound = belief(UNITS, UNITS[:, 0] - 0.5) if kind == "constraint" else belief(low, failed=high)
    assert (chosen(bound)[:, 0] < 0.6).mean() > 0.8
    assert (chosen(belief(UNITS))[:, 0] < 0.6).mean() < 0.3


def test_a_crowd_gets_distinct_proposals_near_what_is_good() -> None:
    rng, running = np.random.default_rng(0), []
    configs = [SPACE.sample(rng) for _ in range(30)]
    known = [Observation(c, (-((float(c["x"]) - 0.7) ** 2) - (float(c["z"]) - 0.2) ** 2,)) for c in configs]  # type: ignore[arg-type]
    optimizer = BayesianOptimizer(SPACE, crowd=ThompsonCrowd(16))
    for i in range(48):
        running.append(optimizer.suggest(known, running, seed=[0, i], index=30 + i))
    assert len({tuple(c.values()) for c in running}) == 48
    assert all(SPACE.contains(c) for c in running)
    assert np.median([abs(float(c["x"]) - 0.7) + abs(float(c["z"]) - 0.2) for c in running]) < 0.3  # type: ignore[arg-type]
    assert running[-1] == optimizer.suggest(known, running[:-1], seed=[0, 47], index=77)
    alone = BayesianOptimizer(SPACE)
    assert alone.suggest(known, running[:15], seed=1) == optimizer.suggest(known, running[:15], seed=1)
    assert alone.suggest(known, running[:16], seed=1) != optimizer.suggest(known, running[:16], seed=1)


def test_a_crowd_of_none_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="at least one evaluation under way"):
        ThompsonCrowd(0)
