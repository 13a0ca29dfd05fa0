"""Pictures: each is a frozen value, drawn by plotly here and by matplotlib in `foretell.visualization.matplotlib`.

>>> import numpy as np
>>> from foretell.posterior import GaussianPosterior
>>> truth = np.array([0.1, 0.4, 0.9])
>>> data = Calibration.of(truth, GaussianPosterior(truth, np.ones(3)))
>>> data.n
3

`plot_calibration(data)` is then a `plotly.graph_objects.Figure`, `matplotlib.plot_calibration(data)` matplotlib's Axes.
"""

from foretell.visualization.belief_slice import BeliefSlice, plot_slice
from foretell.visualization.calibration import Calibration, plot_calibration
from foretell.visualization.chart import Chart
from foretell.visualization.cluster_membership import ClusterMembership, plot_clusters
from foretell.visualization.cost_comparison import CostComparison, plot_cost
from foretell.visualization.curve_forecast import CurveForecast, plot_curve_forecast
from foretell.visualization.history import History, plot_history
from foretell.visualization.importances import Importances, plot_importances
from foretell.visualization.matplotlib_axes import matplotlib_axes
from foretell.visualization.motif_effects import MotifEffects, plot_motifs
from foretell.visualization.network_drawing import NetworkDrawing, plot_network
from foretell.visualization.pareto_front import ParetoFront, plot_pareto_front
from foretell.visualization.plotly_figure import plotly_figure
from foretell.visualization.predicted_against_true import PredictedAgainstTrue, plot_predicted_against_true

__all__ = [
    "BeliefSlice",
    "Calibration",
    "Chart",
    "ClusterMembership",
    "CostComparison",
    "CurveForecast",
    "History",
    "Importances",
    "MotifEffects",
    "NetworkDrawing",
    "ParetoFront",
    "PredictedAgainstTrue",
    "matplotlib_axes",
    "plot_calibration",
    "plot_clusters",
    "plot_cost",
    "plot_curve_forecast",
    "plot_history",
    "plot_importances",
    "plot_motifs",
    "plot_network",
    "plot_pareto_front",
    "plot_predicted_against_true",
    "plot_slice",
    "plotly_figure",
]
