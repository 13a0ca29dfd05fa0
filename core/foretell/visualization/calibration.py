"""Calibration: how many truths lie in intervals that ought to hold so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.visualization.chart import BLUE, GREY, PALE, Axis, Band, Chart, Layer, Line, Points
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from jaxtyping import Float

    from foretell.posterior import Posterior

_LEVELS = tuple(round(0.05 * i, 2) for i in range(1, 20))


@dataclass(frozen=True, eq=False)
class Calibration:
    """Nominal and observed shares.

    Attributes:
        levels: What central intervals ought to hold, k shares in (0, 1).
        shares: What they hold, k shares in [0, 1]; `nan` where nothing is known.
        n: How many truths were counted.
    """

    levels: Float[np.ndarray, " k"]
    shares: Float[np.ndarray, " k"]
    n: int

    @classmethod
    def of(cls, truth: Float[np.ndarray, " n"], posterior: Posterior) -> Calibration:
        """From a belief that did not know these targets.

        Args:
            truth: Targets, n; those that are not finite are left out.
            posterior: What was believed of the same candidates.

        Raises:
            InvalidDataError: If there is not one belief a target.

        >>> from foretell.posterior import GaussianPosterior
        >>> truth = np.array([-2.0, -0.5, 0.5, 2.0])
        >>> found = Calibration.of(truth, GaussianPosterior(np.zeros(4), np.ones(4)))
        >>> float(found.shares[found.levels == 0.5][0])  # the central half of a standard normal ends at 0.67
        0.5
        """
        truth = np.asarray(truth, dtype=np.float64)
        known, levels = np.isfinite(truth), np.array(_LEVELS)
        shares = np.full(len(levels), np.nan)
        for i, level in enumerate(levels.tolist()):
            low, high = posterior.quantile(0.5 - level / 2), posterior.quantile(0.5 + level / 2)
            if len(low) != len(truth):
                msg = f"one prediction a target is needed, but got {len(low)} and {len(truth)}: pair them"
                raise InvalidDataError(msg)
            if known.any():
                shares[i] = ((truth >= low) & (truth <= high))[known].mean()
        return cls(levels, shares, int(known.sum()))

    @property
    def error(self) -> float:
        """Mean distance between nominal and observed shares, 0 is best; `nan` where nothing is known."""
        return float(np.abs(self.shares - self.levels).mean())

    def chance(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """Between which shares the observed one lies in 90 of 100 cases if intervals are as they ought to be.

        Quantiles of the binomial distribution, one level at a time.
        """
        from scipy.stats import binom

        n = max(self.n, 1)
        return binom.ppf(0.05, n, self.levels) / n, binom.ppf(0.95, n, self.levels) / n

    def chart(self) -> Chart:
        """The picture."""
        ends = np.array([0.0, 1.0])
        layers: list[Layer] = [Line(ends, ends, colour=GREY, width=1.0, dashed=True)]
        if self.n:
            layers = [
                Band(self.levels, *self.chance(), name="by chance, 90 %", colour=PALE, opacity=0.4),
                *layers,
                Line(self.levels, self.shares, name="observed"),
                Points(self.levels, self.shares, colour=BLUE),
            ]
        what = (
            f"Share of {self.n} true values inside central intervals against the share that these ought to hold; on "
            f"average they are {100 * self.error:.0f} points apart. Below the dashed line intervals are too narrow."
        )
        return Chart(
            "Calibration",
            what if self.n else "No predictions yet.",
            Axis("share that the interval ought to hold", range=(0.0, 1.0)),
            Axis("share that it holds", range=(0.0, 1.02)),
            tuple(layers),
            size=(4.8, 4.1),
            note="" if self.n else "nothing to compare yet: too few targets are known",
        )


def plot_calibration(data: Calibration) -> go.Figure:
    """Observed against nominal coverage of central intervals, with what chance allows.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
