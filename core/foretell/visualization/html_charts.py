"""Charts in a page of HTML: inline SVG with names and descriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from foretell.empty_figure import empty_figure
from foretell.html_page import html_figure, inline_svg
from foretell.visualization.matplotlib_axes import matplotlib_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.visualization.chart import Chart

_WIDEST = 4.8  # inches; on a phone a wider one would be shrunk until nobody can read it


def html_charts(charts: Sequence[Chart], caption: str) -> str:
    """Charts side by side where there is room, over a caption; their descriptions are read to who cannot see them.

    One alone has no title in the picture: its heading says what it is.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    return html_figure([chart_svg(chart, titled=len(charts) > 1) for chart in charts], caption)


def chart_svg(chart: Chart, *, titled: bool = True) -> str:
    """A chart as an SVG element; no wider than 4.8 inches.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    width, height = chart.size
    drawn = chart if titled else replace(chart, title="")
    figure = empty_figure(min(width, _WIDEST), height)
    matplotlib_axes(drawn, figure.add_subplot())
    return inline_svg(figure, chart.title, chart.description)
