"""Remember a function of configurations by what it reads, so that what it does not read cannot make it run again.

A network depends on a few of a study's parameters; the learning rate is not among them. Nobody says which: it shows
while the function runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_ABSENT = ("absent",)


class TrackedConfig(dict[str, Any]):
    """A dict that notes, in order, which keys were asked for; whatever looks at it as a whole asks for all."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.reads: dict[str, None] = {}

    def __getitem__(self, key: str) -> Any:
        self.reads[key] = None
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """See `dict.get`."""
        self.reads[key] = None
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.reads[str(key)] = None
        return super().__contains__(key)

    def _read_all(self) -> None:
        # "" stands for which keys there are; it comes first, since what is asked next depends on it
        self.reads |= dict.fromkeys(["", *sorted(super().keys())])

    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._read_all()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._read_all()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:  # dict has its own, which would not ask __eq__
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        self._read_all()
        return super().__repr__()

    def __or__(self, other: Any) -> Any:
        self._read_all()
        return super().__or__(other)

    def keys(self) -> Any:
        """See `dict.keys`."""
        self._read_all()
        return super().keys()

    def items(self) -> Any:
        """See `dict.items`."""
        self._read_all()
        return super().items()

    def values(self) -> Any:
        """See `dict.values`."""
        self._read_all()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """See `dict.copy`."""
        self._read_all()
        return super().copy()

    def pop(self, key: str, *default: Any) -> Any:
        """See `dict.pop`."""
        self.reads[key] = None
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """See `dict.setdefault`."""
        self.reads[key] = None
        return super().setdefault(key, default)


class ReadTree(Generic[T]):
    """Results of a function by the keys that it read and the values that it found there.

    A deterministic function asks for the same first key every time, and for the same next key whenever it found the
    same value: its runs form a tree, which a new configuration walks down with its own values.
    """

    def __init__(self) -> None:
        self._root: _Node = _Node()
        self.size = 0

    def find(self, config: Mapping[str, Any]) -> tuple[bool, T | None]:
        """Whether the function's result for a configuration is known, and the result."""
        node: _Node | None = self._root
        while node is not None and node.key is not None:
            node = node.children.get(_found(config, node.key))
        return (True, node.result) if node is not None and node.known else (False, None)

    def reads(self, config: Mapping[str, Any]) -> set[str]:
        """Which keys a known configuration's result took, "" standing for all; none where it is not known."""
        node, found = self._root, set[str]()
        while node.key is not None:
            found.add(node.key)
            child = node.children.get(_found(config, node.key))
            if child is None:
                return set()
            node = child
        return found if node.known else set()

    def add(self, config: Mapping[str, Any], reads: list[str], result: T) -> None:
        """Remember a result; where it contradicts what is known of the function, it is left out."""
        node = self._root
        for key in reads:
            if node.known or (node.key is not None and node.key != key):
                return
            node.key = key
            node = node.children.setdefault(_found(config, key), _Node())
        if node.key is None and not node.known:
            node.known, node.result = True, result
            self.size += 1


class _Node:
    __slots__ = ("children", "key", "known", "result")

    def __init__(self) -> None:
        self.key: str | None = None
        self.children: dict[tuple[Any, ...], _Node] = {}
        self.known = False
        self.result: Any = None


def _found(config: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    if key == "":
        return ("keys", *sorted(config))
    return (type(config[key]).__name__, repr(config[key])) if key in config else _ABSENT
