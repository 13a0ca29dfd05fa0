"""A chart drawn by plotly; imported when a picture is asked for, not before."""

from __future__ import annotations

from functools import singledispatch
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.errors import MissingDependencyError
from foretell.visualization.chart import Band, Bars, Boxes, Chart, Intervals, Line, Points

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from foretell.visualization.chart import Axis, Layer

_PIXELS = 96  # an inch
_NARROW = 40  # letters of a tick beyond which it takes the room of the picture


def plotly_figure(chart: Chart) -> go.Figure:
    """Draw a chart, as wide as its place.

    Values are plain lists, which any version of plotly.js reads. Text is escaped: plotly takes `<b>` for bold.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    try:
        import plotly.graph_objects as go
    except ModuleNotFoundError as e:
        msg = "this picture needs plotly: pip install 'foretell[plot]', or take its twin in visualization.matplotlib"
        raise MissingDependencyError(msg) from e
    figure = go.Figure()
    for layer in chart.layers:
        _draw(layer, figure)
    figure.update_layout(
        title={"text": escape(chart.title, quote=False)},
        xaxis=_axis(chart.x),
        yaxis=_axis(chart.y),
        template="plotly_white",
        showlegend=chart.legend,
        height=int(max(chart.size[1] * _PIXELS * 1.2, 300)),
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
        meta={"description": chart.description},
    )
    if chart.note:
        middle = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
        figure.add_annotation(text=escape(chart.note, quote=False), **middle)
    return figure


@singledispatch
def _draw(layer: Layer, figure: go.Figure) -> None:
    raise AssertionError(layer, figure)  # every kind of layer has its own below


@_draw.register(Points)
def _(layer: Points, figure: go.Figure) -> None:
    texts = {"text": [escape(t, quote=False) for t in layer.texts], "hoverinfo": "text"} if layer.texts else {}
    marker = {"color": layer.colour, "size": layer.size, "symbol": layer.symbol, "opacity": layer.opacity}
    figure.add_scatter(
        x=_plain(layer.x), y=_plain(layer.y), mode="markers", marker=marker, **_legend(layer.name), **texts
    )


@_draw.register(Line)
def _(layer: Line, figure: go.Figure) -> None:
    line = {"color": layer.colour, "width": layer.width, "dash": "dash" if layer.dashed else "solid"}
    line["shape"] = "hv" if layer.steps else "linear"
    figure.add_scatter(
        x=_plain(layer.x), y=_plain(layer.y), mode="lines", line=line, opacity=layer.opacity, **_legend(layer.name)
    )


@_draw.register(Band)
def _(layer: Band, figure: go.Figure) -> None:
    red, green, blue = (int(layer.colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=_plain(np.concatenate([layer.x, layer.x[::-1]])),
        y=_plain(np.concatenate([layer.high, layer.low[::-1]])),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{layer.opacity})",
        hoverinfo="skip",
        **_legend(layer.name),
    )


@_draw.register(Intervals)
def _(layer: Intervals, figure: go.Figure) -> None:
    up, aside = layer.arms
    bars = {"error_y": _arms(up, layer.pale)}
    if aside is not None:
        bars["error_x"] = _arms(aside, layer.pale)
    marker = {"color": layer.colour, "size": 5}
    figure.add_scatter(
        x=_plain(layer.x), y=_plain(layer.y), mode="markers", marker=marker, **bars, **_legend(layer.name)
    )


@_draw.register(Bars)
def _(layer: Bars, figure: go.Figure) -> None:
    figure.add_bar(
        x=_plain(layer.lengths),
        y=list(range(len(layer.lengths))),
        orientation="h",
        marker={"color": list(layer.colours)},
        showlegend=False,
    )


@_draw.register(Boxes)
def _(layer: Boxes, figure: go.Figure) -> None:
    # a trace besides, since annotations alone do not stretch the axes
    figure.add_scatter(
        x=_plain(layer.x), y=_plain(layer.y), mode="markers", marker={"opacity": 0}, hoverinfo="skip", showlegend=False
    )
    for x, y, text, fill in zip(layer.x.tolist(), layer.y.tolist(), layer.texts, layer.fills, strict=True):
        box = {"bgcolor": fill, "bordercolor": "#999999", "borderpad": 3} if fill else {}
        words = escape(text, quote=False).replace("\n", "<br>")
        figure.add_annotation(x=x, y=y, text=words, showarrow=False, font={"size": 10, "color": "#222222"}, **box)


def _arms(lengths: np.ndarray, colour: str) -> dict[str, Any]:
    minus, plus = lengths
    return {"type": "data", "symmetric": False, "array": _plain(plus), "arrayminus": _plain(minus), "color": colour,
            "thickness": 1, "width": 0}  # fmt: skip


def _legend(name: str) -> dict[str, Any]:
    return {"name": escape(name, quote=False), "showlegend": bool(name)}


def _plain(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON has them: what is not finite is left out."""
    return [float(v) if np.isfinite(v) else None for v in values]


def _axis(axis: Axis) -> dict[str, Any]:
    found: dict[str, Any] = {"title": {"text": escape(axis.label, quote=False)}, "visible": axis.shown}
    if axis.log:
        found["type"] = "log"
    if axis.ticks:
        names = [t if len(t) <= _NARROW else t[: _NARROW - 1] + "\N{HORIZONTAL ELLIPSIS}" for t in axis.ticks]
        found |= {"tickvals": list(range(len(names))), "ticktext": [escape(t, quote=False) for t in names]}
    if axis.range is not None:
        found["range"] = [float(np.log10(end)) if axis.log else end for end in axis.range]
    return found
