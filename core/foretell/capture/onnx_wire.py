"""An ONNX file without its weights: a pass over the protobuf bytes that leaves large tensors where they are.

A graph needs the shapes of the weights, never their numbers. The file is mapped, not read, and what is copied is
bounded, so that neither a large model nor a hostile one can fill the memory. Names of files with external data are
dropped unread.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from foretell.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_FILE = 64 * 2**30
MOST_FIELDS = 2_000_000
MOST_BYTES = 32 * 2**20
_SMALL = 2048  # bytes of a tensor that are worth copying: shapes, axes, scalars
_DEEPEST = 32

_INSIDE = {  # message -> field number -> kind of the message inside, as in onnx.proto
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_NUMBERS = frozenset({4, 5, 6, 7, 9, 10, 11})  # float, int32, string, int64, raw, double, uint64 data
_ELSEWHERE = frozenset({13, 14})  # external_data and data_location
_PROSE = {"model": {6, 14}, "graph": {10, 14, 16}, "node": {6, 9}, "function": {8, 14}, "attribute": {13}}
"""Documentation and metadata, which exporters fill with stack traces."""


def skeleton(source: str | Path | bytes) -> bytes:
    """The model's bytes without large tensors, external data and documentation.

    Args:
        source: Path of an ONNX file, or its bytes.

    Raises:
        CaptureError: If it cannot be opened, is no protobuf, is cut off, or is larger than any network needs.

    >>> skeleton(b"")
    Traceback (most recent call last):
    ...
    foretell.errors.CaptureError: an ONNX model must be a protobuf message, but <bytes> is empty: export it again
    """
    if isinstance(source, bytes):
        return _Copy("<bytes>").of(memoryview(source))
    path = Path(source)
    try:
        size = path.stat().st_size
        if not path.is_file() or size > LARGEST_FILE:
            msg = f"an ONNX model must be a file of at most {LARGEST_FILE} bytes, but {path} has {size}: check the path"
            raise CaptureError(msg)
        if size == 0:
            return _Copy(str(path)).of(memoryview(b""))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            view = memoryview(mapped)
            try:
                return _Copy(str(path)).of(view)
            finally:
                view.release()
    except OSError as e:
        msg = f"an ONNX file must be readable, but {path} is not ({e}): check the path"
        raise CaptureError(msg) from e


class _Copy:
    def __init__(self, where: str) -> None:
        self._where = where
        self._fields = 0
        self._bytes = 0

    def of(self, view: memoryview) -> bytes:
        if not len(view):
            msg = f"an ONNX model must be a protobuf message, but {self._where} is empty: export it again"
            raise CaptureError(msg)
        return self._message(view, 0, len(view), "model", 0)

    def _message(self, view: memoryview, start: int, end: int, kind: str, depth: int) -> bytes:
        if depth > _DEEPEST:
            msg = f"an ONNX model may nest {_DEEPEST} messages, but {self._where} nests more: unroll its subgraphs"
            raise CaptureError(msg)
        inside, prose = _INSIDE[kind], _PROSE.get(kind, set())
        parts: list[bytes] = []
        for number, field, content, stop in self._walk(view, start, end):
            if number in inside and content is not None:
                copied = self._message(view, content, stop, inside[number], depth + 1)
                parts += (_varint(number << 3 | 2), _varint(len(copied)), copied)
                continue
            dropped = number in prose
            if kind == "tensor":
                dropped = number in _ELSEWHERE or (number in _NUMBERS and stop - field > _SMALL)
            if not dropped:
                self._spend(stop - field)
                parts.append(bytes(view[field:stop]))
        return b"".join(parts)

    def _walk(self, view: memoryview, start: int, end: int) -> Iterator[tuple[int, int, int | None, int]]:
        """Field number, where the field begins, where its content begins (if it has a length), where it ends."""
        here = start
        while here < end:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                msg = f"an ONNX model may have {MOST_FIELDS} fields, but {self._where} has more: split the network"
                raise CaptureError(msg)
            field = here
            key, here = self._read(view, here, end)
            number, wire = key >> 3, key & 7
            content = None
            if wire == 0:
                _, here = self._read(view, here, end)
            elif wire == 2:
                length, content = self._read(view, here, end)
                here = content + length
            elif wire in {1, 5}:
                here += 8 if wire == 1 else 4
            else:
                self._refuse(field)
            if here > end or number == 0:
                self._refuse(field)
            yield number, field, content, here

    def _read(self, view: memoryview, here: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while here < end and shift < 64:
            byte = view[here]
            here += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, here
            shift += 7
        self._refuse(here)
        raise AssertionError  # pragma: no cover - _refuse always raises

    def _spend(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES:
            msg = (
                f"an ONNX model may hold {MOST_BYTES} bytes beside its weights, but {self._where} holds more: "
                "store constants as initializers"
            )
            raise CaptureError(msg)

    def _refuse(self, place: int) -> None:
        msg = (
            f"an ONNX model must be a whole protobuf message, but {self._where} is cut off or damaged at byte "
            f"{place}: export it again"
        )
        raise CaptureError(msg)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
