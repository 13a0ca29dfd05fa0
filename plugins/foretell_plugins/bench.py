"""`foretell bench`: measurements that plugins name, ours among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foretell.errors import PluginError
from foretell_plugins.completion import complete_benchmark
from foretell_plugins.json_option import json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Benchmark, Cell, Measurement
    from foretell_plugins.registry import Plugins


@click.command()
@click.argument("name", required=False, shell_complete=complete_benchmark)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="Result file, a line of JSON a measurement; what is there is not measured again.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Seeds 0 to this minus 1.")
@click.option("--methods", default="", help="Only these, separated by commas.")
@click.option("--quick", is_flag=True, help="A small part.")
@json_option
@click.pass_obj
def bench(
    plugins: Plugins, name: str | None, out: Path | None, seeds: int, methods: str, quick: bool, as_json: bool
) -> None:
    """Measure speed or accuracy beside peers; without NAME, list what there is.

    Resumes from the result file, and ends with a table of medians over seeds (means where they say more) and, where
    matplotlib is installed, a plot.
    """
    known = plugins.benchmarks
    if name is None:
        click.echo(json.dumps(sorted(known)) if as_json else "\n".join(sorted(known)) or "none")
        return
    if name not in known:
        msg = f"a benchmark must be one of {sorted(known)}, but got {name!r}: choose one"
        raise PluginError(msg)
    out = out or Path("bench") / f"{name}.jsonl"
    carry_out(known[name](), out, seeds=seeds, methods=methods, quick=quick, as_json=as_json)


def carry_out(
    benchmark: Benchmark,
    out: Path,
    *,
    seeds: int,
    methods: str | Sequence[str] = (),
    quick: bool = False,
    as_json: bool = False,
) -> list[Measurement]:
    """Measure what a result file lacks, and show a table and, where matplotlib is installed, a plot.

    Args:
        benchmark: What to measure.
        out: Result file.
        seeds: Seeds 0 to this minus 1.
        methods: Which, a list or separated by commas; all if there is none.
        quick: Only a small part.
        as_json: Print one JSON value instead of the table: files and averages over seeds.

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
    rows = runner.medians(measured, benchmark.average if isinstance(benchmark, runner.Averaging) else None)
    rows.sort(key=lambda r: (r[0].family or "", r[0].n or 0, r[1], r[0].method))
    if not as_json:
        click.echo(
            "\n".join(benchmark.report(measured) if isinstance(benchmark, runner.Reporting) else map(_line, rows))
        )
    plot = None
    if isinstance(benchmark, runner.Drawing):
        plot = save_plot(lambda: benchmark.figure(measured), out.with_suffix(".svg"), quiet=as_json)
    elif not isinstance(benchmark, runner.Reporting):
        plot = save_plot(lambda: bars_figure(rows), out.with_suffix(".svg"), quiet=as_json)
    if as_json:
        listed = [{"method": cell.method, "family": cell.family, "task": cell.task, "n": cell.n, "metric": metric,
                   "value": value, "unit": unit} for cell, metric, value, unit in rows]  # fmt: skip
        said = {"bench": name, "results": str(out), "plot": None if plot is None else str(plot), "averages": listed}
        click.echo(json.dumps(said, indent=1))
    else:
        click.echo(f"Results: {out}")
    return measured


def _line(row: tuple[Cell, str, float, str]) -> str:
    cell, metric, value, unit = row
    place = f"{cell.family or ''} {cell.task or ''} {'' if cell.n is None else f'n={cell.n}'}"
    return f"{' '.join(place.split()):32} {metric:24} {cell.method:16} {value:12.4g} {unit}"


def save_plot(draw: Callable[[], Figure], path: Path, *, quiet: bool = False) -> Path | None:
    """Draw into a file, or say why there is no plot; returns the file."""
    from foretell.errors import MissingDependencyError

    try:
        figure = draw()
    except MissingDependencyError as e:
        click.echo(f"No plot: {e}", err=True)
        return None
    figure.savefig(path, metadata={"Date": None})
    if not quiet:
        click.echo(f"Plot: {path}")
    return path
