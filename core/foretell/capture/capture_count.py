"""How many modules this thread has captured: who asks before and after a function learns whether it captures any."""

from __future__ import annotations

import threading

_of_thread = threading.local()


def captured() -> int:
    """Captures that this thread began."""
    return int(getattr(_of_thread, "n", 0))


def count_capture() -> None:
    """One more begins."""
    _of_thread.n = captured() + 1
