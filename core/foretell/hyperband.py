"""Hyperband as a schedule over runs that can go on, and its iterative deepening when the number of epochs is raised.

Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter
Optimization", https://arxiv.org/abs/1603.06560, algorithm 1; Brandt, Wever, Iliadis, Bengs and Huellermeier, 2023,
"Iterative Deepening Hyperband", https://arxiv.org/abs/2302.00511.

Notation: R epochs at most, eta the factor between rungs, s_max = floor(log_eta(R / r_min)); bracket s begins with
n = ceil((s_max + 1) / (s + 1) eta^s) runs of R eta^-s epochs and keeps floor(n eta^-k) at rung k.

The schedule is a function of what was run, so nothing but the runs need be stored. A bracket is named by the epochs of
its first rung: when R becomes eta R, the bracket keeps that name, has more runs to begin with and a rung more at its
end, and one bracket is new. What was run stays where it was: no epoch of it is spent again, and a run that was promoted
keeps its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Bracket:
    """One way to divide epochs among runs.

    Args:
        rungs: Epochs at which runs are compared, increasing.
        sizes: How many runs get so far.
    """

    rungs: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def epochs(self) -> int:
        """Epochs in all, where runs go on from rung to rung."""
        steps = zip(self.rungs, (0, *self.rungs[:-1]), strict=True)
        return sum(size * (rung - before) for size, (rung, before) in zip(self.sizes, steps, strict=True))


@dataclass(frozen=True)
class ScheduledRun:
    """A run that was begun for a bracket.

    Args:
        bracket: Epochs of the bracket's first rung.
        values: Value after so many epochs, larger is better, at every rung that was reached; `nan` where it failed.
    """

    bracket: int
    values: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Job:
    """What to train next.

    Attributes:
        run: Position of the run that goes on, None for a new one.
        bracket: Epochs of the first rung of its bracket.
        epochs: Epochs to reach, counted from the run's beginning.
    """

    run: int | None
    bracket: int
    epochs: int


@dataclass(frozen=True)
class Hyperband:
    """The schedule.

    Args:
        max_epochs: Epochs of a whole run, R.
        eta: Factor between rungs.
        min_epochs: The fewest epochs after which runs are compared.

    Raises:
        InvalidDataError: If `1 <= min_epochs <= max_epochs` or `eta >= 2` does not hold.

    >>> schedule = Hyperband(max_epochs=9)
    >>> [(b.rungs, b.sizes) for b in schedule.brackets]
    [((1, 3, 9), (9, 3, 1)), ((3, 9), (5, 1)), ((9,), (3,))]
    >>> schedule.next([])
    Job(run=None, bracket=1, epochs=1)
    >>> schedule.next([ScheduledRun(1, {1: value / 10}) for value in range(9)])
    Job(run=8, bracket=1, epochs=3)
    """

    max_epochs: int
    eta: int = 3
    min_epochs: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.min_epochs <= self.max_epochs or self.eta < 2:
            msg = f"`1 <= min_epochs <= max_epochs` and `eta >= 2` must hold, but got {self}: see the defaults"
            raise InvalidDataError(msg)

    @property
    def brackets(self) -> tuple[Bracket, ...]:
        """All brackets, the one with the most runs first."""
        most = 0
        while self.max_epochs // self.eta ** (most + 1) >= self.min_epochs:
            most += 1
        found = []
        for s in range(most, -1, -1):
            n = math.ceil((most + 1) * self.eta**s / (s + 1))
            rungs = tuple(self.max_epochs // self.eta**k for k in range(s, -1, -1))
            found.append(Bracket(rungs, tuple(max(n // self.eta**k, 1) for k in range(s + 1))))
        return tuple(found)

    def next(self, runs: Sequence[ScheduledRun]) -> Job | None:
        """What to train next, given all runs that were begun; None when all is done.

        Brackets come one after the other; within one, all runs reach a rung before the best of them go on.

        Args:
            runs: In any order, of this schedule or of one with fewer epochs.

        Raises:
            InvalidDataError: If a run's bracket is none of this schedule's.
        """
        brackets = self.brackets
        starts = {bracket.rungs[0] for bracket in brackets}
        strange = {run.bracket for run in runs} - starts
        if strange:
            msg = (
                f"a run must belong to a bracket that begins with one of {sorted(starts)} epochs, but got "
                f"{sorted(strange)}: raise the number of epochs by powers of {self.eta}"
            )
            raise InvalidDataError(msg)
        for bracket in brackets:
            job = _next_of(bracket, {i: run for i, run in enumerate(runs) if run.bracket == bracket.rungs[0]})
            if job is not None:
                return job
        return None


def _next_of(bracket: Bracket, runs: Mapping[int, ScheduledRun]) -> Job | None:
    first = bracket.rungs[0]
    for i, run in runs.items():
        if first not in run.values:
            return Job(i, first, first)
    if len(runs) < bracket.sizes[0]:
        return Job(None, first, first)
    for rung, further, size in zip(bracket.rungs[:-1], bracket.rungs[1:], bracket.sizes[1:], strict=True):
        there = {i for i, run in runs.items() if further in run.values}
        waiting = [i for i, run in runs.items() if i not in there and math.isfinite(run.values.get(rung, math.nan))]
        if len(there) < size and waiting:
            return Job(max(waiting, key=lambda i: (runs[i].values[rung], -i)), first, further)
    return None
