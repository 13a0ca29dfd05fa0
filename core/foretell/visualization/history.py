"""How a search went: every target, and the best so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.visualization.chart import MIDDLE, Axis, Chart, Layer, Line, Points, evenly
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from jaxtyping import Float

_WORST = 0.02  # quantile under which dots are drawn at it: the worst would flatten the rest


@dataclass(frozen=True, eq=False)
class History:
    """A search in its order.

    Attributes:
        trials: Positions of the finite targets, n.
        targets: These, n, in the unit and direction that readers know.
        corners: Positions at which the best so far changed, and the last one, k.
        best: The best from there on, k.
        sign: -1 where smaller is better.
        label: Name of the target.
    """

    trials: Float[np.ndarray, " n"]
    targets: Float[np.ndarray, " n"]
    corners: Float[np.ndarray, " k"]
    best: Float[np.ndarray, " k"]
    sign: float = 1.0
    label: str = "target"

    @classmethod
    def of(cls, values: Float[np.ndarray, " n"], *, sign: float = 1.0, label: str = "target") -> History:
        """From targets in the order of the search.

        Args:
            values: Larger is better; those that are not finite are left out.
            sign: -1 where readers know the target as smaller is better.
            label: Name of the target.

        >>> found = History.of(np.array([1.0, 3.0, 2.0, 4.0, 0.0]))
        >>> found.corners.tolist(), found.best.tolist()
        ([0.0, 1.0, 3.0, 4.0], [1.0, 3.0, 4.0, 4.0])
        """
        values = np.asarray(values, dtype=np.float64)
        trials = np.flatnonzero(np.isfinite(values))
        kept = values[trials]
        best = np.maximum.accumulate(kept) if len(kept) else kept
        corners = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
        corners = np.append(corners, len(kept) - 1) if len(kept) else corners
        at = trials.astype(np.float64)
        return cls(at, sign * kept, at[corners], sign * best[corners], sign, label)

    def chart(self) -> Chart:
        """The picture; of more than 1,000 dots an even choice, the worst drawn no lower than the 2 % quantile."""
        layers: list[Layer] = []
        what = "No trial yet."
        if len(self.trials):
            shown = evenly(len(self.trials))
            floor = np.quantile(self.sign * self.targets, _WORST)
            dots = self.sign * np.maximum(self.sign * self.targets[shown], floor)
            layers = [
                Points(self.trials[shown], dots, name="trial", colour=MIDDLE, size=3.5),
                Line(self.corners, self.best, name="best so far", steps=True),
            ]
            what = (
                f"{self.label} of {len(self.trials)} trials in their order; the best so far went from "
                f"{self.best[0]:.4g} to {self.best[-1]:.4g}, reached at trial {int(self.corners[-2])}."
            )
        return Chart(
            "Progress",
            what,
            Axis("trial"),
            Axis(self.label),
            tuple(layers),
            note="" if layers else "no trial is finished yet",
        )


def plot_history(data: History) -> go.Figure:
    """Every target in the order of the search, and the best so far.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
