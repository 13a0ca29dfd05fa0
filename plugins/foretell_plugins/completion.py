"""What the Tab key offers: names of benchmarks, of checkpoints, and of families of networks beside files.

Shells ask for it as click's documentation says, such as `eval "$(_FORETELL_COMPLETE=bash_source foretell)"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click


def complete_benchmark(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names for `foretell bench`."""
    from foretell_plugins.registry import Plugins

    del context, parameter
    return [CompletionItem(name) for name in sorted(Plugins().benchmarks) if name.startswith(incomplete)]


def complete_checkpoint(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Shipped checkpoints, and folders."""
    from foretell.checkpoints import names

    del context, parameter
    return [*_starting(names(), incomplete), CompletionItem(incomplete, type="dir")]


def complete_model(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Families, with the colon that their specification follows, and files."""
    from foretell.capture.families import FAMILIES

    del context, parameter
    return [*_starting([f"{name}:" for name in FAMILIES], incomplete), CompletionItem(incomplete, type="file")]


def _starting(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
