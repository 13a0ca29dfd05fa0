"""Twins of `foretell_adapters.optuna.visualization` in matplotlib: the same pictures, as Axes.

Without `ax` each makes a figure of its own, outside of pyplot. All raise `MissingDependencyError` if matplotlib is
absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.visualization import matplotlib as drawings
from foretell_adapters.optuna.study_pictures import StudyPictures, cost_comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def plot_history(study: Study, objective: int = 0, ax: Axes | None = None) -> Axes:
    """Every completed trial, and the best so far."""
    return drawings.plot_history(StudyPictures(study, objective).history(), ax)


def plot_predicted_against_true(study: Study, objective: int = 0, ax: Axes | None = None) -> Axes:
    """Each completed trial as the others predict it, in five folds, with its 90 % interval, against its true value."""
    return drawings.plot_predicted_against_true(StudyPictures(study, objective).predicted_against_true(), ax)


def plot_calibration(study: Study, objective: int = 0, ax: Axes | None = None) -> Axes:
    """How many true values the intervals of these predictions hold, against how many they ought to."""
    return drawings.plot_calibration(StudyPictures(study, objective).calibration(), ax)


def plot_importances(study: Study, objective: int = 0, ax: Axes | None = None) -> Axes:
    """Share of the variance of what is believed by parameter."""
    return drawings.plot_importances(StudyPictures(study, objective).importances(), ax)


def plot_slice(study: Study, name: str, objective: int = 0, ax: Axes | None = None) -> Axes:
    """Belief along one parameter, all others as in the best trial."""
    return drawings.plot_slice(StudyPictures(study, objective).slice(name), ax)


def plot_pareto_front(study: Study, objectives: tuple[int, int] = (0, 1), ax: Axes | None = None) -> Axes:
    """Two objectives: the trials, their front, and the front that is believed in, with its uncertainty."""
    return drawings.plot_pareto_front(StudyPictures(study, objectives[0]).pareto_front(objectives[1]), ax)


def plot_curve_forecast(study: Study, trial: int | FrozenTrial | None = None, ax: Axes | None = None) -> Axes:
    """How the reports of a trial will go on, by default of the latest that is not complete."""
    return drawings.plot_curve_forecast(StudyPictures(study).curve_forecast(trial), ax)


def plot_cost(
    studies: Mapping[str, Study | Sequence[Study]],
    cost: Callable[[FrozenTrial], float] | None = None,
    *,
    unit: str = "seconds",
    objective: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """The best so far of samplers against what they spent, see `cost_comparison`."""
    return drawings.plot_cost(cost_comparison(studies, cost, unit=unit, objective=objective), ax)
