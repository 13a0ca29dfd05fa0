"""Commands that need Optuna: `foretell demo` and `foretell bench`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from foretell.errors import MissingDependencyError
from foretell.whole_file import write_whole

_TITLE = "foretell demo: architecture and recipe for handwritten digits"


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("foretell-demo"),
    show_default=True,
    help="Where studies and report are kept; a second run goes on with what is there.",
)
@click.option("--seeds", type=click.IntRange(1), default=4, show_default=True, help="Studies for each method.")
@click.option("--trials", type=click.IntRange(12), default=36, show_default=True, help="Networks trained in a study.")
@click.option("--jobs", type=click.IntRange(1), default=None, help="Processes; by default one a core, at most 8.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def demo(folder: Path, seeds: int, trials: int, jobs: int | None, as_json: bool) -> None:
    """Search architecture and recipe of small networks together: foretell, TPE and random, really trained.

    Trains about 430 networks on the digits data that ships with scikit-learn, needs no network connection, and ends
    with a table and an HTML report. Interrupt it as you like: it resumes.
    """
    try:
        from foretell_adapters.optuna import demo as demonstration
    except ModuleNotFoundError as e:
        if e.name != "optuna":
            raise
        msg = "`foretell demo` needs optuna>=5: pip install 'foretell[optuna,plot]'"
        raise MissingDependencyError(msg) from e
    import json
    from dataclasses import asdict

    from tqdm.auto import tqdm

    from foretell.benchmarks import digits
    from foretell.benchmarks.comparison import forecast, table
    from foretell.benchmarks.comparison_report import report

    folder.mkdir(parents=True, exist_ok=True)
    plan = demonstration.Plan(
        (folder / "studies.sqlite3").resolve(), seeds, trials, jobs or min(os.cpu_count() or 1, 8)
    )
    with tqdm(total=len(plan.studies) * trials, unit="trial", desc="training networks") as bar:

        def show(done: int, total: int) -> None:
            bar.update(min(done, total) - bar.n)

        demonstration.run(plan, show)
    studies = demonstration.load(plan)
    drawn = [run for (method, _), runs in studies.items() if method == "random" for run in runs]
    seen = forecast(drawn, digits.SPACE, demonstration.network_of, n_train=2 * len(drawn) // 3, seed=0)
    protocol = (
        f"{len(digits.SPACE)} parameters of network and training, {digits.EPOCHS} epochs a network; {seeds} seeds and "
        f"{trials} trials for each method, the same for all; validation on 600 images that training never saw."
    )
    page = folder / "report.html"
    write_whole({page: report(studies, seen, demonstration.network_of, _TITLE, protocol)})
    rows = table(studies)
    if as_json:
        result = {"rows": [asdict(r) for r in rows], "tau": seen.tau, "tau_without_graph": seen.tau_without_graph,
                  "tau_params": seen.tau_params, "coverage": seen.coverage, "report": str(page)}  # fmt: skip
        click.echo(json.dumps(result))
        return
    click.echo(
        f"{'method':10} {'best log loss':>13} {'accuracy':>9} {'mean rank':>10} {'ms/suggestion':>14} {'s/study':>8}"
    )
    for r in rows:
        click.echo(
            f"{r.method:10} {r.best:13.4f} {100 * r.accuracy:8.1f}% {r.mean_rank:10.2f} {r.suggest_ms:14.1f} "
            f"{r.total_seconds:8.1f}"
        )
    click.echo(
        f"Predicting {len(seen.truth)} unseen networks from {seen.n_train}: Kendall tau {seen.tau:.2f} "
        f"(hyperparameters alone {seen.tau_without_graph:.2f}, parameter count {seen.tau_params:.2f}); "
        f"90 % intervals hold {100 * seen.coverage:.0f} %."
    )
    click.echo(f"Report: {page}   Studies: {plan.storage}")
