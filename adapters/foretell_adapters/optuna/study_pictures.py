"""What a study looks like in the pictures of `foretell.visualization`, each a frozen value."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell.curve_rule import CurveRule
from foretell.errors import InvalidDataError
from foretell.learning_curve import FinishedRun
from foretell.posterior import FoldedPosterior
from foretell.visualization import (
    BeliefSlice,
    Calibration,
    CostComparison,
    CurveForecast,
    History,
    Importances,
    ParetoFront,
    PredictedAgainstTrue,
)
from foretell.visualization.pareto_front import believed_on_both
from foretell_adapters.optuna.study_surface import check_objective, objective_names, response_surface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from foretell.posterior import Posterior
    from foretell.response_surface import ResponseSurface

_FEWEST = 5  # completed trials for a response surface
_SLICE_DOTS = 300  # in a small panel more cannot be told apart


class StudyPictures:
    """Pictures of one objective of a study; what they share is worked out once.

    With fewer than five completed trials nothing is believed yet, and pictures of belief are empty.

    Args:
        study: Any study; trials that are added later are not seen once a picture was asked for.
        objective: Number of the objective.

    Raises:
        InvalidDataError: If the study has no such objective.
    """

    def __init__(self, study: Study, objective: int = 0) -> None:
        check_objective(study, objective)
        self.study, self.objective = study, objective
        self.label = objective_names(study)[objective]
        self.sign = 1.0 if study.directions[objective] == StudyDirection.MAXIMIZE else -1.0

    @cached_property
    def completed(self) -> list[FrozenTrial]:
        """Completed trials, by number."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    @cached_property
    def surface(self) -> ResponseSurface | None:
        """The response surface; None where there are too few trials."""
        if sum(bool(t.params) for t in self.completed) < _FEWEST:
            return None
        return response_surface(self.study, self.objective)[0]

    @cached_property
    def held_out(self) -> Posterior:
        """Belief about each of the surface's trials by predictors that were not told its value."""
        return FoldedPosterior(()) if self.surface is None else self.surface.held_out_posterior()

    @cached_property
    def effects(self) -> dict[str, float]:
        """Share of the variance by parameter, the most important first."""
        return {} if self.surface is None else self.surface.total_effects()

    def history(self) -> History:
        """Every completed trial, and the best so far."""
        return History.of(np.array(self._values(self.objective)), sign=self.sign, label=self.label)

    def predicted_against_true(self) -> PredictedAgainstTrue:
        """Each trial predicted without itself, in five folds."""
        return PredictedAgainstTrue.of(self._truth(), self.held_out, sign=self.sign, label=self.label)

    def calibration(self) -> Calibration:
        """Coverage of the intervals of the same predictions."""
        return Calibration.of(self._truth(), self.held_out)

    def importances(self) -> Importances:
        """Share of the variance of belief by parameter."""
        return Importances.of(self.effects)

    def slice(self, name: str) -> BeliefSlice:
        """Belief along a parameter.

        Raises:
            InvalidDataError: If no completed trial has it.
        """
        if self.surface is not None:
            return BeliefSlice.of(self.surface, name, sign=self.sign, label=self.label, most=_SLICE_DOTS)
        names = sorted({known for trial in self.completed for known in trial.params})
        if self.completed and name not in names:
            msg = f"a slice follows a parameter that some trial had, but {name!r} is none: choose one of {names}"
            raise InvalidDataError(msg)
        none = np.array([])
        return BeliefSlice(name, none, none, none, none, none, none, label=self.label)

    def pareto_front(self, other: int = 1) -> ParetoFront:
        """This objective to the right, another one upwards, with the front that is believed in.

        Raises:
            InvalidDataError: If there is no such other objective.
        """
        if not 0 <= other < len(self.study.directions) or other == self.objective:
            msg = (
                f"a Pareto front has two objectives of a study, but got {self.objective} and {other} of "
                f"{len(self.study.directions)}: name two that it has"
            )
            raise InvalidDataError(msg)
        second = StudyPictures(self.study, other)
        values = np.array(list(zip(self._values(self.objective), self._values(other), strict=True))).reshape(-1, 2)
        both = None
        if self.surface is not None and second.surface is not None:
            both = believed_on_both(self.surface, second.surface)
        signs, labels = (self.sign, second.sign), (self.label, second.label)
        return ParetoFront.of(values, both, signs=signs, labels=labels)

    def curve_forecast(self, trial: int | FrozenTrial | None = None, rule: CurveRule | None = None) -> CurveForecast:
        """How the reports of a trial will go on.

        Args:
            trial: The trial or its number; the latest that has reports and is not complete, if not given.
            rule: Whose belief it is; that of `ForetellPruner` with its default settings, if not given.

        Raises:
            InvalidDataError: If there are several objectives, whose trials report nothing, or no such trial.
        """
        if len(self.study.directions) > 1:
            msg = (
                f"trials report curves of one objective, but this study has {len(self.study.directions)}: "
                "choose another picture"
            )
            raise InvalidDataError(msg)
        trials = self.study.get_trials(deepcopy=False)
        if isinstance(trial, int):
            if not 0 <= trial < len(trials):
                msg = f"a trial is named by its number, 0 to {len(trials) - 1}, but got {trial}: choose one"
                raise InvalidDataError(msg)
            trial = trials[trial]
        if trial is None:
            begun = [t for t in trials if t.intermediate_values and t.state != TrialState.COMPLETE]
            trial = begun[-1] if begun else None
        finished = [
            FinishedRun(self._curve(t), self.sign * t.values[0])
            for t in self.completed
            if t.intermediate_values and t is not trial
        ]
        curve = () if trial is None else self._curve(trial)
        return CurveForecast.of(finished, curve, rule=rule, sign=self.sign, label=self.label)

    def _truth(self) -> np.ndarray:
        return np.array([]) if self.surface is None else self.surface.values

    def _values(self, objective: int) -> list[float]:
        """Of all completed trials, larger is better."""
        sign = 1.0 if self.study.directions[objective] == StudyDirection.MAXIMIZE else -1.0
        return [sign * t.values[objective] for t in self.completed]

    def _curve(self, trial: FrozenTrial) -> tuple[tuple[float, float], ...]:
        return tuple((float(step), self.sign * value) for step, value in sorted(trial.intermediate_values.items()))


