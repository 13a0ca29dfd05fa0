"""ConfigSpace in and out: what it samples is in our space, what we sample is in its, and what cannot be said."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from foretell import CategoricalDistribution, Condition, FloatDistribution, IntDistribution, SearchSpace
from foretell.config_space import from_configspace, from_configuration, to_configspace
from foretell.errors import ForetellWarning, InvalidSearchSpaceError, MissingDependencyError

OURS = SearchSpace(
    {
        "net": CategoricalDistribution(("mlp", "cnn", "tree")),
        "lr": FloatDistribution(1e-4, 1e-1, log=True),
        "depth": IntDistribution(1, 6),
        "width": IntDistribution(8, 512, log=True),
        "kernel": CategoricalDistribution((1, 3, 5)),
        "one": CategoricalDistribution((7,)),
        "drop": FloatDistribution(0.0, 0.9),
    },
    {
        "lr": (Condition("net", frozenset({"mlp", "cnn"})),),
        "kernel": (Condition("net", frozenset({"cnn"})),),
        "drop": (Condition("net", frozenset({"mlp", "cnn"})), Condition("depth", frozenset({3, 4, 5, 6}))),
    },
)


@pytest.fixture
def cs() -> Any:
    return pytest.importorskip("ConfigSpace")


def test_out_and_in_again_is_the_same_space(cs: Any) -> None:
    again = from_configspace(to_configspace(OURS, name="both"))
    assert dict(again.distributions) == dict(OURS.distributions)
    assert {k: set(v) for k, v in again.conditions.items()} == {k: set(v) for k, v in OURS.conditions.items()}


def test_each_holds_what_the_other_samples(cs: Any) -> None:
    theirs = to_configspace(OURS, seed=1)
    assert all(OURS.contains(from_configuration(c)) for c in theirs.sample_configuration(60))
    rng = np.random.default_rng(0)
    for _ in range(60):
        cs.Configuration(theirs, values=OURS.sample(rng)).check_valid_configuration()


def test_all_kinds_of_conditions_come_in(cs: Any) -> None:
    a, b = cs.Categorical("a", ["x", "y", "z"]), cs.Integer("b", (1, 5))
    size, real = cs.OrdinalHyperparameter("size", ["s", "m", "l"]), cs.Float("real", (0.0, 1.0))
    theirs = cs.ConfigurationSpace()
    c, d, e, f = (cs.Integer(name, (0, 9)) for name in "cdef")
    theirs.add(f, e, d, c, b, a, size, real)
    theirs.add(
        cs.AndConjunction(cs.NotEqualsCondition(c, a, "x"), cs.GreaterThanCondition(c, size, "s")),
        cs.OrConjunction(cs.EqualsCondition(d, a, "x"), cs.EqualsCondition(d, a, "z")),
        cs.LessThanCondition(e, b, 3),
        cs.InCondition(f, e, [1, 2]),
    )
    ours = from_configspace(theirs)
    assert set(ours.conditions["c"]) == {
        Condition("a", frozenset({"y", "z"})),
        Condition("size", frozenset({"m", "l"})),
    }
    assert ours.conditions["d"] == (Condition("a", frozenset({"x", "z"})),)
    assert ours.conditions["e"] == (Condition("b", frozenset({1, 2})),)
    assert all(ours.contains(from_configuration(one)) for one in theirs.sample_configuration(40))


def test_a_prior_that_is_lost_is_named(cs: Any) -> None:
    theirs = cs.ConfigurationSpace()
    theirs.add(cs.NormalFloatHyperparameter("n", 0.0, 1.0, lower=-2.0, upper=2.0))
    with pytest.warns(ForetellWarning, match="'n' is NormalFloatHyperparameter: its range is kept, its prior is not"):
        assert from_configspace(theirs).distributions["n"] == FloatDistribution(-2.0, 2.0)


def test_steps_go_out_as_ordered_choices(cs: Any) -> None:
    made = to_configspace(SearchSpace({"n": IntDistribution(2, 8, step=3), "x": FloatDistribution(0, 1, step=0.5)}))
    assert made["n"].sequence == (2, 5, 8)
    assert made["x"].sequence == (0.0, 0.5, 1.0)


def test_refusals(cs: Any) -> None:
    a, b, real = cs.Categorical("a", ["x", "y"]), cs.Categorical("b", ["x", "y"]), cs.Float("real", (0.0, 1.0))
    c = cs.Integer("c", (0, 9))
    forbidding, either, on_real = (cs.ConfigurationSpace(space={}) for _ in range(3))
    forbidding.add(a, cs.ForbiddenEqualsClause(a, "y"))
    either.add(a, b, c, cs.OrConjunction(cs.EqualsCondition(c, a, "x"), cs.EqualsCondition(c, b, "x")))
    on_real.add(real, c, cs.GreaterThanCondition(c, real, 0.5))
    for space, message in [(forbidding, "cannot say what is forbidden, but got 1"), (either, "must be on one parent"),
                           (on_real, "must be on choices or at most 1000 whole numbers")]:  # fmt: skip
        with pytest.raises(InvalidSearchSpaceError, match=message):
            from_configspace(space)
    with pytest.raises(InvalidSearchSpaceError, match="ConfigSpace must be able to hold"):
        to_configspace(SearchSpace({"same": CategoricalDistribution((1, True))}))
    under = {"c": (Condition("real", frozenset({0.5})),)}
    with pytest.raises(InvalidSearchSpaceError, match="must be on finitely many values, but 'real'"):
        to_configspace(SearchSpace({"real": FloatDistribution(0, 1), "c": IntDistribution(0, 9)}, under))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ConfigSpace", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'foretell\[configspace\]'"):
        to_configspace(OURS)
