"""Small packages with plugins, good and broken, that tests really install."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = """
from foretell_plugins import Adapter, hookimpl
@hookimpl
def foretell_register_adapters(register):
    register(Adapter(name="good", kind="sampler", requires=("click",), target="click:Group"))
@hookimpl
def foretell_register_commands(cli):
    import click
    cli.add_command(click.Command("hello", callback=lambda: click.echo("hello from a plugin")))
"""
_IMPORT_ERROR = "import a_module_that_does_not_exist\n"
_MISSPELT = """
from foretell_plugins import hookimpl
@hookimpl
def foretell_register_adaptors(register):
    pass
"""
_WRONG_ARGUMENT = """
from foretell_plugins import hookimpl
@hookimpl
def foretell_register_adapters(registry):
    pass
"""
_RAISES = """
from foretell_plugins import Adapter, hookimpl
@hookimpl
def foretell_register_adapters(register):
    register(Adapter(name="half", kind="sampler", requires=(), target="click:Group"))
    raise RuntimeError("the plugin's own bug")
"""
_TAKES_OUR_NAME = """
from foretell_plugins import Adapter, hookimpl
@hookimpl
def foretell_register_adapters(register):
    register(Adapter(name="optuna", kind="sampler", requires=(), target="click:Group"))
"""
PACKAGES = {
    "foretell-good": _GOOD,
    "foretell-import-error": _IMPORT_ERROR,
    "foretell-misspelt": _MISSPELT,
    "foretell-wrong-argument": _WRONG_ARGUMENT,
    "foretell-raises": _RAISES,
    "foretell-keen-rival": _TAKES_OUR_NAME,  # sorts before our own `optuna`
}


def install(target: Path, packages: dict[str, str], workspace: Path) -> None:
    """Build a wheel of each package and let pip install them into a folder."""
    wheels = [str(_wheel(workspace, name, code)) for name, code in packages.items()]
    options = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *wheels], check=True, capture_output=True)


def _wheel(folder: Path, name: str, code: str) -> Path:
    module = name.replace("-", "_")
    info = f"{module}-1.2.3.dist-info"
    path = folder / f"{module}-1.2.3-py3-none-any.whl"
    files = {
        f"{module}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[foretell]\n{name.removeprefix('foretell-')} = {module}\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, text)
    return path
