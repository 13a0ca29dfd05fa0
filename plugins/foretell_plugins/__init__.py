"""How others add to foretell: hooks, the registry that finds their plugins, and the `foretell` command."""

from foretell_plugins.markers import hookimpl, hookspec
from foretell_plugins.records import Adapter, PluginRecord
from foretell_plugins.registry import Plugins

__all__ = ["Adapter", "PluginRecord", "Plugins", "hookimpl", "hookspec"]
