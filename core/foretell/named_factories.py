"""A table of factories by name, to which plugins may add."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from foretell.errors import PluginError

T = TypeVar("T")


class NamedFactories(Mapping[str, Callable[[dict[str, Any]], T]], Generic[T]):
    """Name -> function from JSON settings to an object.

    Args:
        kind: What is made, for messages.
        built_in: The first entries.
    """

    def __init__(self, kind: str, built_in: Mapping[str, Callable[[dict[str, Any]], T]]) -> None:
        self._kind = kind
        self._table = dict(built_in)

    def register(self, name: str, factory: Callable[[dict[str, Any]], T]) -> None:
        """Add an entry; the same one twice is allowed.

        Raises:
            PluginError: If the name is taken by another factory.
        """
        if self._table.setdefault(name, factory) != factory:
            msg = f"{self._kind} names must be unique, but {name!r} is taken: prefix it with your package's name"
            raise PluginError(msg)

    def make(self, name: str, config: dict[str, Any]) -> T:
        """Build an object from its name and settings.

        Raises:
            PluginError: If the name is unknown.
        """
        if name not in self._table:
            msg = f"a known {self._kind} is needed, one of {sorted(self._table)}, but got {name!r}: install its plugin"
            raise PluginError(msg)
        return self._table[name](config)

    def __getitem__(self, name: str) -> Callable[[dict[str, Any]], T]:
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
