"""How a learning curve will go on, with bands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.curve_rule import CurveRule
from foretell.learning_curve import FinishedRun
from foretell.visualization.chart import BLUE, GREY, ORANGE, PALE, Axis, Band, Chart, Layer, Line, evenly
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from jaxtyping import Float

_STEPS, _OTHERS = 17, 40
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class CurveForecast:
    """A curve so far, and belief about the rest of it.

    Attributes:
        steps: Steps of the curve so far, t.
        values: Its values, t, in the unit and direction that readers know.
        ahead: Steps at which it is foretold, k, from the last one known to the end.
        bands: Quantiles .05, .25, .5, .75 and .95 there, 5 x k, in rising order.
        others: Finished curves that this rests on, steps and values each; at most 40 of them.
        best: Best final value among the finished ones; `nan` if there is none.
        chance: Probability that this one ends better; `nan` if nothing is foretold.
        label: Name of the target.
    """

    steps: Float[np.ndarray, " t"]
    values: Float[np.ndarray, " t"]
    ahead: Float[np.ndarray, " k"]
    bands: Float[np.ndarray, "5 k"]
    others: tuple[tuple[np.ndarray, np.ndarray], ...]
    best: float
    chance: float
    label: str = "target"

    @classmethod
    def of(
        cls,
        finished: Sequence[FinishedRun],
        curve: Sequence[tuple[float, float]],
        *,
        rule: CurveRule | None = None,
        sign: float = 1.0,
        label: str = "target",
    ) -> CurveForecast:
        """Ask `CurveRule.final_value`, for the end and, as if runs ended there, for steps before it.

        Args:
            finished: Runs that were not stopped; larger is better.
            curve: Pairs (step, value) of the run in question; larger is better.
            rule: Whose belief it is; the default one if not given.
            sign: -1 where readers know the target as smaller is better.
            label: Name of the target.

        Returns:
            What is foretold; nothing where there is no finished run, no finite point, or the curve is at its end.
        """
        rule = CurveRule() if rule is None else rule
        points = [(t, v) for t, v in curve if np.isfinite(v)]
        known = [run for run in finished if np.isfinite(run.final) and any(np.isfinite(v) for _, v in run.curve)]
        seen = np.array(points, dtype=np.float64).reshape(-1, 2)
        best = max((run.final for run in known), default=np.nan)
        ends = [run.curve[-1][0] for run in known]
        ahead, bands, chance = np.zeros(0), np.zeros((5, 0)), float("nan")
        if points and known and float(np.median(ends)) > points[-1][0]:
            ahead = np.linspace(points[-1][0], float(np.median(ends)), _STEPS)
            columns = [np.full(5, points[-1][1])]
            for step in ahead[1:-1].tolist():
                shorter = [replace(run, final=_at(run.curve, step)) for run in known]
                columns.append(_quantiles(rule, shorter, points))
            columns.append(_quantiles(rule, known, points))
            bands = np.sort(sign * np.stack(columns, axis=1), axis=0)
            chance = rule.final_value(known, points).exceeds(best)
        kept = [known[i] for i in evenly(len(known), _OTHERS).tolist()]
        others = tuple((np.array([t for t, _ in r.curve]), sign * np.array([v for _, v in r.curve])) for r in kept)
        return cls(seen[:, 0], sign * seen[:, 1], ahead, bands, others, sign * best, chance, label)

    def chart(self) -> Chart:
        """The picture."""
        layers: list[Layer] = []
        for i, (steps, values) in enumerate(self.others):
            name = "finished runs" if i == 0 else ""
            layers.append(Line(steps, values, name=name, colour=GREY, width=0.8, opacity=0.35))
        if len(self.ahead):
            low, quarter, middle, three_quarters, high = self.bands
            layers += [
                Band(self.ahead, low, high, name="90 %", colour=PALE, opacity=0.45),
                Band(self.ahead, quarter, three_quarters, name="50 %", colour=BLUE, opacity=0.3),
                Line(self.ahead, middle, name="forecast", dashed=True),
            ]
        if len(self.steps):
            layers.append(Line(self.steps, self.values, name="so far", colour=ORANGE, width=2.5))
        what = "Nothing can be foretold yet."
        if len(self.ahead):
            low, _, middle, _, high = self.bands[:, -1]
            what = (
                f"{self.label} after {self.steps[-1]:g} steps is {self.values[-1]:.4g}; foretold for step "
                f"{self.ahead[-1]:g}: {middle:.4g}, with 90 % between {low:.4g} and {high:.4g}. It beats the best "
                f"finished run, {self.best:.4g}, with probability {self.chance:.2f}."
            )
        return Chart(
            "Learning curve and forecast",
            what,
            Axis("step"),
            Axis(self.label),
            tuple(layers),
            note="" if layers else "no curve is known yet",
        )


def _quantiles(
    rule: CurveRule, finished: Sequence[FinishedRun], curve: Sequence[tuple[float, float]]
) -> Float[np.ndarray, " 5"]:
    belief = rule.final_value(finished, curve)
    return np.array([belief.quantile(q) for q in _QUANTILES])


def _at(curve: Sequence[tuple[float, float]], step: float) -> float:
    steps, values = np.array([point for point in curve if np.isfinite(point[1])], dtype=np.float64).T
    return float(np.interp(step, steps, values))


def plot_curve_forecast(data: CurveForecast) -> go.Figure:
    """A learning curve, how it is foretold to go on with 50 % and 90 % bands, and the finished ones behind it.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
