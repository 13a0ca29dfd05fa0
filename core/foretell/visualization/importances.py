"""Which parameters matter: shares of the variance of what is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.visualization.chart import BLUE, Axis, Bars, Chart
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
    from jaxtyping import Float

_MOST = 20


@dataclass(frozen=True, eq=False)
class Importances:
    """Parameters and their shares.

    Attributes:
        names: Parameters, the most important first.
        shares: Of the variance, in [0, 1]; interactions count for each of their parameters.
    """

    names: tuple[str, ...]
    shares: Float[np.ndarray, " k"]

    @classmethod
    def of(cls, effects: Mapping[str, float]) -> Importances:
        """From `ResponseSurface.total_effects`, at most the first 20.

        >>> Importances.of({"a": 0.1, "b": 0.7}).names
        ('b', 'a')
        """
        order = sorted(effects, key=lambda name: -effects[name])[:_MOST]
        return cls(tuple(order), np.array([effects[name] for name in order], dtype=np.float64))

    def chart(self) -> Chart:
        """The picture, the most important on top."""
        first = ", ".join(f"{n} {s:.2f}" for n, s in zip(self.names[:3], self.shares[:3].tolist(), strict=True))
        return Chart(
            "Which parameters matter",
            f"Share of the variance that each parameter has a part in: {first}." if first else "No parameter yet.",
            Axis("share of the variance that it has a part in", range=(0.0, 1.0)),
            Axis(ticks=self.names[::-1]),
            (Bars(self.shares[::-1], (BLUE,) * len(self.names)),),
            size=(6.4, 1.0 + 0.3 * max(len(self.names), 2)),
            note="" if first else "nothing is believed yet: too few targets are known",
        )


def plot_importances(data: Importances) -> go.Figure:
    """Bars of the share of variance that each parameter has a part in.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
