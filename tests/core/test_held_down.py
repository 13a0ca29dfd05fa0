"""Targets of evaluations that were stopped early."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.held_down import held_down


def test_held_down_by_hand() -> None:
    y = np.array([1.0, 2.0, 3.0, 9.0, 0.5])
    partial = np.array([False, False, False, True, True])
    assert held_down(y, partial).tolist() == [1.0, 2.0, 3.0, 2.0, 0.5]
    assert held_down(y, np.zeros(5, bool)) is y
    assert held_down(y, np.ones(5, bool)) is y


@pytest.mark.parametrize(
    ("finished", "limit"), [([-np.inf, np.inf], -np.inf), ([-np.inf, -np.inf], -np.inf), ([1.0, np.inf], 1.0)]
)
def test_held_down_with_infinite_finished_ones(finished: list[float], limit: float) -> None:
    out = held_down(np.array([*finished, 5.0]), np.array([False, False, True]))
    assert out.tolist() == [*finished, limit]
