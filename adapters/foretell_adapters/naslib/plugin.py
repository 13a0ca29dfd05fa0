"""Announces the NASLib adapter, which needs no NASLib to be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell_plugins import Adapter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from foretell.benchmarks.runner import Benchmark


@hookimpl
def foretell_register_adapters(register: Callable[[Adapter], None]) -> None:
    """Announce `ForetellPredictor`; NASLib is not on the package index, so nothing can be required."""
    register(
        Adapter(
            name="naslib",
            kind="predictor",
            requires=(),
            target="foretell_adapters.naslib.predictor:ForetellPredictor",
        )
    )


@hookimpl
def foretell_register_benchmarks(register: Callable[..., None]) -> None:
    """Name `naslib-query`, which needs no NASLib."""
    register("naslib-query", _query)


def _query() -> Benchmark:
    from foretell_adapters.naslib import query_latency

    return query_latency.QueryLatency()


@hookimpl
def foretell_register_commands(cli: click.Group) -> None:
    """Add `foretell naslib`."""
    from foretell_adapters.naslib.commands import naslib_group

    cli.add_command(naslib_group)
