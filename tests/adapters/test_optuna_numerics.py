"""Proposals are finite and inside the space whatever was tried and whatever came of it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from foretell_adapters.optuna import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution

optuna.logging.set_verbosity(optuna.logging.ERROR)

MIXED = {
    "x": FloatDistribution(-1.0, 1.0),
    "lr": FloatDistribution(1e-300, 1e300, log=True),
    "wide": FloatDistribution(-1e300, 1e300),
    "n": IntDistribution(1, 9),
    "c": CategoricalDistribution(("a", None, 2.5)),
}
KINDS: dict[str, BaseDistribution] = MIXED | {
    "tiny": FloatDistribution(0.0, 1e-300),
    "one": FloatDistribution(2.0, 2.0),
    "step": FloatDistribution(0.0, 1.0, step=0.25),
    "next": FloatDistribution(1.0, 1.0 + 2**-52),
    "huge": IntDistribution(-(2**62), 2**62),
    "whole": IntDistribution(1, 10**30, log=True),
    "choices": CategoricalDistribution(tuple(range(300))),
}
VALUES = [0.0, 1.0, 1.0 + 2**-52, -1.0, 5e-324, 1e-310, 1e-300, 1e300, -1e300, 1.797e308, -1.797e308, math.inf, -math.inf]  # fmt: skip  # noqa: E501


def drawn(space: Mapping[str, BaseDistribution], rng: np.random.Generator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, d in space.items():
        if isinstance(d, CategoricalDistribution):
            found[name] = d.choices[int(rng.integers(len(d.choices)))]
        elif isinstance(d, IntDistribution):
            found[name] = int(min(max(d.low + int(rng.random() * (d.high - d.low)), d.low), d.high))
        else:
            ends = (d.low, d.high) if d.step is None else (d.low, d.low + d.step)
            found[name] = ends[int(rng.integers(2))]
    return found


def told(space: Mapping[str, BaseDistribution], outcomes: Sequence[Any], seed: int = 0) -> list[FrozenTrial]:
    """Finished trials at random places: a number or several, None for a failure, ("pruned", number) for a report."""
    rng, trials = np.random.default_rng(seed), []
    for outcome in outcomes:
        place: dict[str, Any] = {"params": drawn(space, rng), "distributions": dict(space)}
        if outcome is None:
            trials.append(create_trial(state=TrialState.FAIL, **place))
        elif isinstance(outcome, tuple) and outcome[0] == "pruned":
            trials.append(create_trial(state=TrialState.PRUNED, intermediate_values={1: outcome[1]}, **place))
        else:
            values = list(outcome) if isinstance(outcome, tuple) else [outcome]
            trials.append(create_trial(values=values, **place))
    return trials


def check(
    space: Mapping[str, BaseDistribution],
    trials: Sequence[FrozenTrial],
    n: int = 2,
    objectives: int = 1,
    **settings: Any,
) -> list[dict[str, Any]]:
    """The next proposals, all of them inside."""
    sampler = ForetellSampler(seed=0, n_startup_trials=2, warn_independent_sampling=False)
    study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
    study.add_trials(trials)
    found = []
    for _ in range(n):
        trial = study.ask(dict(space))
        for name, d in space.items():
            value = trial.params[name]
            assert d._contains(d.to_internal_repr(value)), (name, value)
            assert not isinstance(value, float) or math.isfinite(value)
        study.tell(trial, [1.0] * objectives)
        found.append(trial.params)
    return found


@given(
    st.sets(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6),
    st.lists(
        st.sampled_from(VALUES)
        | st.floats(allow_nan=False)
        | st.none()
        | st.tuples(st.just("pruned"), st.sampled_from([*VALUES, math.nan])),
        max_size=25,
    ),
    st.integers(0, 99),
)
@settings(max_examples=20)
def test_any_outcomes_on_any_parameters(names: set[str], outcomes: list[Any], seed: int) -> None:
    space = {name: KINDS[name] for name in sorted(names)}
    check(space, told(space, outcomes, seed), n=1)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("value", [1.0, 1e300, math.inf, None, ("pruned", math.nan)], ids=str)
def test_constant_targets(value: Any, n: int) -> None:
    assert len(check(MIXED, told(MIXED, [value] * n), n=1)) == 1


@pytest.mark.parametrize("values", [(1.0, 1.0), (math.inf, -math.inf), (1e300, 1e-300), (5e-324, -1.797e308)])
def test_several_objectives_of_any_size(values: tuple[float, float]) -> None:
    check(MIXED, told(MIXED, [values] * 10 + [(1.0, 2.0), (2.0, 1.0)]), objectives=2)


def test_duplicates_and_collinear_parameters() -> None:
    space = {f"x{i}": FloatDistribution(0, 1) for i in range(6)}
    trials = [
        create_trial(params=dict.fromkeys(space, (i % 5) / 5), distributions=space, value=float(i % 3))
        for i in range(40)
    ]
    assert len({str(p) for p in check(space, trials, n=3)}) == 3


def test_all_parameters_categorical() -> None:
    space = {f"c{i}": CategoricalDistribution(tuple("abcdefg"[: 2 + i % 5])) for i in range(15)}
    check(space, told(space, [float(v) for v in np.random.default_rng(0).integers(0, 3, 60)]))


def test_all_failed() -> None:
    proposals = check(MIXED, told(MIXED, [None] * 300), n=3)
    assert len({str(p) for p in proposals}) == 3


def test_five_hundred_parameters() -> None:
    kinds = list(MIXED.values())
    space = {f"p{i}": kinds[i % len(kinds)] for i in range(500)}
    check(space, told(space, [float(i) for i in range(25)]), n=1)


def test_five_thousand_trials() -> None:
    check(MIXED, told(MIXED, np.random.default_rng(1).random(5000).tolist()))


def test_constraints_of_any_size() -> None:
    for size in (math.inf, -math.inf, 1e300, 5e-324):
        sampler = ForetellSampler(seed=0, n_startup_trials=2)
        study = optuna.create_study(sampler=sampler)
        for i in range(8):
            trial = study.ask(dict(MIXED))
            trial.set_constraint("c", size * (-1) ** i)
            study.tell(trial, float(i))
        assert len(study.trials) == 8


def test_a_clock_that_goes_backwards_and_times_with_zones() -> None:
    trials = told(MIXED, [float(i) for i in range(12)])
    for i, trial in enumerate(trials):
        moment = datetime(2026, 1, 1, tzinfo=UTC if i % 3 == 0 else None) - timedelta(hours=i)
        trial.datetime_start = trial.datetime_complete = moment
    check(MIXED, trials)
