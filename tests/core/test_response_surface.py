"""The response surface, on functions whose effects are known."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import CategoricalDistribution, Condition, FloatDistribution, IntDistribution, SearchSpace
from foretell.errors import InvalidDataError
from foretell.response_surface import ResponseSurface, _representative

SPACE = SearchSpace(
    {
        "x": FloatDistribution(0, 1),
        "k": CategoricalDistribution(("a", "b")),
        "only_b": FloatDistribution(1e-3, 1.0, log=True),
        "idle": IntDistribution(0, 9),
    },
    {"only_b": (Condition("k", frozenset({"b"})),)},
)


def surface(n: int = 60, seed: int = 0) -> ResponseSurface:
    rng = np.random.default_rng(seed)
    configs = [SPACE.sample(rng) for _ in range(n)]
    values = [2 * c["x"] + (c["k"] == "b") * 0.5 for c in configs]
    return ResponseSurface.fit(SPACE, configs, values)


def test_effects_are_those_of_the_function() -> None:
    effects = surface().total_effects()
    assert list(effects)[:2] == ["x", "k"]
    assert effects["x"] == pytest.approx(
        (4 / 12) / (4 / 12 + 0.25 / 4), abs=0.12
    )  # Var 2x = 4/12, Var of a coin .5 = 1/16
    assert effects["k"] == pytest.approx((0.25 / 4) / (4 / 12 + 0.25 / 4), abs=0.12)
    assert max(effects["only_b"], effects["idle"]) < 0.05


def test_what_is_held_out_is_predicted() -> None:
    found = surface()
    belief = found.held_out()
    assert np.corrcoef(belief.mean, found.values)[0, 1] > 0.95
    assert (belief.low < belief.high).all()
    tau, share = belief.agreement(found.values)
    assert tau > 0.8
    assert share == np.mean((belief.low <= found.values) & (found.values <= belief.high))
    assert 0.8 < np.mean((belief.low <= found.values) & (found.values <= belief.high)) <= 1.0


def test_slices_follow_one_parameter() -> None:
    found = surface()
    points, belief = found.slice("x")
    assert points[0] == 0.0
    assert points[-1] == 1.0
    assert np.corrcoef(belief.mean, points)[0, 1] > 0.95
    choices, at = found.slice("k")
    assert choices == ("a", "b")
    assert at.mean[1] > at.mean[0]
    numbers, _ = found.slice("only_b")  # active under "b" alone: followed from the best that has it
    assert numbers[0] == pytest.approx(1e-3)


def test_a_slice_of_no_parameter_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"some trial had, but 'y' is none: choose one of \['x', 'k', 'only_b'"):
        surface().slice("y")


@pytest.mark.parametrize(("n", "values"), [(4, [1.0] * 4), (6, [1.0] * 5), (5, [1.0, 2.0, 3.0, 4.0, np.nan])])
def test_too_little_is_refused(n: int, values: list[float]) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidDataError, match="at least 5 configurations with a target each, none nan, but got"):
        ResponseSurface.fit(SPACE, [SPACE.sample(rng) for _ in range(n)], values)


def test_constant_targets_have_no_effects() -> None:
    rng = np.random.default_rng(0)
    found = ResponseSurface.fit(SPACE, [SPACE.sample(rng) for _ in range(8)], [1.0] * 8)
    assert set(found.total_effects().values()) == {0.0}


def test_of_many_the_best_stay() -> None:
    y = np.random.default_rng(0).standard_normal(5000)
    rows = _representative(y)
    assert len(np.unique(rows)) == 1000
    assert (np.diff(rows) > 0).all()
    assert set(np.argsort(-y)[:500]) <= set(rows.tolist())
