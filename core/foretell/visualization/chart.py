"""A picture as values: axes and layers, which `plotly_figure` and `matplotlib_axes` draw alike.

Every picture of `foretell.visualization` becomes a `Chart` first, so that its two drawings cannot say different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float

Symbol = Literal["circle", "square", "diamond", "cross", "star"]

BLUE, MIDDLE, PALE = "#0b5394", "#3d85c6", "#9fc5e8"
ORANGE, GREY, RED = "#b45f06", "#666666", "#a61c00"
COLOURS = (BLUE, ORANGE, "#38761d", "#741b47", MIDDLE, "#7f6000", RED, "#45818e", "#674ea7", GREY)
"""One after the other for what is to be told apart; each has a contrast of 3 : 1 or more on white."""
SYMBOLS: tuple[Symbol, ...] = ("circle", "square", "diamond", "star")
"""One after the other beside the colours, for those who cannot tell these apart."""

_DOTS = 1000


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        label: What it measures, with its unit.
        log: Whether its scale is logarithmic.
        ticks: Names of the positions 0, 1, 2 ..., where it has no numbers.
        range: Its ends; None where the values say.
        shown: Whether it is drawn.
    """

    label: str = ""
    log: bool = False
    ticks: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    shown: bool = True


@dataclass(frozen=True, eq=False)
class Points:
    """Dots.

    Attributes:
        x: Where, n.
        y: Where, n.
        name: In the legend; "" for none.
        colour: Of all.
        size: Diameter, in pixels.
        symbol: Shape of all.
        opacity: In (0, 1].
        texts: What plotly says of each under the pointer; none or n.
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    name: str = ""
    colour: str = BLUE
    size: float = 5.0
    symbol: Symbol = "circle"
    opacity: float = 1.0
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _of_one_length(self.x, self.y)


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points, interrupted at `nan`.

    Attributes:
        x: Where, n.
        y: Where, n.
        name: In the legend; "" for none.
        colour: Its colour.
        width: In pixels.
        dashed: Whether it is.
        steps: Whether each value holds until the next one.
        opacity: In (0, 1].
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    name: str = ""
    colour: str = BLUE
    width: float = 2.0
    dashed: bool = False
    steps: bool = False
    opacity: float = 1.0

    def __post_init__(self) -> None:
        _of_one_length(self.x, self.y)


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two lines.

    Attributes:
        x: Where, n.
        low: Lower ends, n.
        high: Upper ends, n.
        name: In the legend; "" for none.
        colour: Its colour.
        opacity: In (0, 1].
    """

    x: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    name: str = ""
    colour: str = PALE
    opacity: float = 0.5

    def __post_init__(self) -> None:
        _of_one_length(self.x, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Points with an interval each, up and down, and to the sides where `left` and `right` say so.

    Attributes:
        x: Where, n.
        y: Where, n.
        low: Lower ends, n.
        high: Upper ends, n.
        name: In the legend; "" for none.
        colour: Of the points.
        pale: Of the intervals.
        left: Left ends, n; None for none.
        right: Right ends, n; None for none.
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    name: str = ""
    colour: str = BLUE
    pale: str = MIDDLE
    left: Float[np.ndarray, " n"] | None = None
    right: Float[np.ndarray, " n"] | None = None

    def __post_init__(self) -> None:
        sides = [side for side in (self.left, self.right) if side is not None]
        _of_one_length(self.x, self.y, self.low, self.high, *sides)

    @property
    def arms(self) -> tuple[Float[np.ndarray, "2 n"], Float[np.ndarray, "2 n"] | None]:
        """Lengths down and up, and to the left and right, none negative: how both libraries want them."""
        up = np.stack([np.maximum(self.y - self.low, 0.0), np.maximum(self.high - self.y, 0.0)])
        if self.left is None or self.right is None:
            return up, None
        return up, np.stack([np.maximum(self.x - self.left, 0.0), np.maximum(self.right - self.x, 0.0)])


@dataclass(frozen=True, eq=False)
class Bars:
    """Horizontal bars from 0; bar i lies at height i, whose names are the ticks of the vertical axis.

    Attributes:
        lengths: To the right if positive, n.
        colours: Of each, n.
    """

    lengths: Float[np.ndarray, " n"]
    colours: tuple[str, ...]

    def __post_init__(self) -> None:
        _of_one_length(self.lengths, np.zeros(len(self.colours)))


@dataclass(frozen=True, eq=False)
class Boxes:
    """Words, each in a box as large as it needs.

    Attributes:
        x: Of the middles, n.
        y: Of the middles, n.
        texts: What is written, n; a line break starts a line.
        fills: Colour of each box, n; "" for no box.
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    texts: tuple[str, ...]
    fills: tuple[str, ...]

    def __post_init__(self) -> None:
        _of_one_length(self.x, self.y, np.zeros(len(self.texts)), np.zeros(len(self.fills)))


Layer = Points | Line | Band | Intervals | Bars | Boxes


@dataclass(frozen=True, eq=False)
class Chart:
    """A picture.

    Attributes:
        title: What it shows, in a few words.
        description: What there is to be seen, in a sentence or two for those who cannot see it.
        x: The horizontal axis.
        y: The vertical axis.
        layers: From back to front.
        size: Width and height in inches of a drawing by itself.
        note: What is said in the middle where there is nothing to draw.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    size: tuple[float, float] = (6.4, 3.8)
    note: str = ""

    @property
    def legend(self) -> bool:
        """Whether any layer has a name."""
        return any(not isinstance(layer, Bars | Boxes) and layer.name for layer in self.layers)


def evenly(n: int, most: int = _DOTS) -> np.ndarray:
    """At most so many of n rows, evenly chosen: more dots cannot be told apart, and make a page heavy.

    >>> evenly(5, most=3).tolist()
    [0, 2, 4]
    """
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.int64)


def columns(places: Float[np.ndarray, "n 2"]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Where points lie to the right, and where upwards."""
    return places[:, 0], places[:, 1]


def _of_one_length(*arrays: np.ndarray) -> None:
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        msg = f"what is drawn together must have one length, but got {lengths}: give one value a point"
        raise InvalidDataError(msg)
