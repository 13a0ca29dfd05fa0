"""`foretell nni`: what a user of NNI runs once.

NNI has no entry points: it finds algorithms by name in a file of the environment, so a command must write it.
"""

from __future__ import annotations

from typing import Any

import click

from foretell.errors import ForetellError
from foretell_adapters.nni.installation import needs_nni

NAME = "Foretell"
_META = {
    "builtinName": NAME,
    "className": "foretell_adapters.nni.tuner.ForetellTuner",
    "classArgsValidator": "foretell_adapters.nni.tuner.ForetellClassArgsValidator",
    "source": "user",
}


@click.group(name="nni")
def nni_group() -> None:
    """Make foretell known to NNI by name."""


@nni_group.command()
def register() -> None:
    """Make `tuner: {name: Foretell}` work in this environment."""
    with needs_nni():
        import nni
        from nni.runtime.config import get_config_file
        from nni.tools import package_utils

        import foretell_adapters.nni.tuner  # noqa: F401 - NNI imports it only when an experiment starts: too late
    package_utils.register_algo_meta(package_utils.AlgoMeta.load({**_META, "nniVersion": nni.__version__}, "tuner"))
    click.echo(f"Registered in {get_config_file('registered_algorithms.yml')}. Write in an experiment:")
    click.echo(f"  tuner: {{name: {NAME}, classArgs: {{optimize_mode: maximize}}}}")


@nni_group.command()
def unregister() -> None:
    """Forget the name again."""
    with needs_nni():
        from nni.tools import package_utils
    found: Any = package_utils.get_algo_meta(NAME)
    if found is None:
        msg = f"only a registered algorithm can be unregistered, but {NAME} is not: nothing to do"
        raise ForetellError(msg)
    package_utils.unregister_algo_meta(NAME)
    click.echo(f"Unregistered {NAME}.")
