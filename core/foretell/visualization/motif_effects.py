"""Motifs that help and motifs that hurt, as a surrogate believes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.visualization.chart import BLUE, RED, Axis, Bars, Chart
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from jaxtyping import Float

    from foretell.explain import Motif


@dataclass(frozen=True, eq=False)
class MotifEffects:
    """Motifs and what they do to the prediction.

    Attributes:
        names: Motifs, the most helpful first; each operator with what feeds it.
        effects: Changes of the prediction, k; positive helps.
        unit: Of the effects.
    """

    names: tuple[str, ...]
    effects: Float[np.ndarray, " k"]
    unit: str

    @classmethod
    def of(cls, motifs: Sequence[Motif], *, most: int = 16) -> MotifEffects:
        """From `motif_gradients`, `motif_removals` or `motif_differences`: those that help most and hurt most.

        Args:
            motifs: Effects of one unit.
            most: How many are kept: the first half and the last half by effect.
        """
        order = sorted(motifs, key=lambda motif: (-motif.effect, motif.text))
        kept = order if len(order) <= most else [*order[: most // 2], *order[len(order) - (most - most // 2) :]]
        several = len({m.cell for m in kept}) > 1
        names = tuple(f"cell {m.cell}: {m.text}" if several and m.cell is not None else m.text for m in kept)
        return cls(names, np.array([m.effect for m in kept], dtype=np.float64), kept[0].unit if kept else "")

    def chart(self) -> Chart:
        """The picture, the most helpful on top."""
        what = "No motif is counted."
        if self.names:
            what = (
                f"Effects of {len(self.names)} motifs: {self.names[0]} helps most ({self.effects[0]:+.3g}), "
                f"{self.names[-1]} hurts most or helps least ({self.effects[-1]:+.3g})."
            )
        return Chart(
            "Motifs that help, motifs that hurt",
            what,
            Axis(f"effect on the prediction ({self.unit})" if self.unit else "effect on the prediction"),
            Axis(ticks=self.names[::-1]),
            (Bars(self.effects[::-1], tuple(BLUE if e >= 0 else RED for e in self.effects[::-1].tolist())),),
            size=(7.0, 1.0 + 0.3 * max(len(self.names), 2)),
            note="" if self.names else "no motif is counted",
        )


def plot_motifs(data: MotifEffects) -> go.Figure:
    """Bars of the motifs that help most and of those that hurt most.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
