"""Two objectives: what was tried, the front of it, and the front that is believed in with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.search.pareto_front import Judged, pareto_front
from foretell.visualization.chart import (
    GREY,
    ORANGE,
    PALE,
    Axis,
    Chart,
    Intervals,
    Layer,
    Line,
    Points,
    columns,
    evenly,
)
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    from jaxtyping import Float, Int

    from foretell.distributions import Value
    from foretell.response_surface import Believed, ResponseSurface

_PROPOSALS, _SHOWN = 512, 25


@dataclass(frozen=True, eq=False)
class ParetoFront:
    """Values in the unit and direction that readers know.

    Attributes:
        values: What was tried, n x 2.
        front: Rows of it that no other beats in both, by the first objective.
        mean: Predicted values on the front that is believed in, k x 2, by the first objective.
        low: Lower ends of their central 90 % intervals, k x 2.
        high: Upper ends, k x 2.
        labels: Names of the objectives.
    """

    values: Float[np.ndarray, "n 2"]
    front: Int[np.ndarray, " f"]
    mean: Float[np.ndarray, "k 2"]
    low: Float[np.ndarray, "k 2"]
    high: Float[np.ndarray, "k 2"]
    labels: tuple[str, str] = ("first objective", "second objective")

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, "n 2"],
        believed: tuple[Believed, Believed] | None = None,
        *,
        signs: tuple[float, float] = (1.0, 1.0),
        labels: tuple[str, str] = ("first objective", "second objective"),
    ) -> ParetoFront:
        """From what was tried, and what is believed of candidates.

        Args:
            values: Of both objectives, n x 2, larger is better; rows that are not finite are left out.
            believed: Belief about m candidates, by objective; those that none beats in both means are drawn.
            signs: -1 for an objective that readers know as smaller is better.
            labels: Names of the objectives.

        Raises:
            InvalidDataError: If there are not two objectives.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != 2:
            msg = f"this picture has two objectives, but got values of shape {values.shape}: choose two columns"
            raise InvalidDataError(msg)
        values = values[np.isfinite(values).all(axis=1)]
        turn = np.array(signs)
        mean = low = high = np.zeros((0, 2))
        if believed is not None:
            mean, low, high = (
                np.stack([getattr(b, part) for b in believed], axis=1) for part in ("mean", "low", "high")
            )
            rows = front_rows(mean)
            rows = rows[evenly(len(rows), _SHOWN)]
            low, high = np.sort(turn * np.stack([low[rows], high[rows]]), axis=0)
            mean = turn * mean[rows]
        return cls(turn * values, front_rows(values), mean, low, high, labels)

    def chart(self) -> Chart:
        """The picture."""
        layers: list[Layer] = []
        if len(self.values):
            tried, front = self.values[evenly(len(self.values))], self.values[self.front]
            layers = [
                Points(*columns(tried), name="tried", colour=GREY, size=3.5, opacity=0.5),
                Line(*columns(front), name="front so far", colour=ORANGE),
                Points(*columns(front), colour=ORANGE, symbol="square", size=5),
            ]
        if len(self.mean):
            (left, low), (right, high) = columns(self.low), columns(self.high)
            name = "front believed in, 90 %"
            arms = Intervals(*columns(self.mean), low, high, name=name, pale=PALE, left=left, right=right)
            layers.insert(1, arms)
        ends = (
            [f"{self.values[i, 0]:.4g} and {self.values[i, 1]:.4g}" for i in self.front[[0, -1]].tolist()]
            if layers
            else []
        )
        return Chart(
            f"{self.labels[1]} against {self.labels[0]}",
            f"{len(self.values)} trials, of which {len(self.front)} are beaten in both by none: from {ends[0]} to "
            f"{ends[1]}. {len(self.mean)} predicted ones lie on the front that is believed in."
            if ends
            else "No trial yet.",
            Axis(self.labels[0]),
            Axis(self.labels[1]),
            tuple(layers),
            size=(6.4, 4.4),
            note="" if ends else "no trial is finished yet",
        )


def front_rows(values: Float[np.ndarray, "n 2"]) -> Int[np.ndarray, " f"]:
    """Rows that no other beats in both, larger is better, by the first column from the best down.

    >>> front_rows(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 1.0], [3.0, 0.0]])).tolist()
    [3, 1, 0]
    """
    judged = (Judged(i, str(i), -float(a), float(b)) for i, (a, b) in enumerate(values))
    return np.array([one.item for one in pareto_front(judged)], dtype=np.int64)


def believed_on_both(
    first: ResponseSurface, second: ResponseSurface, *, n: int = _PROPOSALS, seed: int = 0
) -> tuple[Believed, Believed]:
    """Belief of two surfaces over one space about what was tried and about quasi-random configurations.

    Args:
        first: Of one objective.
        second: Of the other.
        n: Number of quasi-random ones.
        seed: Of these.
    """
    space = first.space
    configs: Sequence[Mapping[str, Value]] = [*first.configs, *(space.quasi_random(i, seed) for i in range(n))]
    return first.believe(configs), second.believe(configs)


def plot_pareto_front(data: ParetoFront) -> go.Figure:
    """What was tried, the front of it, and the front that is believed in with intervals of both objectives.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
