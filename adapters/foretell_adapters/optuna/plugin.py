"""Announces the Optuna adapter; imports no Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell_plugins import Adapter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from foretell.benchmarks.runner import Benchmark


@hookimpl
def foretell_register_adapters(register: Callable[[Adapter], None]) -> None:
    """Announce `ForetellSampler`."""
    register(
        Adapter(
            name="optuna",
            kind="sampler",
            requires=("optuna>=5,<6",),
            target="foretell_adapters.optuna.sampler:ForetellSampler",
            extra="foretell[optuna]",
        )
    )


@hookimpl
def foretell_register_benchmarks(register: Callable[..., None]) -> None:
    """Name `costs`, `defaults`, `fidelities`, `latency`, `limits`, `pareto`, `pruning`, `search`, and so on."""
    register("costs", _costs)
    register("defaults", _defaults)
    register("fidelities", _fidelities)
    register("latency", _latency)
    register("limits", _limits)
    register("pareto", _pareto)
    register("pruning", _pruning)
    register("search", _search)
    register("soak", _soak)
    register("sources", _sources)
    register("stopping", _stopping)
    register("workers", _workers)


def _costs() -> Benchmark:
    from foretell_adapters.optuna import costs_bench

    return costs_bench.CostsBench()


def _defaults() -> Benchmark:
    from foretell_adapters.optuna import defaults_bench

    return defaults_bench.DefaultsBench()


def _fidelities() -> Benchmark:
    from foretell_adapters.optuna import fidelities_bench

    return fidelities_bench.Fidelities()


def _latency() -> Benchmark:
    from foretell_adapters.optuna import latency

    return latency.Latency()


def _limits() -> Benchmark:
    from foretell_adapters.optuna import limits_bench

    return limits_bench.LimitsBench()


def _pareto() -> Benchmark:
    from foretell_adapters.optuna import pareto_bench

    return pareto_bench.Pareto()


def _pruning() -> Benchmark:
    from foretell_adapters.optuna import pruning_bench

    return pruning_bench.Pruning()


def _search() -> Benchmark:
    from foretell_adapters.optuna import search_bench

    return search_bench.Search()


def _soak() -> Benchmark:
    from foretell_adapters.optuna import soak

    return soak.Soak()


def _sources() -> Benchmark:
    from foretell_adapters.optuna import sources_bench

    return sources_bench.SourcesBench()


def _stopping() -> Benchmark:
    from foretell_adapters.optuna import stopping_bench

    return stopping_bench.Stopping()


def _workers() -> Benchmark:
    from foretell_adapters.optuna import workers_bench

    return workers_bench.Workers()


@hookimpl
def foretell_register_commands(cli: click.Group) -> None:
    """Add `foretell defaults`, `foretell demo` and `foretell report`."""
    from foretell_adapters.optuna.commands import demo
    from foretell_adapters.optuna.defaults_command import defaults
    from foretell_adapters.optuna.report_command import report

    cli.add_command(defaults)
    cli.add_command(demo)
    cli.add_command(report)
