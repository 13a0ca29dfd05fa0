"""What a suggestion starts from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from foretell.distributions import CategoricalDistribution, FloatDistribution, Value
from foretell.observation import Observation
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace
from foretell.study_state import StudyState

SPACE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "c": CategoricalDistribution("ab")})


def state_of(values: list[float], **more: object) -> StudyState:
    tried = [Observation({"x": k / 10, "c": "a"}, (v,)) for k, v in enumerate(values)]
    return StudyState.of(SPACE, SearchMemory(), tried, **more)  # type: ignore[arg-type]


def test_what_is_tried_under_way_or_failed_is_no_news() -> None:
    state = state_of([1.0, 2.0], pending=[{"x": 0.5, "c": "b"}], failed=[{"x": 0.7, "c": "b"}])
    rows = SPACE.to_unit([{"x": x, "c": c} for x, c in ((0.1, "a"), (0.5, "b"), (0.7, "b"), (0.5, "a"), (0.2, "a"))])
    assert state.first(rows, 9) == [3, 4]
    assert state.first(rows, 9, rows[3:4]) == [4]
    assert [len(part) for part in (state.units, state.running, state.failed, state.seen)] == [2, 1, 1, 4]


def test_half_as_many_are_asked_after_every_eight_refusals() -> None:
    asked = list[float]()

    def may(config: Mapping[str, Value]) -> bool:
        asked.append(float(config["x"] or 0.0))
        return False

    state = state_of([1.0], admissible=may)
    rows = SPACE.to_unit([{"x": k / 64, "c": "b"} for k in range(64)])
    assert state.first(rows, 1) == []
    np.testing.assert_allclose(np.diff(np.array(asked) * 64)[:24], [1] * 7 + [2] * 8 + [4] * 8 + [8] * 1, atol=1e-9)
    assert SPACE.contains(state.random(np.random.default_rng(0))), "where none may be tried, one comes all the same"


@pytest.mark.parametrize(
    ("values", "flat"),
    [([2.0, 2.0, 2.0], False), ([1.0, 2.0, 2.0, 2.0], True), ([3.0, 2.0, 2.0, 2.0], False), ([2.0] * 5, True)],
)
def test_a_plateau_is_the_best_value_three_times_in_a_row(values: list[float], flat: bool) -> None:
    assert state_of(values).on_plateau is flat
