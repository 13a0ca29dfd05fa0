"""Which paused training run to go on with, where runs can be paused: freeze and thaw by what their curves promise.

Swersky, Snoek and Adams, 2014, "Freeze-Thaw Bayesian Optimization", https://arxiv.org/abs/1406.3896, keep a pool of
paused runs and go on with the one that is worth most. Here it is the one with the highest probability of ending above
the best finished one, by what is left of it, under the belief of `foretell.curve_rule`; where that is less than what a
fresh run offers, none is.

The same serves iterative deepening: when the number of epochs of a study is raised, its finished runs become paused
ones, and what they took is not spent again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foretell.curve_rule import CurveRule
from foretell.errors import InvalidDataError
from foretell.learning_curve import FinishedRun

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class FreezeThaw:
    """Chooses among runs by their curves.

    Args:
        steps: Step at which a run is finished, and its last value final.
        rule: What is believed of a run, how small a probability is not worth a step, absolutely and beside a fresh
            run, and how many finished runs it takes to believe anything: until then, the run with the best value goes
            on to its end.

    Raises:
        InvalidDataError: If `steps` is not positive.

    >>> curves = [((1, 0.2), (2, 0.3)), ((1, 0.4), (2, 0.6)), ((1, 0.3), (2, 0.5))]
    >>> FreezeThaw(steps=4).next(curves)
    1
    >>> FreezeThaw(steps=2).next(curves) is None
    True
    """

    steps: float
    rule: CurveRule = field(default_factory=CurveRule)

    def __post_init__(self) -> None:
        if not self.steps > 0:
            msg = f"`steps > 0` must hold, but got {self.steps=}: give the step of the last report"
            raise InvalidDataError(msg)

    def next(self, curves: Sequence[Sequence[tuple[float, float]]]) -> int | None:
        """The run to go on with for a step or more.

        Args:
            curves: Pairs (step, value) of every run so far, steps increasing; larger values are better. A run whose
                last value is not a finite number has failed.

        Returns:
            Its position; None where no paused run is worth it: start another, or stop.
        """
        sound = {i: c for i, c in enumerate(curves) if c and math.isfinite(c[-1][1])}
        finished = [FinishedRun(tuple(c), c[-1][1]) for c in sound.values() if c[-1][0] >= self.steps]
        paused = {i: c for i, c in sound.items() if c[-1][0] < self.steps}
        if not paused:
            return None
        if len(finished) < self.rule.n_finished:
            begun = max(c[-1][0] for c in paused.values())  # a run that goes on to its end is not given up half-way
            return max(paused, key=lambda i: (paused[i][-1][0] == begun, paused[i][-1][1]))
        promise = {}
        for i, curve in paused.items():
            chance = self.rule.belief(finished, curve, [c for j, c in paused.items() if j != i])
            left = (self.steps - curve[-1][0]) / max(self.steps - curve[0][0], self.steps - curve[-1][0])
            if chance >= self.rule.threshold:
                promise[i] = chance / left
        chosen = max(promise, key=lambda i: promise[i], default=None)
        return chosen if chosen is not None and promise[chosen] >= self.rule.pace / len(curves) else None
