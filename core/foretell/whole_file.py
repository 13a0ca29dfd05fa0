"""Files that are there whole, or as they were before."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from foretell.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files beside those that are there, and put them in their places once all are on the disk.

    Whoever reads sees the old content or the new; a full disk leaves the old one of all of them.

    Args:
        files: Content by path, all of it; text is written as UTF-8, line ends as they are.

    Raises:
        WriteError: If one cannot be written; what was there is unharmed.
    """
    parts = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in files}
    try:
        for path, content in files.items():
            with parts[path].open("wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
        for path, part in parts.items():
            part.replace(path)
    except OSError as e:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        names = ", ".join(map(str, files))
        msg = f"a file must be written whole, but {names} cannot be ({e}): make room; nothing that was there is lost"
        raise WriteError(msg) from e
