"""The tables of `foretell bench search`, in markdown, and its plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_scores import CHECKPOINTS
from foretell.benchmarks.search_spaces.problems import CONSTRUCTED, NETWORKS, REPORTED, TUNED
from foretell.benchmarks.win_rates import win_rate
from foretell.empty_figure import empty_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement

_COLOURS = ("#0b5394", "#3d85c6", "#b45f06", "#bf9000", "#6aa84f", "#741b47", "#cc0000", "#45818e", "#666666")
_COLUMNS = 4
_LEAST = 1e-4  # percent; what a log axis shows for nothing


def search_tables(rows: Sequence[Measurement], ours: str) -> list[str]:
    """Lines of all tables, for the reported half first.

    - How often `ours` is ahead of each other method on the same problem and seed, a tie counting half, with 90 %
      intervals clustered by data set.
    - Share of all configurations that are better than the best one found, in percent, the mean over problems and seeds
      of a family.
    - Trials until a network within half a point of the best was found, where configurations make networks.
    - Milliseconds a suggestion.

    Args:
        rows: Measurements.
        ours: The method that is compared with all others.
    """
    lines: list[str] = []
    for half, places in (("reported", REPORTED), ("tuned", TUNED)):
        here = [m for m in rows if (m.family, m.task) in places]
        if here:
            lines += ["", f"### The {half} half: {', '.join(' '.join(p) for p in places)}", ""]
            lines += [*_wins(here, ours), "", *_shares(here), "", *_queries(here)]
    return [*lines, "", *_times(rows)]


def _wins(rows: Sequence[Measurement], ours: str) -> list[str]:
    metrics = [f"best@{k}" for k in CHECKPOINTS]
    found = {(m.method, m.metric, m.family, m.task, m.seed): m.value for m in rows if m.metric in metrics}
    others = [m for m in dict.fromkeys(key[0] for key in found) if m != ours]
    lines = [f"Win rate of `{ours}`, [90 % interval], (studies)", ""]
    families = {str(key[2]) for key in found}
    kinds = {"all": families, "tables": families - CONSTRUCTED, "constructed": families & CONSTRUCTED}
    lines += _head(["against", "spaces", *(f"after {k}" for k in CHECKPOINTS)])
    for other in others:
        for kind, members in kinds.items():
            entries = []
            for metric in metrics:
                places = [k[2:] for k in found if k[:2] == (other, metric) and (ours, metric, *k[2:]) in found]
                places = [p for p in places if p[0] in members]
                if not places:
                    entries.append("")
                    continue
                mine, theirs = (np.array([found[method, metric, *p] for p in places]) for method in (ours, other))
                rate = win_rate(mine, theirs, [p[:2] for p in places])
                entries.append(f"{rate.rate:.2f} [{rate.low:.2f}, {rate.high:.2f}] ({rate.pairs})")
            if any(entries):
                lines.append(f"| {' | '.join([other, kind, *entries])} |")
    return lines


def _shares(rows: Sequence[Measurement]) -> list[str]:
    lines = ["Share of configurations better than the best found, %; mean", ""]
    methods = list(dict.fromkeys(m.method for m in rows))
    lines += _head(["family", "after", *methods])
    for family in dict.fromkeys(m.family for m in rows):
        for k in CHECKPOINTS:
            entries = []
            for method in methods:
                key = (method, family, f"share@{k}")
                values = [m.value for m in rows if (m.method, m.family, m.metric) == key]
                entries.append(f"{np.mean(values):.3g}" if values else "")
            lines.append(f"| {' | '.join([str(family), str(k), *entries])} |")
    return lines


def _queries(rows: Sequence[Measurement]) -> list[str]:
    found = [m for m in rows if m.metric == "trials_to_near" and m.family in NETWORKS]
    if not found:
        return []
    lines = ["Trials until a network within half a point of the best; median, [middle half], not found / studies", ""]
    methods = list(dict.fromkeys(m.method for m in found))
    lines += _head(["space", *methods])
    for place in dict.fromkeys((m.family, m.task) for m in found):
        entries = []
        for method in methods:
            here = [m for m in found if (m.family, m.task, m.method) == (*place, method)]
            trials = [m.value if m.value else math.inf for m in here]
            missing = sum(map(math.isinf, trials))
            middle = (
                [_trials(float(q), here) for q in np.quantile(trials, [0.25, 0.5, 0.75], method="higher")]
                if here
                else []
            )
            entries.append(f"{middle[1]} [{middle[0]}, {middle[2]}], {missing} / {len(here)}" if here else "")
        lines.append(f"| {' | '.join([' '.join(filter(None, place)), *entries])} |")
    return lines


def _trials(value: float, rows: Sequence[Measurement]) -> str:
    return f"> {max(m.n or 0 for m in rows)}" if math.isinf(value) else f"{value:.0f}"


def _times(rows: Sequence[Measurement]) -> list[str]:
    timed = [m for m in rows if m.metric == "suggest"]
    methods = list(dict.fromkeys(m.method for m in timed))
    lines = ["Milliseconds a suggestion, median over the trials after the tenth, over seeds and tasks", ""]
    lines += _head(["family", *methods])
    for family in dict.fromkeys(m.family for m in timed):
        values = [[m.value for m in timed if (m.family, m.method) == (family, method)] for method in methods]
        lines.append(f"| {' | '.join([str(family), *(f'{np.median(v):.3g}' if v else '' for v in values)])} |")
    return lines


def _head(names: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]


def search_figure(rows: Sequence[Measurement]) -> Figure:
    """Share of configurations better than the best found against trials, a panel a family, a line a method.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    shown = [m for m in rows if m.metric.startswith("share@")]
    families = list(dict.fromkeys(str(m.family) for m in shown))
    methods = list(dict.fromkeys(m.method for m in shown))
    down = max(math.ceil(len(families) / _COLUMNS), 1)
    figure = empty_figure(3.4 * max(min(_COLUMNS, len(families)), 1), 2.9 * down + 0.5)
    lines = {}
    for i, family in enumerate(families):
        axes = figure.add_subplot(down, min(_COLUMNS, len(families)), i + 1)
        for colour, method in zip(_COLOURS * len(methods), methods, strict=False):
            means = {}
            for k in CHECKPOINTS:
                key = (method, family, f"share@{k}")
                values = [m.value for m in shown if (m.method, m.family, m.metric) == key]
                if values:
                    means[k] = max(float(np.mean(values)), _LEAST)
            (lines[method],) = axes.plot(list(means), list(means.values()), color=colour, marker="o", markersize=3)
        axes.set(title=family, xlabel="trials", ylabel="% better than the best", yscale="log")
        axes.spines[["top", "right"]].set_visible(False)
    if lines:
        figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=6, frameon=False)
    return figure
