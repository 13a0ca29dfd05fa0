"""A network drawn: a box an operator, input on top, repeated blocks once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.drawing import COLUMN, box_fill, box_label, box_places, drawable
from foretell.folding import Folding, fold
from foretell.visualization.chart import ORANGE, Axis, Boxes, Chart, Layer, Line
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from jaxtyping import Float, Int

    from foretell.graph import ComputationGraph

_BEND, _CORNERS = 0.75, 17


@dataclass(frozen=True, eq=False)
class NetworkDrawing:
    """Boxes and arrows.

    Attributes:
        x: Middle of each box, in columns, n.
        y: Middle of each box, in levels, n: 0 is the input, and what follows lies lower.
        texts: What is written in each: operator, window, and shape of its output.
        fills: Colours of the boxes, by kind of operator.
        edges: From box to box, e x 2.
        blocks: First and last box of each repeated block, and how often it follows itself.
        name: Of the network.
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    texts: tuple[str, ...]
    fills: tuple[str, ...]
    edges: Int[np.ndarray, "e 2"]
    blocks: tuple[tuple[int, int, int], ...]
    name: str = "network"

    @classmethod
    def of(cls, graph: ComputationGraph, *, name: str = "network", folded: bool = True) -> NetworkDrawing:
        """Lay out a network.

        Args:
            graph: The network; at most 2,000 boxes are drawn.
            name: What it is called.
            folded: Whether repeated blocks are drawn once.

        Raises:
            InvalidArchitectureError: If there are too many boxes to be read.
        """
        drawn = fold(graph) if folded else Folding.none(graph)
        small = drawable(drawn.graph)
        left, _ = box_places(small)
        blocks = tuple((b.first, b.last, b.times) for b in drawn.blocks)
        texts = tuple(
            box_label(node) + ("\n" + " x ".join(map(str, node.out_shape)) if node.out_shape else "")
            for node in small.nodes
        )
        x = (left - left.min()) / COLUMN
        return cls(
            x, -small.levels.astype(np.float64), texts, tuple(map(box_fill, small.nodes)), small.edges, blocks, name
        )

    def chart(self) -> Chart:
        """The picture."""
        layers: list[Layer] = [Line(*self._paths(), colour="#777777", width=1.2)]
        for first, last, times in self.blocks:
            here = slice(first, last + 1)
            left, right = self.x[here].min() - 0.6, self.x[here].max() + 0.6
            top, bottom = self.y[here].max() + 0.45, self.y[here].min() - 0.45
            frame = np.array([left, right, right, left, left]), np.array([top, top, bottom, bottom, top])
            layers.append(Line(*frame, colour=ORANGE, width=1.2, dashed=True))
            times_sign = f"\N{MULTIPLICATION SIGN} {times}"
            layers.append(Boxes(np.array([right + 0.12]), np.array([top - 0.2]), (times_sign,), ("",)))
        layers.append(Boxes(self.x, self.y, self.texts, self.fills))
        across = (float(self.x.min()) - 0.75, float(self.x.max()) + 0.9)
        down = (float(self.y.min()) - 0.7, float(self.y.max()) + 0.7)
        more = f", {len(self.blocks)} blocks that repeat drawn once" if self.blocks else ""
        return Chart(
            self.name,
            f"{len(self.x)} operators and {len(self.edges)} connections from input to output{more}.",
            Axis(range=across, shown=False),
            Axis(range=down, shown=False),
            tuple(layers),
            size=(max(3.0, 1.25 * (across[1] - across[0])), max(2.0, 0.42 * (down[1] - down[0]))),
        )

    def _paths(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """All connections as one line with gaps; one that passes boxes of its own column swings round them."""
        t = np.linspace(0.0, 1.0, _CORNERS)
        xs, ys = [], []
        for source, target in self.edges.tolist():
            swings = self.x[source] == self.x[target] and self.y[source] - self.y[target] > 1
            bow = _BEND * np.sin(np.pi * t) if swings else 0.0
            xs.append(np.append(self.x[source] + (self.x[target] - self.x[source]) * t + bow, np.nan))
            ys.append(np.append(self.y[source] + (self.y[target] - self.y[source]) * t, np.nan))
        return (np.concatenate(xs), np.concatenate(ys)) if xs else (np.zeros(0), np.zeros(0))


def plot_network(data: NetworkDrawing) -> go.Figure:
    """A network's operators as boxes from the input down, repeated blocks once.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
