"""The whole command, for the page that prints its help."""

from foretell_plugins.cli import build_cli
from foretell_plugins.registry import Plugins

foretell = build_cli(Plugins())
