"""The pictures of a study as plotly figures; all raise `MissingDependencyError` if plotly is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell import visualization as drawings
from foretell_adapters.optuna.study_pictures import StudyPictures, cost_comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import plotly.graph_objects as go
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def plot_history(study: Study, objective: int = 0) -> go.Figure:
    """Every completed trial, and the best so far."""
    return drawings.plot_history(StudyPictures(study, objective).history())


def plot_predicted_against_true(study: Study, objective: int = 0) -> go.Figure:
    """Each completed trial as the others predict it, in five folds, with its 90 % interval, against its true value."""
    return drawings.plot_predicted_against_true(StudyPictures(study, objective).predicted_against_true())


def plot_calibration(study: Study, objective: int = 0) -> go.Figure:
    """How many true values the intervals of these predictions hold, against how many they ought to."""
    return drawings.plot_calibration(StudyPictures(study, objective).calibration())


def plot_importances(study: Study, objective: int = 0) -> go.Figure:
    """Share of the variance of what is believed by parameter."""
    return drawings.plot_importances(StudyPictures(study, objective).importances())


def plot_slice(study: Study, name: str, objective: int = 0) -> go.Figure:
    """Belief along one parameter, all others as in the best trial."""
    return drawings.plot_slice(StudyPictures(study, objective).slice(name))


def plot_pareto_front(study: Study, objectives: tuple[int, int] = (0, 1)) -> go.Figure:
    """Two objectives: the trials, their front, and the front that is believed in, with its uncertainty."""
    return drawings.plot_pareto_front(StudyPictures(study, objectives[0]).pareto_front(objectives[1]))


def plot_curve_forecast(study: Study, trial: int | FrozenTrial | None = None) -> go.Figure:
    """How the reports of a trial will go on, by default of the latest that is not complete."""
    return drawings.plot_curve_forecast(StudyPictures(study).curve_forecast(trial))


def plot_cost(
    studies: Mapping[str, Study | Sequence[Study]],
    cost: Callable[[FrozenTrial], float] | None = None,
    *,
    unit: str = "seconds",
    objective: int = 0,
) -> go.Figure:
    """The best so far of samplers against what they spent, see `cost_comparison`."""
    return drawings.plot_cost(cost_comparison(studies, cost, unit=unit, objective=objective))
