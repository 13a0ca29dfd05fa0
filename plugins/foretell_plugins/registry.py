"""The registry: finds plugins, lets in what works, and sets the rest aside with a sentence.

Environment variables, read when plugins are first needed: `FORETELL_DISABLE_PLUGINS=a,b` leaves out the named ones,
`FORETELL_PLUGINS=` (empty) leaves out all, `FORETELL_PLUGINS=a,b` lets in only the named ones, and
`FORETELL_STRICT_PLUGINS=1` raises what would be set aside, for authors of plugins.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

import pluggy

from foretell.capture.families import FAMILIES, register_family
from foretell.encoders import ENCODERS, register_encoder
from foretell.errors import ForetellWarning, PluginError
from foretell.operations import OPERATIONS
from foretell.surrogates import SURROGATES, register_surrogate
from foretell_plugins import hookspecs
from foretell_plugins.additions import Additions
from foretell_plugins.markers import PROJECT
from foretell_plugins.records import PluginRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import click

    from foretell_plugins.records import Adapter

_logger = logging.getLogger(__name__)

# The core's tables outlive a registry; who filled them must too, or a second registry in the same process would take
# a plugin's own entry for somebody else's.
_owner_in_core: dict[tuple[str, str], str] = {}


class PluginWarning(ForetellWarning):
    """A plugin was set aside; the message names it, its package and the cause."""


class Plugins:
    """All plugins of this environment, found on first use.

    Args:
        environment: Environment variables.
        entry_points: Announced plugins; those of the installed packages by default.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._entry_points = entry_points
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._records: list[PluginRecord] = []
        self._adapters: dict[str, Adapter] = {}
        self._benchmarks: dict[str, Callable[[], Any]] = {}
        self._owner: dict[tuple[str, str], str] = {}
        self._discovered = False

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """The state of every plugin."""
        self.discover()
        return tuple(self._records)

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        """Announced adapters by name."""
        self.discover()
        return dict(self._adapters)

    @property
    def benchmarks(self) -> Mapping[str, Callable[[], Any]]:
        """Benchmarks by name."""
        self.discover()
        return dict(self._benchmarks)

    def discover(self) -> None:
        """Find and let in the plugins of installed packages; the second call does nothing."""
        if self._discovered:
            return
        self._discovered = True
        disabled = _names(self._environment.get("FORETELL_DISABLE_PLUGINS", ""))
        only = self._environment.get("FORETELL_PLUGINS")
        found = importlib.metadata.entry_points(group=PROJECT) if self._entry_points is None else self._entry_points
        # Ours come first: a name that another package also wants stays ours.
        ours_first = sorted(found, key=lambda e: (e.dist is None or e.dist.name != PROJECT, e.name, e.value))
        for entry in ours_first:
            distribution = entry.dist.name if entry.dist else ""
            version = entry.dist.version if entry.dist else ""
            if entry.name in disabled or (only is not None and entry.name not in _names(only)):
                self._records.append(PluginRecord(entry.name, distribution, version, (), "disabled"))
            else:
                self.admit(entry.name, entry.load, distribution, version)

    def admit(self, name: str, load: Callable[[], object], distribution: str = "", version: str = "") -> PluginRecord:
        """Let one plugin in, or set it aside.

        Args:
            name: Name of the plugin.
            load: Gives its module or object.
            distribution: Package that it comes from.
            version: Version of that package.

        Raises:
            PluginError: If it is broken and `FORETELL_STRICT_PLUGINS` is set.
        """
        hooks: tuple[str, ...] = ()
        try:
            if self._manager.has_plugin(name):
                owner = next((r.distribution for r in self._records if r.name == name), "")
                msg = f"plugin names must be unique, but {name!r} is also announced by {owner!r}: rename one"
                raise PluginError(msg)
            plugin = load()
            try:
                self._manager.register(plugin, name)
                hooks = self._checked_hooks(plugin, name)
                self._take(self._ask(plugin, hooks), f"{name!r} of {distribution}" if distribution else repr(name))
            except BaseException:
                self._manager.unregister(name=name)  # pluggy keeps a plugin that failed to register
                raise
            record = PluginRecord(name, distribution, version, hooks, "ok")
        except (Exception, SystemExit) as e:  # noqa: BLE001 - the border: no plugin may stop its host
            record = self._set_aside(PluginRecord(name, distribution, version, hooks, "broken", _one_line(e)), e)
        self._records.append(record)
        return record

    def add_commands(self, cli: click.Group) -> None:
        """Let every sound plugin add its commands; one that fails is set aside and adds none."""
        self.discover()
        for i, record in enumerate(self._records):
            if record.status != "ok" or "foretell_register_commands" not in record.hooks:
                continue
            before = dict(cli.commands)
            try:
                self._call(self._manager.get_plugin(record.name), "foretell_register_commands", cli=cli)
                taken = [name for name in before if cli.commands.get(name) is not before[name]]
                if taken:
                    msg = f"command names must be unique, but {taken} are taken: rename them"
                    raise PluginError(msg)
            except (Exception, SystemExit) as e:  # noqa: BLE001 - the border, as above
                cli.commands.clear()
                cli.commands.update(before)
                broken = PluginRecord(
                    record.name, record.distribution, record.version, record.hooks, "broken", _one_line(e)
                )
                self._records[i] = self._set_aside(broken, e)

    def _checked_hooks(self, plugin: object, name: str) -> tuple[str, ...]:
        callers = self._manager.get_hookcallers(plugin) or []
        known = {n for n in dir(hookspecs) if n.startswith(f"{PROJECT}_")}
        unknown = sorted({c.name for c in callers} - known)
        if unknown:
            msg = f"hooks must be among {sorted(known)}, but {name!r} implements {unknown}: correct the spelling"
            raise PluginError(msg)
        if not callers:
            msg = (
                f"a plugin must implement a hook, but {name!r} has none: mark functions with foretell_plugins.hookimpl"
            )
            raise PluginError(msg)
        return tuple(sorted({c.name for c in callers}))

    def _ask(self, plugin: object, hooks: Iterable[str]) -> Additions:
        additions = Additions()
        registers = additions.hooks()
        for hook in hooks:
            if hook in registers:
                self._call(plugin, hook, register=registers[hook])
        return additions

    def _call(self, plugin: object, hook: str, **arguments: object) -> None:
        """Call one plugin's implementation, and no other's."""
        others = [p for p in self._manager.get_plugins() if p is not plugin]
        self._manager.subset_hook_caller(hook, others)(**arguments)

    def _take(self, additions: Additions, owner: str) -> None:
        """Add everything or, if anything clashes, nothing."""
        claims = [("adapter", a.name) for a in additions.adapters] + [("benchmark", n) for n, _ in additions.benchmarks]
        claims += [("encoder", n) for n, _ in additions.encoders] + [("surrogate", n) for n, _ in additions.surrogates]
        claims += [("operation", o.name) for o in additions.operations]
        claims += [("family", f.name) for f in additions.families]
        in_core = {("encoder", n) for n in ENCODERS} | {("surrogate", n) for n in SURROGATES}
        in_core |= {("operation", n) for n in OPERATIONS} | {("family", n) for n in FAMILIES}
        owners = {claim: _owner_in_core.get(claim, repr(PROJECT)) for claim in in_core}
        taken = self._owner | {claim: other for claim, other in owners.items() if other != owner}
        for i, claim in enumerate(claims):
            earlier = owner if claim in claims[:i] else taken.get(claim)
            if earlier is not None:
                msg = f"{claim[0]} names must be unique, but {claim[1]!r} already comes from {earlier}: rename it"
                raise PluginError(msg)
        additions.add_operations()
        for key, factory in additions.encoders:
            if key not in ENCODERS:
                register_encoder(key, factory)
        for key, factory in additions.surrogates:
            if key not in SURROGATES:
                register_surrogate(key, factory)
        for family in additions.families:
            if family.name not in FAMILIES:
                register_family(family)
        self._adapters |= {a.name: a for a in additions.adapters}
        self._benchmarks |= dict(additions.benchmarks)
        self._owner |= dict.fromkeys(claims, owner)
        in_core_kinds = {"encoder", "surrogate", "operation", "family"}
        _owner_in_core.update({c: owner for c in claims if c[0] in in_core_kinds})

    def _set_aside(self, record: PluginRecord, error: BaseException) -> PluginRecord:
        if self._environment.get("FORETELL_STRICT_PLUGINS", "") not in {"", "0"}:
            msg = f"plugin {record.name!r} is broken: {record.cause}"
            raise PluginError(msg) from error
        package = f"{record.distribution} {record.version}".strip() or "no package"
        _logger.debug("plugin %s of %s is broken", record.name, package, exc_info=error)
        warnings.warn(f"plugin {record.name!r} of {package} was set aside: {record.cause}", PluginWarning, stacklevel=4)
        return record


def _names(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _one_line(error: BaseException) -> str:
    text = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}".rstrip(": ")
