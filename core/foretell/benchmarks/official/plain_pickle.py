"""Plain data out of a pickle, without Python's unpickler: no class of the file's choosing is ever looked up or called.

Benchmarks were published as pickles, and unpickling runs what the file says. This reads the opcodes that numbers,
texts, lists, tuples, sets and dictionaries are made of, with numpy's scalars as numbers and `OrderedDict` as a
dictionary; objects of classes that the caller names become a `Record` of their fields; all else is refused by name.
Memory stays in proportion to the file, and keys are plain, since hashing nested tuples can take forever.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

_ATOMS = (str, int, float, bytes, type(None))
_NUMBERS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
_DAMAGED = (struct.error, IndexError, KeyError, TypeError, ValueError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Record:
    """What a pickle says of an object: the name of its class, which is not looked up, and its fields."""

    name: str
    fields: dict[str, Any]


def read_pickle(data: bytes | mmap.mmap, start: int = 0, *, records: frozenset[str] = frozenset()) -> tuple[Any, int]:
    """Read one pickle of protocol 2 or later.

    Args:
        data: Bytes that hold it.
        start: Where it begins.
        records: Names of classes whose objects become a `Record`, whatever module they are said to be of.

    Returns:
        What it holds, and where it ends.

    Raises:
        InvalidDataError: If it holds anything but plain data, or is damaged.

    >>> import pickle
    >>> read_pickle(pickle.dumps({"accuracy": [0.5, 0.75]}))[0]
    {'accuracy': [0.5, 0.75]}
    >>> read_pickle(pickle.dumps(print))
    Traceback (most recent call last):
    ...
    foretell.errors.InvalidDataError: a table must be plain data, but the pickle asks for builtins.print: get the file \
from where its benchmark publishes it
    """
    machine = _Machine(data, start, records)
    try:
        return machine.run()
    except InvalidDataError:
        raise
    except _DAMAGED as e:
        msg = f"a pickle must be whole, but this one breaks at byte {machine.here} of {len(data)} ({e}): get it again"
        raise InvalidDataError(msg) from e


@dataclass(slots=True)
class _DType:
    """A type of numbers, as numpy's pickles describe it: its code, then its order of bytes."""

    code: str
    order: str = "|"

    def number(self, raw: bytes) -> float | int | bool:
        found: float | int | bool = np.frombuffer(raw, np.dtype(self.order + self.code), count=1).item()
        if len(raw) != np.dtype(self.code).itemsize:
            raise ValueError("a number of another size")
        return found


@dataclass(frozen=True, slots=True)
class _Named:
    """What a pickle calls by name: one of the few that `_make` knows."""

    module: str
    name: str


def _dtype(*given: Any) -> _DType:
    if not given or given[0] not in _NUMBERS:
        msg = f"a table must be plain data, but the pickle has a numpy type other than {sorted(_NUMBERS)}: get the file"
        raise InvalidDataError(f"{msg} from where its benchmark publishes it")
    return _DType(given[0])


def _scalar(dtype: Any, raw: Any) -> float | int | bool:
    if type(dtype) is not _DType or type(raw) is not bytes:
        raise TypeError("no number")
    return dtype.number(raw)


def _encoded(text: Any, codec: Any) -> bytes:
    """How protocol 2 writes bytes."""
    if type(text) is not str or codec != "latin1":
        raise TypeError("no bytes")
    return text.encode("latin1")


def _dictionary() -> dict[Any, Any]:
    """Empty, to be filled item by item."""
    return {}


def _set(items: Any = ()) -> set[Any]:
    """How protocol 2 writes sets."""
    if type(items) not in (list, tuple):
        raise TypeError("no set")
    return set(map(_key, items))


_MADE: dict[_Named, Callable[..., Any]] = {
    _Named("collections", "OrderedDict"): _dictionary,
    _Named("collections", "defaultdict"): lambda *_: {},
    _Named("numpy", "dtype"): _dtype,
    _Named("numpy.core.multiarray", "scalar"): _scalar,
    _Named("numpy._core.multiarray", "scalar"): _scalar,
    _Named("_codecs", "encode"): _encoded,
    **{_Named(module, "set"): _set for module in ("__builtin__", "builtins")},
    **{_Named(module, "bytes"): lambda: b"" for module in ("__builtin__", "builtins")},
}


