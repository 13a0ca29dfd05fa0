"""NNI's search spaces as ours: round trips, NNI's own sampler as oracle, what is said of mistakes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foretell.distributions import CategoricalDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError
from foretell_adapters.nni.space import TYPES, NniSpace

NESTED = {
    "model": {
        "_type": "choice",
        "_value": [
            {"_name": "mlp", "width": {"_type": "quniform", "_value": [8, 64, 8]}},
            {
                "_name": "cnn",
                "kernel": {"_type": "choice", "_value": [[1, 1], [3, 3]]},
                "block": {
                    "_type": "choice",
                    "_value": [
                        {"_name": "plain"},
                        {"_name": "se", "ratio": {"_type": "loguniform", "_value": [0.1, 1]}},
                    ],
                },
            },
            {"_name": "none"},
        ],
    },
    "lr": {"_type": "qloguniform", "_value": [0.001, 1, 0.01]},
}


def through_javascript(value: Any) -> Any:
    """As a trial's parameters come back from NNI's manager: JSON in which 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {k: through_javascript(v) for k, v in value.items()}
    return [through_javascript(v) for v in value] if isinstance(value, list) else value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return bool(a == b)


number = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
positive = st.floats(0.001, 100).map(lambda x: round(x, 3))


@st.composite
def entry(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    if kind == "choice":
        if depth and draw(st.booleans()):
            names = draw(st.lists(st.sampled_from(["a", "b/c", "d~1"]), min_size=1, unique=True))
            return {"_type": kind, "_value": [{"_name": n, **draw(space(depth - 1))} for n in names]}
        values = st.one_of(st.integers(-3, 3), st.text("xy", max_size=2), st.booleans(), st.none(), st.lists(number))
        return {"_type": kind, "_value": draw(st.lists(values, min_size=1, max_size=4))}
    if kind == "randint":
        low = draw(st.integers(-50, 50))
        return {"_type": kind, "_value": [low, low + draw(st.integers(1, 50))]}
    a, width, q = draw(positive if "log" in kind else number), draw(positive), draw(positive)
    if kind.endswith("lognormal"):
        a, width = a / 50, min(width, 3.0)
    b = width if "normal" in kind else a + width
    return {"_type": kind, "_value": [a, b, q] if kind.startswith("q") else [a, b]}


@st.composite
def space(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    names = draw(
        st.lists(st.sampled_from(["x", "y", "x/y", "~"]), min_size=1 if depth == 2 else 0, max_size=3, unique=True)
    )
    return {name: draw(entry(depth)) for name in names}


@settings(max_examples=150, deadline=None)
@given(space(), st.integers(0, 99))
def test_a_trial_is_found_again_from_its_parameters(nni_space: dict[str, Any], seed: int) -> None:
    ours = NniSpace.parse(nni_space)
    config = ours.search_space.sample(np.random.default_rng(seed))
    parameters = ours.to_parameters(config)
    back = json.loads(json.dumps(through_javascript(parameters)))
    learnt = ours.from_parameters(back)
    assert learnt.keys() == config.keys()
    assert ours.search_space.contains(learnt)
    assert same(ours.to_parameters(learnt), parameters)


@settings(max_examples=100, deadline=None)
@given(space(), st.integers(0, 99))
def test_what_nni_samples_lies_in_our_space(nni_space: dict[str, Any], seed: int) -> None:
    pytest.importorskip("nni")
    from nni.algorithms.hpo.random_tuner import suggest
    from nni.common.hpo_utils import deformat_parameters, format_search_space

    formatted = format_search_space(nni_space)
    try:
        sampled = suggest(np.random.default_rng(seed), formatted)
    except KeyError:  # NNI's own tuner fails on a choice in a choice whose outer one is not active
        assume(False)
    parameters = deformat_parameters(sampled, formatted)
    ours = NniSpace.parse(nni_space)
    config = ours.from_parameters(parameters)
    assert ours.search_space.contains(config)
    if not any("normal" in json.dumps(v) for v in nni_space.values()):  # whose tails are cut
        assert same(ours.to_parameters(config), fill(parameters, ours.to_parameters(config)))


def fill(parameters: Any, like: Any) -> Any:
    """A choice among equal values may come back as its first."""
    if isinstance(parameters, dict):
        return {k: fill(v, like[k]) for k, v in parameters.items()}
    return like if parameters == like else parameters


def test_nested_choice_becomes_conditions() -> None:
    space = NniSpace.parse(NESTED).search_space
    assert space.names == (
        "model",
        "model/mlp/width",
        "model/cnn/kernel",
        "model/cnn/block",
        "model/cnn/block/se/ratio",
        "lr",
    )
    assert space.distributions["model"] == CategoricalDistribution(("mlp", "cnn", "none"))
    assert space.distributions["model/mlp/width"] == IntDistribution(1, 8)
    assert space.conditions["model/cnn/block/se/ratio"][0].parent == "model/cnn/block"
    assert space.active({"model": "none", "model/mlp/width": 3, "lr": 0.1}) == {"model": "none", "lr": 0.1}


def test_nested_parameters_have_nnis_form() -> None:
    space = NniSpace.parse(NESTED)
    config = {
        "model": "cnn",
        "model/cnn/kernel": "[3, 3]",
        "model/cnn/block": "se",
        "model/cnn/block/se/ratio": 0.5,
        "lr": 0.1,
    }
    expected = {
        "model": {"_name": "cnn", "kernel": [3, 3], "block": {"_name": "se", "ratio": 0.5}},
        "lr": 0.1,
    }
    assert space.to_parameters(config) == expected
    assert space.from_parameters(expected) == config


@pytest.mark.parametrize(
    ("kind", "values", "seen"),
    [
        ("quniform", [1, 10, 4], [1.0, 4.0, 8.0]),
        ("quniform", [0.5, 2.6, 1], [0.5, 1.0, 2.0, 2.6]),
        ("qloguniform", [1, 9, 4], [1.0, 4.0, 8.0]),
        ("qloguniform", [3, 9, 2], [4.0, 6.0, 8.0]),
        ("randint", [2, 5], [2, 3, 4]),
        ("qnormal", [0, 1, 1.5], [-3.0, -1.5, 0.0, 1.5, 3.0]),
        ("choice", [1, 1.0, True, "1", None], [1, True, "1", None]),
        ("choice", [[1, 2], [1.0, 2], {"a": 1}], [[1, 2], {"a": 1}]),
    ],
)
def test_values_that_trials_see(kind: str, values: list[Any], seen: list[Any]) -> None:
    space = NniSpace.parse({"x": {"_type": kind, "_value": values}})
    rng = np.random.default_rng(0)
    found = {json.dumps(space.to_parameters(space.search_space.sample(rng))["x"]) for _ in range(2000)}
    assert found == {json.dumps(v) for v in seen}


def test_numbers_to_choose_from_are_alike_where_they_are_near() -> None:
    space = NniSpace.parse({"x": {"_type": "choice", "_value": [64, 16, 32.0, 16]}})
    assert space.search_space.distributions["x"] == IntDistribution(0, 2)
    assert [space.to_parameters({"x": k})["x"] for k in range(3)] == [16, 32.0, 64]
    assert space.from_parameters({"x": 32}) == {"x": 1}
    two = NniSpace.parse({"x": {"_type": "choice", "_value": [1, 16]}, "y": {"_type": "choice", "_value": [1, 2, "3"]}})
    assert all(isinstance(d, CategoricalDistribution) for d in two.search_space.distributions.values())
    with pytest.raises(InvalidSearchSpaceError, match="one of the choices"):
        space.from_parameters({"x": 48})


def test_normal_types_keep_their_prior() -> None:
    space = NniSpace.parse({"x": {"_type": "normal", "_value": [3, 2]}, "y": {"_type": "lognormal", "_value": [0, 1]}})
    rng = np.random.default_rng(0)
    trials = [space.to_parameters(space.search_space.sample(rng)) for _ in range(4000)]
    x, y = (np.array([t[k] for t in trials]) for k in "xy")
    assert abs(x.mean() - 3) < 0.1
    assert abs(x.std() - 2) < 0.1
    assert abs(np.median(y) - 1) < 0.1
    assert space.from_parameters({"x": 1000, "y": 0})["x"] == 0.999


def test_numbers_written_as_yaml_strings_are_read_as_nni_reads_them() -> None:
    assert NniSpace.parse({"lr": {"_type": "loguniform", "_value": ["1e-4", 0.1]}}).to_parameters({"lr": 0.01}) == {
        "lr": 0.01
    }


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ([1], "must be a mapping from names"),
        ({"x": 3}, "must be a mapping with `_type` and `_value`, but 'x' is 3"),
        ({"lr": {"_type": "logunifrom", "_value": [1, 2]}}, "'lr' has 'logunifrom': write 'loguniform'"),
        ({"lr": {"_type": "Uniform", "_value": [1, 2]}}, "write 'uniform'"),
        ({"lr": {"_type": "zz", "_value": [1, 2]}}, "write one of them"),
        ({"x": {"_type": "choice", "_value": []}}, "a list, not empty, but 'x' has \\[\\]"),
        (
            {"x": {"_type": "uniform", "_value": [1]}},
            "needs 2 finite numbers, but 'x' has \\[1\\]: give \\[low, high\\]",
        ),
        ({"x": {"_type": "qnormal", "_value": [1, 2]}}, "3 finite numbers.*give \\[mu, sigma, q\\]"),
        ({"x": {"_type": "uniform", "_value": [1, "a"]}}, "2 finite numbers"),
        (
            {"x": {"_type": "uniform", "_value": [2, 1]}},
            "needs low <= high, but 'x' has \\[2, 1\\]: swap them",
        ),
        ({"x": {"_type": "loguniform", "_value": [0, 1]}}, "needs low > 0"),
        ({"x": {"_type": "normal", "_value": [0, 0]}}, "needs sigma > 0"),
        ({"x": {"_type": "quniform", "_value": [0, 1, 0]}}, "needs q > 0"),
        ({"x": {"_type": "randint", "_value": [0, 0]}}, "the upper bound is excluded"),
        (
            {"x": {"_type": "choice", "_value": [{"_name": "a"}, {"_name": "a"}]}},
            "different strings as `_name`",
        ),
    ],
)
def test_mistakes_in_a_space_are_answered_with_a_sentence(space: Any, sentence: str) -> None:
    with pytest.raises(InvalidSearchSpaceError, match=sentence):
        NniSpace.parse(space)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"model": {"_name": "rnn"}, "lr": 0.1}, "one of the choices"),
        ({"model": {"_name": "mlp"}, "lr": 0.1}, "'model/width' is missing"),
        ({"model": {"_name": "mlp", "width": 99}, "lr": 0.1}, r"in \[8.0, 64.0\]"),
        ({"model": {"_name": "none"}, "lr": "fast"}, "a finite number"),
        (None, "every active parameter"),
    ],
)
def test_parameters_outside_the_space_are_refused(parameters: Any, sentence: str) -> None:
    with pytest.raises(InvalidSearchSpaceError, match=sentence):
        NniSpace.parse(NESTED).from_parameters(parameters)
