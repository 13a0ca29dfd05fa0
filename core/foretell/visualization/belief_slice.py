"""What a surrogate believes along one parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.visualization.chart import ORANGE, Axis, Band, Chart, Intervals, Layer, Line, Points, evenly
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from jaxtyping import Float

    from foretell.response_surface import ResponseSurface

_WORST = 0.1  # quantile of the targets under which dots are drawn at it: the worst would flatten the rest


@dataclass(frozen=True, eq=False)
class BeliefSlice:
    """Belief along one parameter, all others as in the best configuration.

    Attributes:
        name: The parameter.
        points: Its values, k; of a categorical one the positions of its choices.
        mean: What is believed there, k, in the unit and direction that readers know.
        low: Lower ends of the central 90 % intervals, k.
        high: Upper ends, k.
        tried: Values of the configurations that were tried, m.
        targets: What came of them, m; the worst tenth at its quantile.
        choices: Of a categorical parameter; () for a number.
        log: Whether its scale is logarithmic.
        label: Name of the target.
    """

    name: str
    points: Float[np.ndarray, " k"]
    mean: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    tried: Float[np.ndarray, " m"]
    targets: Float[np.ndarray, " m"]
    choices: tuple[str, ...] = ()
    log: bool = False
    label: str = "target"

    @classmethod
    def of(
        cls, surface: ResponseSurface, name: str, *, sign: float = 1.0, label: str = "target", most: int = 1000
    ) -> BeliefSlice:
        """Ask a response surface.

        Args:
            surface: What is believed.
            name: The parameter that is followed.
            sign: -1 where readers know the target as smaller is better.
            label: Name of the target.
            most: Dots at most; an even choice of more.

        Raises:
            InvalidDataError: If the space has no such parameter, or no configuration has it.
        """
        points, belief = surface.slice(name)
        low, high = np.sort(sign * np.stack([belief.low, belief.high]), axis=0)
        distribution = surface.space.distributions[name]
        finite = surface.values[np.isfinite(surface.values)]
        floor = np.quantile(finite, _WORST) if len(finite) else 0.0
        having = np.array([i for i, config in enumerate(surface.configs) if name in config])
        having = having[evenly(len(having), most)]
        given = [surface.configs[i][name] for i in having.tolist()]
        if isinstance(distribution, CategoricalDistribution):
            at, choices = np.arange(len(points), dtype=np.float64), tuple(str(p) for p in points)
            tried = np.array([distribution.index(value) for value in given], dtype=np.float64)
        else:
            at, choices = np.array(points, dtype=np.float64), ()
            tried = np.array(given, dtype=np.float64)
        log = not isinstance(distribution, CategoricalDistribution) and distribution.log
        targets = sign * np.maximum(surface.values[having], floor)
        return cls(name, at, sign * belief.mean, low, high, tried, targets, choices, log, label)

    def chart(self) -> Chart:
        """The picture."""
        layers: list[Layer] = []
        if len(self.points) and not self.choices:
            layers.append(Band(self.points, self.low, self.high))
        if len(self.tried):
            layers.append(Points(self.tried, self.targets, colour=ORANGE, size=3.5, opacity=0.6))
        if self.choices:
            layers.append(Intervals(self.points, self.mean, self.low, self.high))
        elif len(self.points):
            layers.append(Line(self.points, self.mean))
        return Chart(
            f"Belief along {self.name}",
            self._said(),
            Axis(self.name, log=self.log, ticks=self.choices),
            Axis(self.label),
            tuple(layers),
            size=(3.15, 2.6),
            note="" if layers else "nothing is believed yet",
        )

    def _said(self) -> str:
        if not len(self.points):
            return "No belief yet."
        top, bottom = int(np.argmax(self.mean)), int(np.argmin(self.mean))
        where = [self.choices[i] if self.choices else f"{self.points[i]:.4g}" for i in (bottom, top)]
        return (
            f"Mean and 90 % interval of {self.label} along {self.name}, all others as in the best trial: lowest at "
            f"{where[0]} with {self.mean[bottom]:.4g}, highest at {where[1]} with {self.mean[top]:.4g}."
        )


def plot_slice(data: BeliefSlice) -> go.Figure:
    """Belief along one parameter with its central 90 % interval, and what was tried as dots.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
