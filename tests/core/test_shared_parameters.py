"""Parameters are shared by name, role and values, and carried over through values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import CategoricalDistribution, FloatDistribution, IntDistribution, SearchSpace
from foretell.transfer import SharedParameters


def _between(target: dict[str, object], source: dict[str, object]) -> SharedParameters:
    return SharedParameters.between(SearchSpace(target), SearchSpace(source))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "source", "same"),
    [
        (FloatDistribution(0, 1), FloatDistribution(0.5, 3), True),
        (FloatDistribution(0, 1), FloatDistribution(2, 3), False),  # ranges that do not meet
        (IntDistribution(1, 8), FloatDistribution(1e-3, 4, log=True), True),
        (IntDistribution(16, 64), CategoricalDistribution((8, 32)), True),  # choices that are all numbers
        (CategoricalDistribution(("a", "b")), CategoricalDistribution(("b", "c")), True),
        (CategoricalDistribution(("a", "b")), CategoricalDistribution(("c", "d")), False),
        (CategoricalDistribution(("a", "b")), IntDistribution(0, 1), False),
        (CategoricalDistribution((False, True)), IntDistribution(0, 1), False),  # truth values are no numbers
    ],
)
def test_one_parameter_is_shared_if_roles_and_values_agree(target: object, source: object, same: bool) -> None:
    assert len(_between({"p": target}, {"p": source})) == int(same)


def test_names_agree_but_for_case_and_punctuation() -> None:
    number = FloatDistribution(0, 1)
    shared = _between({"learning_rate": number, "momentum": number}, {"LearningRate": number, "depth": number})
    assert dict(shared.names) == {"learning_rate": "LearningRate"}
    assert not len(_between({"lr": number}, {"l_r": number, "LR": number}))  # which of the two?
    assert dict(_between({"lr": number}, {"lr": number, "LR": number}).names) == {"lr": "lr"}
    assert not len(_between({"l_r": number, "LR": number}, {"lr": number}))


def test_positions_are_carried_through_values() -> None:
    shared = _between(
        {"lr": FloatDistribution(1e-4, 1e-1, log=True), "act": CategoricalDistribution(("gelu", "relu"))},
        {"lr": FloatDistribution(0.0, 0.01), "act": CategoricalDistribution(("relu", "tanh"))},
    )
    ours = shared.carry(shared.target.to_unit([{"lr": 1e-3, "act": "gelu"}, {"lr": 1e-1, "act": "relu"}, {"lr": 1e-4}]))
    theirs = shared.of_source([{"lr": 1e-3, "act": "tanh"}, {"act": "relu"}])
    np.testing.assert_allclose(ours[:, 0], [0.1, 10.0, 0.01])  # beyond the source's bounds too
    assert theirs[0, 0] == pytest.approx(0.1)
    assert np.isnan(theirs[1, 0])
    assert ours[1, 1] == theirs[1, 1]  # relu is relu, whatever its place among the choices
    assert len({ours[0, 1], ours[1, 1], theirs[0, 1]}) == 3
    assert np.isnan(ours[2, 1])


_NUMBERS = st.one_of(
    st.just(FloatDistribution(0.5, 20.0)), st.just(FloatDistribution(0.5, 20.0, log=True)),
    st.just(FloatDistribution(1.0, 9.0, step=0.5)), st.just(IntDistribution(1, 12)),
    st.just(IntDistribution(1, 12, log=True)), st.just(IntDistribution(2, 12, step=3)),
    st.just(CategoricalDistribution((1, 2, 4, 16))), st.just(CategoricalDistribution((1.5, 3.0))),
)  # fmt: skip


@given(_NUMBERS, _NUMBERS, st.floats(0, 1))
def test_carrying_a_position_equals_placing_its_value(
    target: FloatDistribution, source: FloatDistribution, unit: float
) -> None:
    shared = _between({"x": target}, {"x": source})
    units = shared.target.snap(np.array([[unit]]))
    config = shared.target.from_unit(units[0])
    placed = shared.space.to_unit([{"x": float(config["x"])}])  # type: ignore[arg-type]
    np.testing.assert_allclose(shared.carry(units), placed, atol=1e-9)


def test_numbers_without_a_logarithm_have_no_place_on_a_log_scale() -> None:
    shared = _between({"x": FloatDistribution(-1, 1)}, {"x": FloatDistribution(0.1, 1, log=True)})
    np.testing.assert_allclose(shared.carry(np.array([[0.25], [1.0]])), [[np.nan], [1.0]])


def test_a_source_configuration_becomes_the_nearest_allowed_values() -> None:
    shared = _between(
        {"n": IntDistribution(16, 64), "act": CategoricalDistribution(("relu", "gelu")),
         "batch": CategoricalDistribution((32, 128)), "own": FloatDistribution(0, 1)},
        {"n": FloatDistribution(1, 100), "act": CategoricalDistribution(("tanh", "gelu")),
         "batch": IntDistribution(8, 256), "other": FloatDistribution(0, 1)},
    )  # fmt: skip
    assert shared.to_target({"n": 99.0, "act": "gelu", "batch": 100, "other": 0.5}) == {
        "n": 64,
        "act": "gelu",
        "batch": 128,
    }
    assert shared.to_target({"n": 20.4, "act": "tanh"}) == {"n": 20}