class _Machine:
    """The stack machine of a pickle, as far as plain data needs it."""

    def __init__(self, data: bytes | mmap.mmap, start: int, records: frozenset[str]) -> None:
        self.here = start
        self._records = records
        self._data, self._end = data, len(data)
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> tuple[Any, int]:
        data, do = self._data, _DO
        while True:
            code = data[self.here]
            self.here += 1
            if code == _STOP:
                return self._stack.pop(), self.here
            step = do.get(code)
            if step is None:
                msg = f"a table must be plain data, but the pickle has the opcode {bytes([code])!r}: get the file"
                raise InvalidDataError(f"{msg} from where its benchmark publishes it")
            step(self)

    def take(self, n: int) -> bytes:
        begin, self.here = self.here, self.here + n
        if self.here > self._end:
            raise IndexError("cut off")
        return self._data[begin : self.here]

    def number(self, form: str) -> Any:
        begin, self.here = self.here, self.here + struct.calcsize(form)
        return struct.unpack_from(form, self._data, begin)[0]

    def line(self) -> str:
        begin, end = self.here, self._data.find(b"\n", self.here, self.here + 256)
        if end < 0:
            raise ValueError("a name without end")
        self.here = end + 1
        return self._data[begin:end].decode()

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def keep(self, slot: int) -> None:
        self._memo[slot] = self._stack[-1]

    def keep_next(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def recall(self, slot: int) -> None:
        self._stack.append(self._memo[slot])

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def since_mark(self) -> list[Any]:
        low = self._marks.pop()
        items = self._stack[low:]
        del self._stack[low:]
        return items

    def tuple(self, n: int) -> None:
        items = tuple(self._stack[-n:])
        if len(items) < n:
            raise IndexError("too few items")
        self._stack[-n:] = [items]

    def extend(self, items: list[Any]) -> None:
        self._of(list).extend(items)

    def add(self, items: list[Any]) -> None:
        self._of(set).update(map(_key, items))

    def set(self, items: list[Any]) -> None:
        into = self._of(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            into[_key(key)] = value

    def _of(self, kind: type) -> Any:
        if type(self._stack[-1]) is not kind:
            raise TypeError(f"no {kind.__name__} to fill")
        return self._stack[-1]

    def last(self, n: int) -> list[Any]:
        items = self._stack[-n:]
        del self._stack[-n:]
        return items

    def name(self, module: Any, name: Any) -> None:
        found = _Named(module, name) if type(module) is str is type(name) else None
        if found not in _MADE and (found is None or name not in self._records):
            msg = f"a table must be plain data, but the pickle asks for {module}.{name}: get the file"
            raise InvalidDataError(f"{msg} from where its benchmark publishes it")
        self._stack.append(found)

    def call(self) -> None:
        made, given = self.last(2)
        if type(made) is not _Named or type(given) is not tuple or made not in _MADE:
            raise TypeError("nothing to call")
        self._stack.append(_MADE[made](*given))

    def new(self) -> None:
        made, given = self.last(2)
        if type(made) is not _Named or made.name not in self._records or made in _MADE or given != ():
            raise TypeError("no object of a known class")
        self._stack.append(Record(made.name, {}))

    def state(self) -> None:
        state = self._stack.pop()
        if type(self._stack[-1]) is Record:
            if type(state) is not dict or not all(type(name) is str for name in state):
                raise TypeError("fields without names")
            self._stack[-1].fields.update(state)
            return
        of = self._of(_DType)
        if type(state) is not tuple or state[1] not in ("<", ">", "|", "="):
            raise ValueError("no order of bytes")
        of.order = state[1]


def _key(key: Any) -> Any:
    """A key or an element of a set, if it is plain."""
    if isinstance(key, _ATOMS) or (type(key) is tuple and all(isinstance(part, _ATOMS) for part in key)):
        return key
    raise TypeError("a key that is no plain value")


_STOP = ord(".")
_DO: dict[int, Callable[[_Machine], object]] = {
    0x80: lambda m: m.take(1),  # PROTO
    0x95: lambda m: m.take(8),  # FRAME
    ord("("): _Machine.mark,
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: m.push(int.from_bytes(m.take(m.number("<B")), "little", signed=True)),  # LONG1
    ord("G"): lambda m: m.push(m.number(">d")),
    ord("X"): lambda m: m.push(m.take(m.number("<I")).decode("utf-8", "surrogatepass")),
    0x8C: lambda m: m.push(m.take(m.number("<B")).decode("utf-8", "surrogatepass")),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    ord("]"): lambda m: m.push([]),
    ord("a"): lambda m: m.extend(m.last(1)),
    ord("e"): lambda m: m.extend(m.since_mark()),
    ord(")"): lambda m: m.push(()),
    ord("t"): lambda m: m.push(tuple(m.since_mark())),
    0x85: lambda m: m.tuple(1),
    0x86: lambda m: m.tuple(2),
    0x87: lambda m: m.tuple(3),
    ord("}"): lambda m: m.push({}),
    ord("s"): lambda m: m.set(m.last(2)),
    ord("u"): lambda m: m.set(m.since_mark()),
    0x8F: lambda m: m.push(set()),
    0x90: lambda m: m.add(m.since_mark()),
    ord("q"): lambda m: m.keep(m.number("<B")),
    ord("r"): lambda m: m.keep(m.number("<I")),
    0x94: _Machine.keep_next,
    ord("h"): lambda m: m.recall(m.number("<B")),
    ord("j"): lambda m: m.recall(m.number("<I")),
    ord("c"): lambda m: m.name(m.line(), m.line()),
    0x93: lambda m: m.name(*m.last(2)),
    ord("R"): _Machine.call,
    0x81: _Machine.new,  # NEWOBJ
    ord("b"): _Machine.state,
}
