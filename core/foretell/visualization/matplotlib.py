"""Twins of `foretell.visualization` in matplotlib: of the same values, the same picture, as Axes.

Without `ax` each makes a figure of its own, outside of pyplot: save it with `axes.figure.savefig`, and draw into what
`plt.show()` shows with `ax=plt.gca()`. All raise `MissingDependencyError` if matplotlib is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.visualization.matplotlib_axes import matplotlib_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from foretell.visualization import (
        BeliefSlice,
        Calibration,
        ClusterMembership,
        CostComparison,
        CurveForecast,
        History,
        Importances,
        MotifEffects,
        NetworkDrawing,
        ParetoFront,
        PredictedAgainstTrue,
    )


def plot_slice(data: BeliefSlice, ax: Axes | None = None) -> Axes:
    """Belief along one parameter with its central 90 % interval, and what was tried as dots."""
    return matplotlib_axes(data.chart(), ax)


def plot_calibration(data: Calibration, ax: Axes | None = None) -> Axes:
    """Observed against nominal coverage of central intervals, with what chance allows."""
    return matplotlib_axes(data.chart(), ax)


def plot_clusters(data: ClusterMembership, ax: Axes | None = None) -> Axes:
    """Networks of a family in the plane of the clusters' centroids, in the colour of the strongest cluster."""
    return matplotlib_axes(data.chart(), ax)


def plot_cost(data: CostComparison, ax: Axes | None = None) -> Axes:
    """The best so far against what was spent: median of each sampler's runs, with the middle half as a band."""
    return matplotlib_axes(data.chart(), ax)


def plot_curve_forecast(data: CurveForecast, ax: Axes | None = None) -> Axes:
    """A learning curve, how it is foretold to go on with 50 % and 90 % bands, and the finished ones behind it."""
    return matplotlib_axes(data.chart(), ax)


def plot_history(data: History, ax: Axes | None = None) -> Axes:
    """Every target in the order of the search, and the best so far."""
    return matplotlib_axes(data.chart(), ax)


def plot_importances(data: Importances, ax: Axes | None = None) -> Axes:
    """Bars of the share of variance that each parameter has a part in."""
    return matplotlib_axes(data.chart(), ax)


def plot_motifs(data: MotifEffects, ax: Axes | None = None) -> Axes:
    """Bars of the motifs that help most and of those that hurt most."""
    return matplotlib_axes(data.chart(), ax)


def plot_network(data: NetworkDrawing, ax: Axes | None = None) -> Axes:
    """A network's operators as boxes from the input down, repeated blocks once."""
    return matplotlib_axes(data.chart(), ax)


def plot_pareto_front(data: ParetoFront, ax: Axes | None = None) -> Axes:
    """What was tried, the front of it, and the front that is believed in with intervals of both objectives."""
    return matplotlib_axes(data.chart(), ax)


def plot_predicted_against_true(data: PredictedAgainstTrue, ax: Axes | None = None) -> Axes:
    """Predicted against true targets, each with its central 90 % interval, over the line of agreement."""
    return matplotlib_axes(data.chart(), ax)
