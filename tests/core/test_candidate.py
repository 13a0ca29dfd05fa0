"""Candidates: what may be absent, and what is refused."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

from foretell.candidate import Candidate, as_candidate
from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph, Node

GRAPH = ComputationGraph.from_nodes([Node("Input", (3, 8, 8), (3, 8, 8))], [])


def test_all_may_be_absent() -> None:
    empty = Candidate()
    assert (empty.graph, dict(empty.config), empty.task, empty.fidelity, empty.curve) == (None, {}, None, 1.0, ())
    assert dict(empty.measured) == {}


def test_wrapping() -> None:
    whole = Candidate(GRAPH, {"lr": 0.1})
    assert as_candidate(whole) is whole
    assert as_candidate(GRAPH).graph is GRAPH
    assert dict(as_candidate({"lr": 0.1}).config) == {"lr": 0.1}


@pytest.mark.parametrize("item", [3, "resnet", [GRAPH], None])
def test_wrapping_refuses_other_things(item: object) -> None:
    with pytest.raises(InvalidDataError, match=f"must be a Candidate.* but got {type(item).__name__}: wrap it"):
        as_candidate(item)  # type: ignore[arg-type]


def test_the_config_is_a_copy_and_cannot_change() -> None:
    config = {"lr": 0.1}
    candidate = Candidate(config=config)
    config["lr"] = 0.2
    assert candidate.config["lr"] == 0.1
    with pytest.raises(TypeError):
        candidate.config["lr"] = 0.3  # type: ignore[index]


def test_copies_and_pickles_are_equal() -> None:
    candidate = Candidate(GRAPH, {"lr": 0.1}, "digits", 0.5, ((1, 0.3), (2, 0.4)), {"synflow": 3.0})
    assert pickle.loads(pickle.dumps(candidate)) == candidate
    assert copy.deepcopy(candidate) == candidate


@pytest.mark.parametrize("fidelity", [0.0, -1.0, 1.1, math.nan])
def test_fidelity_is_a_share(fidelity: float) -> None:
    with pytest.raises(InvalidDataError, match="`0 < fidelity <= 1` must hold, but got .*divide by the full budget"):
        Candidate(fidelity=fidelity)


@pytest.mark.parametrize("steps", [(1, 1), (2, 1), (math.nan,), (1, math.inf)])
def test_curves_go_forward(steps: tuple[float, ...]) -> None:
    with pytest.raises(InvalidDataError, match="steps must increase, but got"):
        Candidate(curve=tuple((t, 0.5) for t in steps))


def test_a_curve_becomes_pairs_of_floats() -> None:
    assert Candidate(curve=[[1, 0], [2, 1]]).curve == ((1.0, 0.0), (2.0, 1.0))  # type: ignore[arg-type]


def test_measured_numbers_are_floats_that_cannot_change() -> None:
    candidate = Candidate(measured={"params": 3, "naswot": math.nan})
    assert candidate.measured["params"] == 3.0
    assert math.isnan(candidate.measured["naswot"])
    with pytest.raises(TypeError):
        candidate.measured["params"] = 4.0  # type: ignore[index]


def test_an_infinite_measurement_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="must be finite, or nan where it failed, but got {'synflow': inf}"):
        Candidate(measured={"synflow": math.inf, "params": 1.0})
