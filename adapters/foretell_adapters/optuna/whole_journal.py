"""`WholeJournalBackend`: a journal file that a full disk, or a machine that stops, does not make unreadable."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import get_lock_file

_BLOCK = 4096


class WholeJournalBackend(JournalFileBackend):
    """Optuna's journal file, in which no half line stays.

    Optuna's own backend appends to whatever is there. Where a disk was full in the middle of a line, the next line is
    written on to that half, and from then on nobody can load a study of that file. Here a line that cannot be written
    whole is taken back, and one that another worker left half is cut off before the next is written. Nothing is lost
    by that: whoever wrote the half was told that it failed, or is no more. Use it in all workers of a file; it reads
    what Optuna's own has written, and the other way round.

    Args:
        file_path: The file; made if it is not there.
        lock_obj: As for Optuna's backend.

    >>> import tempfile
    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     storage = optuna.storages.JournalStorage(WholeJournalBackend(f"{folder}/studies.log"))
    ...     study = optuna.create_study(storage=storage)
    ...     study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    ...     len(study.trials)
    2
    """

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append records, all or none; see the base class."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with get_lock_file(self._lock), Path(self._file_path).open("r+b", buffering=0) as file:
            whole = _end_of_lines(file)
            file.truncate(whole)
            file.seek(whole)
            try:
                written = file.write(text)
                while written < len(text):  # a disk that fills up takes a part first, and then says so
                    written += file.write(text[written:])
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise


def _end_of_lines(file: IO[bytes]) -> int:
    """Where the last line that has an end ends."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
