"""Predicted against true targets, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau
from foretell.visualization.chart import GREY, Axis, Chart, Intervals, Line, evenly
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from jaxtyping import Float

    from foretell.posterior import Posterior

_ARMS = 300  # intervals; more hide each other


@dataclass(frozen=True, eq=False)
class PredictedAgainstTrue:
    """What was predicted, and what came.

    Attributes:
        truth: True targets, n, in the unit and direction that readers know.
        mean: Predicted ones, n.
        low: Lower ends of the central 90 % intervals, n.
        high: Upper ends, n.
        label: Name of the target.
        log: Whether it is drawn on logarithmic scales.
    """

    truth: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    label: str = "target"
    log: bool = False

    @classmethod
    def of(
        cls, truth: Float[np.ndarray, " n"], posterior: Posterior, *, sign: float = 1.0, label: str = "target"
    ) -> PredictedAgainstTrue:
        """From a belief that did not know these targets.

        Args:
            truth: Targets, n, larger is better; those that are not finite are left out.
            posterior: What was believed of the same candidates.
            sign: -1 where readers know the target as smaller is better: all signs are turned.
            label: Name of the target.

        Raises:
            InvalidDataError: If there is not one belief a target.
        """
        truth = np.asarray(truth, dtype=np.float64)
        mean, low, high = posterior.mean, posterior.quantile(0.05), posterior.quantile(0.95)
        if len(mean) != len(truth):
            msg = f"one prediction a target is needed, but got {len(mean)} and {len(truth)}: pair them"
            raise InvalidDataError(msg)
        known = np.isfinite(truth)
        low, high = np.sort(sign * np.stack([low, high]), axis=0)
        return cls(sign * truth[known], sign * mean[known], low[known], high[known], label)

    @property
    def tau(self) -> float:
        """Kendall's tau-b between predicted and true targets, in [-1, 1], larger is better; 0 for fewer than two."""
        return kendall_tau(self.truth, self.mean)

    @property
    def coverage(self) -> float:
        """Share of the true targets that the intervals hold; best at 0.9, `nan` where there is none."""
        inside = (self.truth >= self.low) & (self.truth <= self.high)
        return float(inside.mean()) if len(inside) else float("nan")

    def chart(self) -> Chart:
        """The picture; of more than 300 an even choice."""
        shown = evenly(len(self.truth), _ARMS)
        true, mean, low, high = (part[shown] for part in (self.truth, self.mean, self.low, self.high))
        layers: list[Intervals | Line] = [Intervals(true, mean, low, high)]
        if len(true):
            ends = np.array([min(true.min(), mean.min()), max(true.max(), mean.max())])
            layers.append(Line(ends, ends, colour=GREY, width=1.0, dashed=True))
        what = (
            f"{len(self.truth)} predictions with 90 % intervals; on the dashed line they would be right. "
            f"Kendall tau {self.tau:.2f}; {100 * self.coverage:.0f} % of the true values lie in their intervals."
        )
        return Chart(
            f"Predicted against true {self.label}",
            what if len(true) else "No predictions yet.",
            Axis(f"true {self.label}", log=self.log),
            Axis(f"predicted {self.label}", log=self.log),
            tuple(layers),
            size=(4.8, 4.1),
            note="" if len(true) else "nothing to compare yet: too few targets are known",
        )


def plot_predicted_against_true(data: PredictedAgainstTrue) -> go.Figure:
    """Predicted against true targets, each with its central 90 % interval, over the line of agreement.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
