"""Functions that are not waited for longer than was said."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time

import pytest

from foretell.errors import ForetellError, TimeLimitError
from foretell.time_limit import within

# a function that is told to stop may be in a callback of the garbage collector, which can only say so
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME")


def left_behind() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "foretell-time-limit"]


def test_what_is_in_time_is_returned_or_raised() -> None:
    assert within(5.0, lambda: 3) == 3
    assert within(None, threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0)
    assert not left_behind()


def test_the_callers_context_is_there() -> None:
    NAME.set("here")
    assert within(5.0, NAME.get) == "here"


def test_a_loop_that_catches_everything_of_its_own_is_told_to_stop() -> None:
    def loop() -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.001)

    start = time.monotonic()
    with pytest.raises(TimeLimitError, match=r"had 0.2 s and did not come to an end: raise the limit"):
        within(0.2, loop)
    assert time.monotonic() - start < 5
    for thread in left_behind():
        thread.join(2)
    assert not left_behind()


def test_one_that_hangs_in_a_system_call_stays_behind_and_holds_nobody_up() -> None:
    release = threading.Event()
    start = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        within(0.2, release.wait)
    assert isinstance(caught.value, ForetellError)
    assert time.monotonic() - start < 5
    (thread,) = left_behind()
    assert thread.daemon
    release.set()
    thread.join(2)
