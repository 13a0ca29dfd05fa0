"""A picture of a search: all that was judged, and the front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from foretell.search.pareto_front import Judged


def front_figure(judged: Sequence[Judged[Any]], front: Sequence[Judged[Any]]) -> Figure:
    """Score against FLOPs, relative to the start, which is the first of the judged.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    figure = empty_figure(7.0, 4.2)
    axes = figure.add_subplot()
    base = max(judged[0].flops, 1.0)
    axes.scatter([j.flops / base for j in judged], [j.score for j in judged], s=9, c="#bbbbbb", label="judged")
    axes.plot([j.flops / base for j in front], [j.score for j in front], "o-", c="#0b5394", ms=5, label="front")
    axes.scatter([1.0], [judged[0].score], s=60, c="#b45f06", marker="*", zorder=3, label="start")
    axes.set(xlabel="FLOPs, share of the start's", ylabel="predicted accuracy less penalty")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
