"""The `foretell` command; plugins add sub-commands to it."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from foretell.errors import ForetellError, ForetellWarning
from foretell_plugins.bench import bench
from foretell_plugins.explain import explain
from foretell_plugins.finetune import finetune
from foretell_plugins.json_option import json_option
from foretell_plugins.predict import predict
from foretell_plugins.pretrain import pretrain
from foretell_plugins.rank import rank
from foretell_plugins.registry import Plugins
from foretell_plugins.search import search
from foretell_plugins.show import show

if TYPE_CHECKING:
    from collections.abc import Sequence


_CODES = "Exit codes: 0 done, 1 not possible (one sentence says why), 2 wrong usage, 130 interrupted."


def build_cli(plugins: Plugins) -> click.Group:
    """The command with those of all sound plugins."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_CODES)
    @click.version_option(importlib.metadata.version("foretell"), prog_name="foretell")
    @click.pass_context
    def cli(context: click.Context) -> None:
        """Predict how well a neural network will do, before it is trained."""
        context.obj = plugins

    for command in (list_plugins, list_adapters, bench, explain, finetune, predict, pretrain, rank, search, show):
        cli.add_command(command)
    plugins.add_commands(cli)
    return cli


@click.command("plugins")
@json_option
@click.pass_obj
def list_plugins(plugins: Plugins, as_json: bool) -> None:
    """List plugins: name, package, version, hooks, and why one is broken."""
    if as_json:
        click.echo(json.dumps([asdict(r) for r in plugins.records], indent=1))
        return
    rows = [
        (r.name, r.distribution or "-", r.version or "-", r.status + (f": {r.cause}" if r.cause else ""),
         ", ".join(h.removeprefix("foretell_register_") for h in r.hooks) or "-")
        for r in plugins.records
    ]  # fmt: skip
    _print_table(("name", "package", "version", "status", "hooks"), rows)


@click.command("adapters")
@json_option
@click.pass_obj
def list_adapters(plugins: Plugins, as_json: bool) -> None:
    """List adapters: framework binding, class, and what to install if its framework is missing."""
    found = [(a, a.missing()) for a in plugins.adapters.values()]
    if as_json:
        rows = [{**asdict(a), "missing": missing, "remedy": a.remedy if missing else ""} for a, missing in found]
        click.echo(json.dumps(rows, indent=1))
        return
    _print_table(
        ("name", "kind", "class", "state"),
        [(a.name, a.kind, a.target, f"needs {', '.join(m)}: {a.remedy}" if m else "installed") for a, m in found],
    )


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: exit code 1 and one sentence for what is not possible, 2 for wrong usage, 130 if interrupted."""
    warnings.showwarning = _one_line_warnings
    try:
        code = build_cli(Plugins()).main(arguments, prog_name="foretell", standalone_mode=False)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(130)
    except ForetellError as e:
        click.echo(f"foretell: {e}", err=True)
        sys.exit(1)
    except OSError as e:  # of a file that the user named
        click.echo(f"foretell: files must be readable and folders writable, but {e}: check the path", err=True)
        sys.exit(1)
    if type(code) is int:  # of `context.exit(code)`, which click returns instead of raising here
        sys.exit(code)


_shown_by_python = warnings.showwarning


def _one_line_warnings(message: Warning | str, category: type[Warning], *rest: object, **named: object) -> None:
    if issubclass(category, ForetellWarning):
        click.echo(f"foretell: {message}", err=True)
    else:
        _shown_by_python(message, category, *rest, **named)  # type: ignore[arg-type]
