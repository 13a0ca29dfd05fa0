"""The `classArgs` of tuner and assessor: what they are, and what is said when they are something else."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from foretell.curve_rule import CurveRule
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class _Parsed:
    """Settings that come as a mapping."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read the mapping of an experiment's configuration.

        Raises:
            InvalidDataError: If it has an unknown name; the message names the nearest known one.
        """
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(str(name).lower(), known, n=1)
                remedy = f"write {near[0]!r}" if near else "drop it"
                msg = f"classArgs of Foretell are {', '.join(known)}, but got {name!r}: {remedy}"
                raise InvalidDataError(msg)
        return cls(**given)


@dataclass(frozen=True)
class TunerArgs(_Parsed):
    """Settings of the tuner.

    Args:
        optimize_mode: Whether a larger metric is better (`maximize`) or a smaller one (`minimize`).
        seed: Source of all randomness; None takes a fresh one.
        n_startup_trials: Results before the surrogate decides.
        graph: `module:function` that gives the network of a trial's parameters.

    Raises:
        InvalidDataError: If a value is none of those.
    """

    optimize_mode: str = "maximize"
    seed: int | None = None
    n_startup_trials: int = 10
    graph: str | None = None

    def __post_init__(self) -> None:
        _check_mode(self.optimize_mode)
        if self.seed is not None and not _is_count(self.seed):
            raise _broken("seed", self.seed, "a whole number >= 0, or be left out")
        if not _is_count(self.n_startup_trials):
            raise _broken("n_startup_trials", self.n_startup_trials, "a whole number >= 0")
        if self.graph is not None and (not isinstance(self.graph, str) or self.graph.count(":") != 1):
            raise _broken("graph", self.graph, "'module:function'")


@dataclass(frozen=True)
class AssessorArgs(_Parsed):
    """Settings of the assessor.

    Args:
        optimize_mode: Whether a larger metric is better (`maximize`) or a smaller one (`minimize`).
        threshold: A trial is stopped when its probability of beating the best falls below this.
        n_startup_trials: Trials that must have ended before any is stopped.
        patience: Share of a whole trial that is always seen.

    Raises:
        InvalidDataError: If a value is none of those.
    """

    optimize_mode: str = "maximize"
    threshold: float = CurveRule.threshold
    n_startup_trials: int = CurveRule.n_finished
    patience: float = CurveRule.patience

    def __post_init__(self) -> None:
        _check_mode(self.optimize_mode)
        for name in ("threshold", "patience"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise _broken(name, value, "a number in [0, 1)")
        if not _is_count(self.n_startup_trials) or self.n_startup_trials < 1:
            raise _broken("n_startup_trials", self.n_startup_trials, "a whole number >= 1")


def _is_count(value: object) -> bool:
    """Whether it is a whole number >= 0, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_mode(value: object) -> None:
    if value not in {"maximize", "minimize"}:
        raise _broken("optimize_mode", value, "'maximize' or 'minimize'")


def _broken(name: str, value: object, rule: str) -> InvalidDataError:
    return InvalidDataError(f"classArgs: {name} must be {rule}, but got {value!r}: correct it in the experiment")