def cost_comparison(
    studies: Mapping[str, Study | Sequence[Study]],
    cost: Callable[[FrozenTrial], float] | None = None,
    *,
    unit: str = "seconds",
    objective: int = 0,
) -> CostComparison:
    """Samplers by what they reach for what they spend.

    Args:
        studies: Of each sampler its studies, such as one a seed; all of one direction.
        cost: What a trial cost; the seconds from its start to its end, if not given. Pruned and failed trials cost too.
        unit: What the cost is counted in.
        objective: Number of the objective.

    Raises:
        InvalidDataError: If directions differ, or there is no such objective.
    """
    runs: dict[str, list[Study]] = {
        name: list(given) if isinstance(given, (list, tuple)) else [given]  # type: ignore[list-item]
        for name, given in studies.items()
    }
    all_of_them = [study for of_one in runs.values() for study in of_one]
    for study in all_of_them:
        check_objective(study, objective)
    directions = {study.directions[objective] for study in all_of_them}
    if len(directions) > 1:
        msg = f"studies side by side have one direction, but got {sorted(d.name for d in directions)}: leave some out"
        raise InvalidDataError(msg)
    sign = -1.0 if directions == {StudyDirection.MINIMIZE} else 1.0
    label = objective_names(all_of_them[0])[objective] if all_of_them else "objective"
    spent = _seconds if cost is None else cost
    pairs = {
        name: [
            [
                (float(spent(t)), sign * t.values[objective] if t.state == TrialState.COMPLETE else float("nan"))
                for t in study.get_trials(deepcopy=False)
                if t.state.is_finished()
            ]
            for study in of_one
        ]
        for name, of_one in runs.items()
    }
    return CostComparison.of(pairs, sign=sign, label=label, unit=unit)


def _seconds(trial: FrozenTrial) -> float:
    return trial.duration.total_seconds() if trial.duration is not None else 0.0
