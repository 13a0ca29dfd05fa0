"""One self-contained HTML page about searches side by side: table, curves, forecast, the best network drawn."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.comparison import best_run, best_so_far, table
from foretell.drawing import to_svg
from foretell.empty_figure import empty_figure
from foretell.html_page import cell_text, html_page, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foretell.benchmarks.comparison import Forecast, Studies
    from foretell.optimizer import GraphFunction

_COLOURS = ("#0b5394", "#b45f06", "#6aa84f", "#741b47", "#666666")


def report(studies: Studies, seen: Forecast, graph: GraphFunction, title: str, protocol: str) -> str:
    """Write the page.

    Args:
        studies: Runs by method and seed.
        seen: Prediction of held-out runs.
        graph: Gives the network of a configuration.
        title: Heading.
        protocol: One paragraph that says what was run.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    winner = best_run(studies)
    network = graph(winner.config)
    settings = ", ".join(f"{escape(str(k))} = {escape(cell_text(v))}" for k, v in winner.config.items())
    rows = "".join(
        f"<tr><td>{escape(r.method)}</td><td>{r.best:.4f}</td><td>{100 * r.accuracy:.1f} %</td>"
        f"<td>{r.mean_rank:.2f}</td><td>{r.suggest_ms:.1f}</td><td>{r.total_seconds:.1f}</td></tr>"
        for r in table(studies)
    )
    drawing = to_svg(network, "best network") if network is not None else "<p>No network to draw.</p>"
    body = f"""<p>{escape(protocol)}</p>
<h2>Result</h2>
<table><thead><tr><th scope="col">method</th><th scope="col">best log loss</th><th scope="col">accuracy</th>
<th scope="col">mean rank</th><th scope="col">ms a suggestion</th><th scope="col">seconds a study</th></tr></thead>
<tbody>{rows}</tbody></table>
<p>Best and accuracy are medians over seeds; smaller loss and rank are better.</p>
<h2>Best so far</h2><figure>{inline_svg(curves_figure(studies), "Best validation log loss after each trial, by method")}
<figcaption>Median over seeds, with the range of the middle half.</figcaption></figure>
<h2>Predicted against measured</h2><figure>{inline_svg(forecast_figure(seen), "Predicted against measured log loss")}
<figcaption>{len(seen.truth)} networks held out, {seen.n_train} learnt from. Kendall tau {seen.tau:.2f} with the network
in view, {seen.tau_without_graph:.2f} from hyperparameters alone, {seen.tau_params:.2f} by counting parameters. The 90 %
intervals hold {100 * seen.coverage:.0f} % of the measured values.</figcaption></figure>
<h2>The best network</h2>
<p>Log loss {winner.loss:.4f}, accuracy {100 * winner.accuracy:.1f} %: <code>{settings}</code></p>
<figure>{drawing}</figure>
"""
    return html_page(title, body)


def curves_figure(studies: Studies) -> Figure:
    """Median best-so-far curve of each method, with the middle half of the seeds as a band."""
    figure, axes = _new_figure()
    for colour, method in zip(_COLOURS, dict.fromkeys(m for m, _ in studies), strict=False):
        curves = best_so_far(studies, method)
        trials = np.arange(1, curves.shape[1] + 1)
        axes.plot(trials, np.median(curves, axis=0), color=colour, label=method, linewidth=2)
        low, high = np.quantile(curves, [0.25, 0.75], axis=0)
        axes.fill_between(trials, low, high, color=colour, alpha=0.15)
    axes.set(xlabel="trials", ylabel="best validation log loss", yscale="log")
    axes.legend(frameon=False)
    return figure


def forecast_figure(seen: Forecast) -> Figure:
    """Predicted against measured loss on log axes, with 90 % intervals."""
    figure, axes = _new_figure()
    true, mean = np.maximum(-seen.truth, 1e-4), np.maximum(-seen.mean, 1e-4)
    ends = np.maximum(-np.stack([seen.high, seen.low]), 1e-4)
    bars = np.stack([np.maximum(mean - ends[0], 0), np.maximum(ends[1] - mean, 0)])
    finite = np.isfinite(true)
    axes.errorbar(true[finite], mean[finite], yerr=bars[:, finite], fmt="o", color=_COLOURS[0], ecolor="#9fc5e8",
                  markersize=4, linewidth=1)  # fmt: skip
    span = [float(min(true[finite].min(), mean.min())), float(max(true[finite].max(), mean.max()))]
    axes.plot(span, span, color="#666", linestyle="--", linewidth=1)
    axes.set(xlabel="measured log loss", ylabel="predicted log loss", xscale="log", yscale="log")
    return figure


def _new_figure() -> tuple[Figure, Axes]:
    figure = empty_figure(6.4, 4.0)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
