"""What one plugin asks to add, kept apart until all its hooks have run, so that a failure leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from foretell.capture.families import Family
from foretell.errors import ForetellError, PluginError
from foretell.operations import OPERATIONS, OperationSpec, register_operation, unregister_operation
from foretell_plugins.records import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass
class Additions:
    """The additions of one plugin, filled by the `register` functions that its hooks get."""

    adapters: list[Adapter] = field(default_factory=list)
    encoders: list[tuple[str, Any]] = field(default_factory=list)
    surrogates: list[tuple[str, Any]] = field(default_factory=list)
    operations: list[OperationSpec] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    benchmarks: list[tuple[str, Any]] = field(default_factory=list)

    def hooks(self) -> dict[str, Callable[..., None]]:
        """The `register` function of each hook."""
        return {
            "foretell_register_adapters": _taking(Adapter, self.adapters),
            "foretell_register_encoders": _taking_factories(self.encoders),
            "foretell_register_surrogates": _taking_factories(self.surrogates),
            "foretell_register_operations": _taking(OperationSpec, self.operations),
            "foretell_register_families": _taking(Family, self.families),
            "foretell_register_benchmarks": _taking_factories(self.benchmarks),
        }

    def add_operations(self) -> None:
        """Extend the vocabulary by all operators or, if one's id is taken, by none.

        Raises:
            InvalidArchitectureError: If an id belongs to another operator.
        """
        added = []
        try:
            for spec in self.operations:
                known = spec.name in OPERATIONS
                register_operation(spec)
                if not known:
                    added.append(spec)
        except ForetellError:
            for spec in added:
                unregister_operation(spec)
            raise


def _taking(kind: type[T], into: list[T]) -> Callable[[T], None]:
    def register(what: T) -> None:
        if not isinstance(what, kind):
            msg = f"`register` here takes an instance of {kind.__name__}, but got {what!r}: mend the plugin"
            raise PluginError(msg)
        into.append(what)

    return register


def _taking_factories(into: list[tuple[str, Any]]) -> Callable[[str, Any], None]:
    def register(name: str, factory: Any) -> None:
        if not isinstance(name, str) or not name or not callable(factory):
            msg = f"`register` here takes a name and a function, but got {name!r}, {factory!r}: mend the plugin"
            raise PluginError(msg)
        into.append((name, factory))

    return register
