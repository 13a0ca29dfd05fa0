"""`foretell bench`: measurements that plugins name, ours among them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from foretell.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Benchmark, Measurement
    from foretell_plugins.registry import Plugins


@click.command()
@click.argument("name", required=False)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="Result file, a line of JSON a measurement; what is there is not measured again.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Seeds 0 to this minus 1.")
@click.option("--methods", default="", help="Only these, separated by commas.")
@click.option("--quick", is_flag=True, help="A small part.")
@click.pass_obj
def bench(plugins: Plugins, name: str | None, out: Path | None, seeds: int, methods: str, quick: bool) -> None:
    """Measure speed or accuracy beside peers; without NAME, list what there is.

    Resumes from the result file, and ends with a table of medians over seeds (means where they say more) and, where
    matplotlib is installed, a plot.
    """
    known = plugins.benchmarks
    if name is None:
        click.echo("\n".join(sorted(known)) or "none")
        return
    if name not in known:
        msg = f"a benchmark must be one of {sorted(known)}, but got {name!r}: choose one"
        raise PluginError(msg)
    carry_out(known[name](), out or Path("bench") / f"{name}.jsonl", seeds=seeds, methods=methods, quick=quick)


def carry_out(
    benchmark: Benchmark, out: Path, *, seeds: int, methods: str | Sequence[str] = (), quick: bool = False
) -> list[Measurement]:
    """Measure what a result file lacks, and show a table and, where matplotlib is installed, a plot.

    Args:
        benchmark: What to measure.
        out: Result file.
        seeds: Seeds 0 to this minus 1.
        methods: Which, a list or separated by commas; all if there is none.
        quick: Only a small part.

    Returns:
        What was asked for, measured now or before.

    Raises:
        PluginError: If a method is unknown.
    """
    from tqdm.auto import tqdm

    from foretell.benchmarks import runner
    from foretell.benchmarks.bars import bars_figure

    name = benchmark.name
    named = methods.split(",") if isinstance(methods, str) else methods
    wanted = [m.strip() for m in named if m.strip()] or list(benchmark.methods)
    wrong = sorted(set(wanted) - set(benchmark.methods))
    if wrong:
        msg = f"methods of {name!r} are {list(benchmark.methods)}, but got {wrong}: choose among them"
        raise PluginError(msg)
    cells = benchmark.cells(wanted, seeds, quick=quick)
    for _ in tqdm(runner.run(benchmark, cells, out), total=len(cells), desc=f"bench {name}", unit="cell"):
        pass
    asked = set(cells)
    measured = [m for m in runner.read(out) if m.bench == name and m.cell in asked]
    if isinstance(benchmark, runner.Reporting):
        click.echo("\n".join(benchmark.report(measured)))
        if isinstance(benchmark, runner.Drawing):
            save_plot(lambda: benchmark.figure(measured), out.with_suffix(".svg"))
        click.echo(f"Results: {out}")
        return measured
    rows = runner.medians(measured, benchmark.average if isinstance(benchmark, runner.Averaging) else None)
    for cell, metric, value, unit in sorted(rows, key=lambda r: (r[0].family or "", r[0].n or 0, r[1], r[0].method)):
        place = f"{cell.family or ''} {cell.task or ''} {'' if cell.n is None else f'n={cell.n}'}"
        click.echo(f"{' '.join(place.split()):32} {metric:24} {cell.method:16} {value:12.4g} {unit}")
    save_plot(lambda: bars_figure(rows), out.with_suffix(".svg"))
    click.echo(f"Results: {out}")
    return measured


def save_plot(draw: Callable[[], Figure], path: Path) -> None:
    """Draw into a file, or say why there is no plot."""
    from foretell.errors import MissingDependencyError

    try:
        figure = draw()
    except MissingDependencyError as e:
        click.echo(f"No plot: {e}", err=True)
        return
    figure.savefig(path, metadata={"Date": None})
    click.echo(f"Plot: {path}")
