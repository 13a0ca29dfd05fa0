"""A chart drawn by matplotlib; imported when a picture is asked for, not before."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from foretell.empty_figure import empty_figure
from foretell.visualization.chart import Band, Bars, Boxes, Chart, Intervals, Line, Points, evenly

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis

    from foretell.visualization.chart import Axis, Layer, Symbol

_MARKERS: dict[Symbol, str] = {"circle": "o", "square": "s", "diamond": "D", "cross": "x", "star": "*"}
_ACROSS, _ABOVE = 3, 6  # names of a legend side by side, and above the axes
_TICK, _BAR, _LABEL = 18, 42, 11  # letters: of a place on the way, of a bar, of an axis by the inch
_TICKS = 15  # places that have a name; of more, an even choice


def matplotlib_axes(chart: Chart, ax: Axes | None = None) -> Axes:
    """Draw a chart.

    Args:
        chart: The picture.
        ax: Where; None for a figure of its own, `.figure` of what is returned, outside of pyplot.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    axes = empty_figure(*chart.size).add_subplot() if ax is None else ax
    for layer in chart.layers:
        _draw(layer, axes)
    axes.spines[["top", "right"]].set_visible(False)
    if chart.x.log:
        axes.set_xscale("log")
        _readable(axes.xaxis)
    if chart.y.log:
        axes.set_yscale("log")
        _readable(axes.yaxis)
    _name(axes, chart.x, chart.y)
    title = _plain(_short(chart.title, int(_inches(axes)[0] * _LABEL)))
    axes.set_title(title, loc="left", fontsize="medium", pad=6.0 + _legend(axes, chart))
    if chart.note:
        axes.text(0.5, 0.5, _plain(chart.note), ha="center", va="center", wrap=True, transform=axes.transAxes)
    return axes


@singledispatch
def _draw(layer: Layer, axes: Axes) -> None:
    raise AssertionError(layer, axes)  # every kind of layer has its own below


@_draw.register(Points)
def _(layer: Points, axes: Axes) -> None:
    edge = {"linewidths": 1.5} if layer.symbol == "cross" else {"linewidths": 0}
    axes.scatter(layer.x, layer.y, s=layer.size**2, c=layer.colour, marker=_MARKERS[layer.symbol], alpha=layer.opacity,
                 label=_label(layer.name), **edge)  # fmt: skip


@_draw.register(Line)
def _(layer: Line, axes: Axes) -> None:
    style: dict[str, Any] = {
        "linestyle": "--" if layer.dashed else "-",
        "drawstyle": "steps-post" if layer.steps else "default",
    }
    look: dict[str, Any] = {"color": layer.colour, "linewidth": 0.8 * layer.width, "alpha": layer.opacity}
    axes.plot(layer.x, layer.y, **style, **look, label=_label(layer.name))


@_draw.register(Band)
def _(layer: Band, axes: Axes) -> None:
    axes.fill_between(
        layer.x, layer.low, layer.high, color=layer.colour, alpha=layer.opacity, linewidth=0, label=_label(layer.name)
    )


@_draw.register(Intervals)
def _(layer: Intervals, axes: Axes) -> None:
    up, aside = layer.arms
    axes.errorbar(layer.x, layer.y, yerr=up, xerr=aside, fmt="o", color=layer.colour, ecolor=layer.pale, markersize=3.5,
                  linewidth=1, label=_label(layer.name))  # fmt: skip


@_draw.register(Bars)
def _(layer: Bars, axes: Axes) -> None:
    axes.barh(range(len(layer.lengths)), layer.lengths, color=layer.colours)


@_draw.register(Boxes)
def _(layer: Boxes, axes: Axes) -> None:
    axes.scatter(layer.x, layer.y, alpha=0.0)  # texts alone do not stretch the axes
    for x, y, text, fill in zip(layer.x.tolist(), layer.y.tolist(), layer.texts, layer.fills, strict=True):
        box = {"boxstyle": "round,pad=0.35", "facecolor": fill, "edgecolor": "#999999"} if fill else None
        axes.text(x, y, _plain(text), ha="center", va="center", fontsize=7, bbox=box, color="#222222", zorder=3)


def _name(axes: Axes, x: Axis, y: Axis) -> None:
    width, height = _inches(axes)
    axes.set_xlabel(_plain(_short(x.label, int(width * _LABEL))))
    axes.set_ylabel(_plain(_short(y.label, int(height * _LABEL))))
    if x.ticks:
        named = evenly(len(x.ticks), _TICKS).tolist()
        names = [_plain(_short(x.ticks[i], _TICK)) for i in named]
        turned: dict[str, Any] = {"rotation": 30, "ha": "right"} if sum(map(len, names)) > 24 else {}
        axes.set_xticks(named, names, **turned)
    if y.ticks:
        axes.set_yticks(range(len(y.ticks)), [_plain(_short(t, _BAR)) for t in y.ticks])
    if x.range is not None:
        axes.set_xlim(*x.range)
    if y.range is not None:
        axes.set_ylim(*y.range)
    if not x.shown:
        axes.get_xaxis().set_visible(False)
        axes.spines["bottom"].set_visible(False)
    if not y.shown:
        axes.get_yaxis().set_visible(False)
        axes.spines["left"].set_visible(False)


def _legend(axes: Axes, chart: Chart) -> float:
    """Names above the axes, many beside them, so that they hide nothing; how many points high they stand above."""
    number = len(axes.get_legend_handles_labels()[0]) if chart.legend else 0
    beside = number > _ABOVE
    if number:
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": _ACROSS}
        place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if beside else place
        axes.legend(frameon=False, fontsize="small", borderaxespad=0.2, columnspacing=1.2, **place)
    return 0.0 if beside else 14.0 * -(-number // _ACROSS)


def _readable(axis: MatplotlibAxis) -> None:
    """Ticks of a logarithmic axis: 1, 2 and 5 of each decade where there are few, and none that run into each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    axis.set_minor_formatter(NullFormatter())
    if low > 0 and high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height of the figure."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    return float(width), float(height)


def _label(name: str) -> str:
    """A name in the legend; matplotlib leaves out what begins with an underscore."""
    return (" " * name.startswith("_") + _plain(_short(name, _BAR))) or "_nolegend_"


def _plain(text: str) -> str:
    """Text that is not taken for mathematics."""
    return text.replace("$", r"\$")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
