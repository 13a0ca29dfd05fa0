"""Records of a TFRecord file, without TensorFlow: a length, its checksum, the bytes, their checksum; again and again.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST = 64 * 2**20


def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        found.append(value)
    return tuple(found)


_TABLE = _table()


def masked_crc32c(data: bytes) -> int:
    """The checksum of TFRecord files: CRC-32C (Castagnoli), rotated by 15 bits, plus a constant.

    >>> hex(masked_crc32c(b""))
    '0xa282ead8'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path: Path) -> Iterator[bytes]:
    """Records one by one. Checksums of lengths are checked; those of the bytes are not, which would take minutes.

    Raises:
        InvalidDataError: If it is no such file, or is cut off.
    """
    here = 0
    with path.open("rb") as file:
        while head := file.read(12):
            length, crc = struct.unpack("<QI", head) if len(head) == 12 else (0, -1)
            if crc != masked_crc32c(head[:8]) or length > _LARGEST:
                msg = f"a TFRecord file must hold lengths with their checksums, but {path} does not at byte {here}"
                raise InvalidDataError(f"{msg}: get it again")
            data = file.read(length + 4)
            if len(data) < length + 4:
                msg = (
                    f"a TFRecord file must end with a whole record, but {path} is cut off at byte {here}: get it again"
                )
                raise InvalidDataError(msg)
            here += 12 + len(data)
            yield data[:length]
