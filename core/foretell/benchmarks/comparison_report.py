"""One self-contained HTML page about searches side by side: table, curves, forecast, the best network drawn."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np

from foretell.benchmarks.comparison import best_run, table
from foretell.drawing import to_svg
from foretell.html_page import cell_text, html_page, html_table
from foretell.visualization import CostComparison, PredictedAgainstTrue
from foretell.visualization.html_charts import html_charts

if TYPE_CHECKING:
    from foretell.benchmarks.comparison import Forecast, Studies
    from foretell.optimizer import GraphFunction
    from foretell.visualization import Chart

_LEAST = 1e-4  # of a loss, on a logarithmic axis


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
    rows = [
        (r.method, f"{r.best:.4f}", f"{100 * r.accuracy:.1f} %", f"{r.mean_rank:.2f}", f"{r.suggest_ms:.1f}",
         f"{r.total_seconds:.1f}") for r in table(studies)
    ]  # fmt: skip
    head = ("method", "best log loss", "accuracy", "mean rank", "ms a suggestion", "seconds a study")
    said = (
        f"{len(seen.truth)} networks held out, {seen.n_train} learnt from. Kendall tau {seen.tau:.2f} with the network "
        f"in view, {seen.tau_without_graph:.2f} from hyperparameters alone, {seen.tau_params:.2f} by counting "
        f"parameters. The 90 % intervals hold {100 * seen.coverage:.0f} % of the measured values."
    )
    curves = [spent(studies, "trials"), spent(studies, "seconds")]
    drawing = to_svg(network, "best network") if network is not None else "<p>No network to draw.</p>"
    body = f"""<p>{escape(protocol)}</p>
<h2>Result</h2>
{html_table("Methods", head, rows)}
<p>Best and accuracy are medians over seeds; smaller loss and rank are better.</p>
<h2>Best so far</h2>
{html_charts(curves, "Median over seeds, with the range of the middle half.")}
<h2>Predicted against measured</h2>
{html_charts([forecast_chart(seen)], said)}
<h2>The best network</h2>
<p>Log loss {winner.loss:.4f}, accuracy {100 * winner.accuracy:.1f} %: <code>{settings}</code></p>
<figure>{drawing}</figure>
"""
    return html_page(title, body)


def spent(studies: Studies, unit: Literal["trials", "seconds"]) -> Chart:
    """The best loss so far of each method against trials, or against the seconds of suggesting and training."""
    runs: dict[str, list[list[tuple[float, float]]]] = {}
    for (method, _), of_one in studies.items():
        costs = [1.0 if unit == "trials" else r.suggest_seconds + r.train_seconds for r in of_one]
        runs.setdefault(method, []).append([(cost, -r.loss) for cost, r in zip(costs, of_one, strict=True)])
    return replace(CostComparison.of(runs, sign=-1.0, label="log loss", unit=unit), log=True).chart()


def forecast_chart(seen: Forecast) -> Chart:
    """Predicted against measured loss on log axes, with 90 % intervals."""
    known = np.isfinite(seen.truth)
    true, mean, low, high = (np.maximum(-part[known], _LEAST) for part in (seen.truth, seen.mean, seen.high, seen.low))
    return PredictedAgainstTrue(true, mean, low, high, "log loss", log=True).chart()
