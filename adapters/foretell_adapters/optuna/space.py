"""Optuna's distributions and trials in foretell's terms, and back; pure functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell import (
    CategoricalDistribution,
    Distribution,
    FloatDistribution,
    IntDistribution,
    Observation,
)
from foretell.desirability import Desirability
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from foretell.distributions import Value


def to_distribution(distribution: BaseDistribution) -> Distribution:
    """Translate one of Optuna's distributions; choices of other than plain type are named by their `repr`."""
    if isinstance(distribution, optuna.distributions.FloatDistribution):
        return FloatDistribution(distribution.low, distribution.high, distribution.log, distribution.step)
    if isinstance(distribution, optuna.distributions.IntDistribution):
        return IntDistribution(distribution.low, distribution.high, distribution.log, distribution.step)
    assert isinstance(distribution, optuna.distributions.CategoricalDistribution)
    return CategoricalDistribution(tuple(_plain(choice) for choice in distribution.choices))


def to_config(params: Mapping[str, Any]) -> dict[str, Value]:
    """Translate a trial's parameters."""
    return {name: _plain(value) for name, value in params.items()}


def to_params(config: Mapping[str, Value], distributions: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Translate a configuration back to values that Optuna's distributions hold."""
    params: dict[str, Any] = dict(config)
    for name, value in config.items():
        distribution = distributions[name]
        if isinstance(distribution, optuna.distributions.CategoricalDistribution):
            params[name] = _choice(distribution, value)
    return params


def _choice(distribution: optuna.distributions.CategoricalDistribution, value: Value) -> Any:
    for choice in distribution.choices:
        if type(choice) is type(value) and choice == value:
            return choice
    ours = to_distribution(distribution)
    assert isinstance(ours, CategoricalDistribution)
    return distribution.choices[ours.index(value)]


def joint_distributions(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Every parameter that any trial had, with the distribution of the latest, in order of first use."""
    found: dict[str, BaseDistribution] = {}
    for trial in trials:
        found.update(trial.distributions)
    return {name: distribution for name, distribution in found.items() if not distribution.single()}


def to_observation(
    trial: FrozenTrial, directions: Sequence[StudyDirection], config: Mapping[str, Value]
) -> Observation | None:
    """A finished trial as an observation, larger is better; None if it says nothing (say, pruned before a report)."""
    if trial.state == TrialState.PRUNED:
        values: Sequence[float] = [trial.intermediate_values[trial.last_step]] if trial.last_step is not None else []
    else:
        values = trial.values or []
    if not config or len(values) != len(directions) or any(math.isnan(v) for v in values):
        return None
    signed = tuple(v if d == StudyDirection.MAXIMIZE else -v for v, d in zip(values, directions, strict=True))
    constraints = tuple(value for _, value in sorted(trial.constraints.items()))
    return Observation(config, signed, constraints, partial=trial.state == TrialState.PRUNED)


def to_wishes(
    desirability: Sequence[tuple[float, float]], directions: Sequence[StudyDirection]
) -> tuple[Desirability, ...]:
    """What each objective is wished to be, larger is better; empty if nothing is wished.

    Args:
        desirability: For every objective the value that is worth nothing and the one that is good enough.
        directions: Those of the study.

    Raises:
        InvalidDataError: If there is not one pair an objective, or one does not go from worse to better.
    """
    if not desirability:
        return ()
    if len(desirability) != len(directions):
        msg = f"desirability needs a pair an objective, but got {len(desirability)} for {len(directions)}: name all"
        raise InvalidDataError(msg)
    found = []
    for (worthless, enough), direction in zip(desirability, directions, strict=True):
        sign = 1.0 if direction == StudyDirection.MAXIMIZE else -1.0
        if not sign * worthless < sign * enough:
            way = f"to {direction.name.lower()} an objective got ({worthless}, {enough})"
            msg = f"desirability must go from what is worth nothing to what is good enough, but {way}: turn them round"
            raise InvalidDataError(msg)
        found.append(Desirability(sign * worthless, sign * enough))
    return tuple(found)


def _plain(value: Any) -> Value:
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
