"""A function of the user's that is not waited for longer than was said."""

from __future__ import annotations

import contextvars
import ctypes
import threading
from typing import TYPE_CHECKING, TypeVar

from foretell.errors import TimeLimitError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_STOPS = 3


class _Stopped(BaseException):
    """Raised inside a function that is no longer waited for; no `except Exception` of its own holds it up."""


def within(seconds: float | None, function: Callable[[], T]) -> T:
    """What a function returns or raises, if it does so in time.

    It runs in a thread of its own, with the caller's context variables. One that is late is told to stop, which Python
    code does at its next instruction; one that hangs in a system call or in foreign code stays behind in its thread,
    which does not hold up the end of the process.

    Args:
        seconds: How long to wait, by a clock that never goes backwards; None waits for ever, without a thread.
        function: Takes no arguments.

    Raises:
        TimeLimitError: If it is late.

    >>> within(5.0, lambda: 1 + 1)
    2
    """
    if seconds is None:
        return function()
    results: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            results.append(context.run(function))
        except BaseException as e:  # noqa: BLE001 - handed to the caller, who raises it
            errors.append(e)

    thread = threading.Thread(target=work, name="foretell-time-limit", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        for _ in range(_STOPS):  # a callback of the garbage collector swallows one
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stopped))
            thread.join(0.05)
            if not thread.is_alive():
                break
        msg = f"a function had {seconds:g} s and did not come to an end: raise the limit, or look where it hangs"
        raise TimeLimitError(msg)
    if errors:
        raise errors[0]
    return results[0]
