"""Contributions of groups of columns: the axioms, and random orders against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import FloatDistribution, GaussianProcess, Hyperparameters, Predictor, SearchSpace
from foretell.errors import InvalidDataError, NotFittedError
from foretell.explain import Contributions, explain_columns, explain_trees
from foretell.surrogates import ExtraTrees

SPACE = SearchSpace({name: FloatDistribution(0, 1) for name in "abcdefghijk"})


def configs(n: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(n)]


def target(items: list[dict]) -> list[float]:
    return [3 * c["a"] + c["b"] * c["c"] - c["d"] for c in items]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    known = configs(60)
    return Predictor((Hyperparameters(SPACE),), ExtraTrees(n_trees=20)).fit(known, target(known))


def test_they_sum_to_the_prediction_less_the_mean_of_the_background(predictor: Predictor) -> None:
    new, background = configs(1, seed=1)[0], configs(20, seed=2)
    for pairs in (1, 5):  # more than 8 groups, so orders are drawn
        found = explain_columns(predictor, new, background, pairs=pairs)
        assert found.base == pytest.approx(predictor.predict(background).mean.mean())
        assert found.prediction == pytest.approx(predictor.predict([new]).mean[0])
        assert found.unit == "target"


def test_what_matters_is_found_and_orders_agree_with_enumeration(predictor: Predictor) -> None:
    new, background = {**configs(1)[0], "a": 1.0, "d": 1.0}, configs(20, seed=2)
    found = explain_columns(predictor, new, background, pairs=40)
    assert found.largest(1)[0][0] == "a"
    assert dict(zip(found.names, found.values, strict=True))["a"] > 0 > dict(found.largest())["d"]
    groups = lambda encoding: ["a" if n == "a" else "b, c" if n in "bc" else "rest" for n in encoding.names]  # noqa: E731
    exact = explain_columns(predictor, new, background, players=groups)
    assert exact.names == ("a", "b, c", "rest")
    assert exact.errors.tolist() == [0.0, 0.0, 0.0]
    assert exact.prediction == pytest.approx(found.prediction)
    assert exact.values[0] == pytest.approx(found.values[0], rel=0.05)


def test_a_group_like_the_background_contributes_nothing(predictor: Predictor) -> None:
    new = configs(1)[0]
    found = explain_columns(predictor, new, [{**new, "a": 0.0}, {**new, "a": 0.1}])
    assert [name for name, _ in found.largest()] == ["a"]
    assert found.errors.tolist() == [0.0] * 11
    assert repr(found).endswith(" a)")


def test_gaps_are_values_like_others() -> None:
    space = SearchSpace({"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)})
    known = [{"a": 0.1}, {"a": 0.2, "b": 0.5}, {"a": 0.9}, {"a": 0.3, "b": 0.1}, {"a": 0.4, "b": 0.9}]
    predictor = Predictor((Hyperparameters(space),), GaussianProcess()).fit(known, [0.0, 1.0, 0.1, 0.9, 1.1])
    found = explain_columns(predictor, {"a": 0.3}, known[3:])
    assert found.values[1] < -0.2
    assert found.prediction == pytest.approx(predictor.predict([{"a": 0.3}]).mean[0])


def test_refusals(predictor: Predictor) -> None:
    new = configs(1)[0]
    with pytest.raises(InvalidDataError, match="needs a background"):
        explain_columns(predictor, new, [])
    with pytest.raises(InvalidDataError, match="must give one label a column, but got 2 for 11"):
        explain_columns(predictor, new, [new], players=lambda _: ["x", "y"])
    with pytest.raises(NotFittedError):
        explain_columns(Predictor((Hyperparameters(SPACE),)), new, [new])
    with pytest.raises(InvalidDataError, match="need the surrogate gradient_boosting"):
        explain_trees(predictor, [new])


def test_repr_says_what_adds_up() -> None:
    found = Contributions(("a", "b", "c", "d"), np.array([1.0, 0.0, -2.0, 0.5]), 3.0, "target", np.zeros(4))
    assert repr(found) == "Contributions(2.5 = 3 - 2 c + 1 a + 0.5 d)"
    many = Contributions(tuple("abcde"), np.arange(1.0, 6.0), 0.0, "target", np.zeros(5))
    assert repr(many).endswith("+ 3 c + 2 more)")
