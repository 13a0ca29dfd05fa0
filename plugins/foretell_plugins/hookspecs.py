"""All that a plugin can add.

A plugin implements any of these functions in a module that its package announces:

    [project.entry-points.foretell]
    mine = "my_package.foretell_plugin"

Every hook gets a `register` function to call, once for each thing that is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from foretell_plugins.markers import hookspec

if TYPE_CHECKING:
    import click

    from foretell.benchmarks.runner import Benchmark
    from foretell.capture.families import Family
    from foretell.encoders import Encoder
    from foretell.operations import OperationSpec
    from foretell.surrogates import Surrogate
    from foretell_plugins.records import Adapter

    EncoderFactory: TypeAlias = Callable[[dict[str, Any]], Encoder]
    SurrogateFactory: TypeAlias = Callable[[dict[str, Any]], Surrogate]
    BenchmarkFactory: TypeAlias = Callable[[], Benchmark]


@hookspec
def foretell_register_adapters(register: Callable[[Adapter], None]) -> None:
    """Announce bindings to frameworks, without importing them."""


@hookspec
def foretell_register_encoders(register: Callable[[str, EncoderFactory], None]) -> None:
    """Name encoders, with a function from JSON settings to an encoder."""


@hookspec
def foretell_register_surrogates(register: Callable[[str, SurrogateFactory], None]) -> None:
    """Name surrogates, with a function from JSON settings to a surrogate."""


@hookspec
def foretell_register_operations(register: Callable[[OperationSpec], None]) -> None:
    """Add operators to the vocabulary of computation graphs; ids from 1000 on."""


@hookspec
def foretell_register_families(register: Callable[[Family], None]) -> None:
    """Add families of networks, whose specifications `foretell show NAME:SPECIFICATION` then reads."""


@hookspec
def foretell_register_benchmarks(register: Callable[[str, BenchmarkFactory], None]) -> None:
    """Name measurements that `foretell bench NAME` runs."""


@hookspec
def foretell_register_commands(cli: click.Group) -> None:
    """Add commands to the `foretell` command line with `cli.add_command`."""
