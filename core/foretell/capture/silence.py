"""Keeps what `torch.export` prints about its own failures out of the user's terminal.

Only this thread is silenced, nothing stays changed, and the reason of a failure is in the exception.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager
from io import TextIOBase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_LOGGERS = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes")
_ONE_AT_A_TIME = threading.RLock()  # two threads that swap sys.stderr at once would restore each other's


class _OtherThreads(TextIOBase):
    """A stream that drops what one thread writes and passes on the rest."""

    def __init__(self, stream: TextIO, silent: int) -> None:
        self._stream = stream
        self._silent = silent

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._silent else self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


@contextmanager
def silence() -> Iterator[None]:
    """Drop this thread's log records of torch's tracer and its writes to `sys.stderr`."""
    me = threading.get_ident()

    def from_others(record: logging.LogRecord) -> bool:
        return record.thread != me

    with _ONE_AT_A_TIME:
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        stderr = sys.stderr
        for logger in loggers:
            logger.addFilter(from_others)
        sys.stderr = _OtherThreads(stderr, me)
        try:
            yield
        finally:
            sys.stderr = stderr
            for logger in loggers:
                logger.removeFilter(from_others)
