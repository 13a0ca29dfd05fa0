"""Plain data out of a file that `torch.save` wrote, in either of its two containers; tensors are refused.

As `torch.load(weights_only=True)`, but stricter: nothing of torch or numpy is called, see `plain_pickle`.
"""

from __future__ import annotations

import mmap
import zipfile
import zlib
from pathlib import Path
from typing import Any

from foretell.benchmarks.official.plain_pickle import read_pickle
from foretell.errors import InvalidDataError

_MAGIC = 0x1950A86A20F9469CFC6C
_BEFORE = 3  # pickles in front of the data: magic number, version, system
_LARGEST = 16 * 2**30


def read_torch(path: Path) -> Any:
    """What the file holds.

    Raises:
        InvalidDataError: If it is no such file, is damaged, holds more than plain data, or unpacks to more than 16 GiB.
    """
    if not path.is_file() or not path.stat().st_size:
        msg = f"a table must be a file with data, but {path} is not: check the path"
        raise InvalidDataError(msg)
    try:
        zipped = zipfile.is_zipfile(path)
    except (zipfile.BadZipFile, OSError) as e:  # of several disks, say
        raise _broken(path, e) from e
    if zipped:
        return _zipped(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        here, parts = 0, []
        for _ in range(_BEFORE + 1):
            part, here = read_pickle(data, here)
            parts.append(part)
            if parts[0] != _MAGIC:
                msg = f"a table must be a file that torch.save wrote, but {path} is not: check the path"
                raise InvalidDataError(msg)
        return parts[-1]


def _zipped(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] == "data.pkl"]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > _LARGEST:
                msg = f"an archive of torch.save holds one data.pkl of at most {_LARGEST} bytes, but {path} does not"
                raise InvalidDataError(f"{msg}: check the path")
            return read_pickle(archive.read(names[0]))[0]
    except InvalidDataError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as e:
        raise _broken(path, e) from e


def _broken(path: Path, error: Exception) -> InvalidDataError:
    return InvalidDataError(f"an archive of torch.save must be whole, but {path} is not ({error}): get it again")
