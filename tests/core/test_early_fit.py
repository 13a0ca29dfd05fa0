"""What is fitted early follows from the results so far, found again or not."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.distributions import CategoricalDistribution, FloatDistribution
from foretell.early_fit import EarlyFit, refit_size
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace
from foretell.search_warps import SCALES
from foretell.unit_cube import UnitCube

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "z": FloatDistribution(0.0, 1.0),
                     "op": CategoricalDistribution(("a", "b", "c"))})  # fmt: skip


def results(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    units = SPACE.sample_units(n, rng)
    return units, np.sin(6.0 * units[:, 0]) + 0.3 * (units[:, 2] > 0.5) + 0.05 * rng.standard_normal(n)


def fitted(n: int, memory: SearchMemory, scales: tuple[float, ...] = SCALES) -> EarlyFit:
    units, y = results(60)
    return EarlyFit.of(UnitCube(SPACE), units[:n], y[:n], None, memory, scales)


@pytest.mark.parametrize("n", [6, 12, 24, 60])
def test_the_same_whatever_was_fitted_before(n: int) -> None:
    grown = SearchMemory()
    for size in sorted({refit_size(k) for k in range(4, n + 1)}):
        found = fitted(size, grown)
    alone = fitted(n, SearchMemory())
    assert found.scale == alone.scale
    np.testing.assert_array_equal(found.theta, alone.theta)
    np.testing.assert_array_equal(found.centre, alone.centre)


def test_the_scale_is_asked_when_a_third_has_come_and_theta_follows() -> None:
    memory = SearchMemory()
    found = {n: fitted(n, memory) for n in (18, 21, 24)}
    assert found[21].scale == found[24].scale == found[18].scale
    assert not np.array_equal(found[21].theta, found[24].theta)


def test_a_parameter_that_does_nothing_is_far_longer_than_one_that_does() -> None:
    theta = fitted(60, SearchMemory(), (np.inf,)).theta
    assert theta[1] > theta[0] + 1.0


def test_what_was_stopped_early_is_held_down() -> None:
    units, y = results(30)
    partial = np.arange(30) % 3 == 0
    high, higher = (np.where(partial, v, y) for v in (50.0, 90.0))
    a, b = (EarlyFit.of(UnitCube(SPACE), units, v, partial, SearchMemory(), SCALES) for v in (high, higher))
    np.testing.assert_array_equal(a.theta, b.theta)
