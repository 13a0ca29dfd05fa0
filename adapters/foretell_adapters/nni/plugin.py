"""Announces the NNI adapters; imports no NNI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell_plugins import Adapter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from foretell.benchmarks.runner import Benchmark


@hookimpl
def foretell_register_adapters(register: Callable[[Adapter], None]) -> None:
    """Announce `ForetellTuner`, `ForetellAssessor` and `ForetellStrategy`."""
    for kind in ("tuner", "assessor", "strategy"):
        register(
            Adapter(
                name=f"nni-{kind}",
                kind=kind,
                requires=("nni>=3,<4",) if kind != "strategy" else ("nni>=3,<4", "pytorch-lightning"),
                target=f"foretell_adapters.nni.{kind}:Foretell{kind.capitalize()}",
                extra="foretell[nni]",
            )
        )


@hookimpl
def foretell_register_benchmarks(register: Callable[..., None]) -> None:
    """Name `nni-coverage` and `nni-search`."""
    register("nni-coverage", _coverage)
    register("nni-search", _search)


def _coverage() -> Benchmark:
    from foretell_adapters.nni import coverage

    return coverage.NniCoverage()


def _search() -> Benchmark:
    from foretell_adapters.nni import table_search

    return table_search.NniSearch()


@hookimpl
def foretell_register_commands(cli: click.Group) -> None:
    """Add `foretell nni`."""
    from foretell_adapters.nni.commands import nni_group

    cli.add_command(nni_group)
