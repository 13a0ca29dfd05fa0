"""Plots of a study and of the response surface behind it, drawn with matplotlib.

Targets come larger is better; `sign` is -1 where readers know them as smaller is better, and turns them back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foretell.response_surface import Believed, ResponseSurface

_BLUE, _PALE, _ORANGE, _GREY = "#0b5394", "#9fc5e8", "#b45f06", "#666666"
_DOTS = 1000  # more cannot be told apart, and make a page heavy


def history_figure(values: Float[np.ndarray, " n"], sign: float, label: str) -> Figure:
    """Every trial's target, and the best so far."""
    figure, axes = _axes()
    finite = np.isfinite(values)
    trials = np.arange(len(values))
    best = np.maximum.accumulate(np.where(finite, values, -np.inf))
    shown = _some(np.flatnonzero(finite))
    low = np.quantile(values[finite], 0.02) if finite.any() else 0.0  # the worst would flatten the rest
    axes.scatter(trials[shown], sign * np.maximum(values[shown], low), s=10, color=_PALE, label="trial")
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    corners = np.append(steps, len(values) - 1)
    axes.step(corners, sign * best[corners], where="post", color=_BLUE, linewidth=2, label="best so far")
    axes.set(xlabel="trial", ylabel=label)
    axes.legend(frameon=False)
    return figure


def effects_figure(effects: Mapping[str, float]) -> Figure:
    """Bars of the share of variance that each parameter has a part in, at most 20."""
    names = list(effects)[:20][::-1]
    figure, axes = _axes(height=1.0 + 0.28 * len(names))
    axes.barh(names, [effects[name] for name in names], color=_BLUE)
    axes.set(xlabel="share of the variance that it has a part in", xlim=(0, 1))
    return figure


def held_out_figure(truth: Float[np.ndarray, " n"], belief: Believed, sign: float, label: str) -> Figure:
    """Predicted against true targets of trials that were held out, with 90 % intervals."""
    figure, axes = _axes(width=5.0, height=4.4)
    shown = _some(np.flatnonzero(np.isfinite(truth)))
    low, high = np.sort(sign * np.stack([belief.low, belief.high]), axis=0)[:, shown]
    true, mean = sign * truth[shown], sign * belief.mean[shown]
    bars = np.stack([np.maximum(mean - low, 0), np.maximum(high - mean, 0)])
    axes.errorbar(true, mean, yerr=bars, fmt="o", color=_BLUE, ecolor=_PALE, markersize=3, linewidth=0.8)
    if len(true):
        ends = [float(min(true.min(), mean.min())), float(max(true.max(), mean.max()))]
        axes.plot(ends, ends, color=_GREY, linestyle="--", linewidth=1)
    axes.set(xlabel=f"true {label}", ylabel=f"predicted {label}")
    return figure


def slice_figure(surface: ResponseSurface, name: str, sign: float, label: str) -> Figure:
    """Belief along one parameter, all others as in the best trial; trials as dots."""
    figure, axes = _axes(width=3.4, height=2.7)
    _slice(axes, surface, name, sign)
    axes.set_ylabel(label)
    return figure


def _slice(axes: Axes, surface: ResponseSurface, name: str, sign: float) -> None:
    points, belief = surface.slice(name)
    low, high = np.sort(sign * np.stack([belief.low, belief.high]), axis=0)
    mean = sign * belief.mean
    distribution = surface.space.distributions[name]
    tried = [i for i in _some(np.arange(len(surface.values))).tolist() if name in surface.configs[i]]
    floor = np.quantile(surface.values[np.isfinite(surface.values)], 0.1)
    y = sign * np.maximum(surface.values[tried], floor)
    if isinstance(distribution, CategoricalDistribution):
        at = np.arange(len(points))
        axes.errorbar(
            at, mean, yerr=np.stack([mean - low, high - mean]), fmt="o", color=_BLUE, ecolor=_PALE, linewidth=3
        )
        axes.scatter([distribution.index(surface.configs[i][name]) for i in tried], y, s=6, color=_ORANGE, alpha=0.4)
        axes.set_xticks(at, [str(p)[:12] for p in points], rotation=30 if len(points) > 3 else 0)
    else:
        numbers = np.array(points, dtype=np.float64)
        axes.fill_between(numbers, low, high, color=_PALE, alpha=0.5, linewidth=0)
        axes.plot(numbers, mean, color=_BLUE, linewidth=2)
        axes.scatter([float(surface.configs[i][name]) for i in tried], y, s=6, color=_ORANGE, alpha=0.4)
        if distribution.log:
            axes.set_xscale("log")
            axes.minorticks_off()
    axes.set_xlabel(name[:30])


def _some(rows: np.ndarray) -> np.ndarray:
    """At most a thousand of the rows, evenly."""
    return rows if len(rows) <= _DOTS else rows[np.linspace(0, len(rows) - 1, _DOTS).round().astype(int)]


def _axes(width: float = 6.4, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = empty_figure(width, height)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
