"""The function that a setting names as `module:function`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable


def imported_function(reference: object, setting: str) -> Callable[..., Any]:
    """Import what is named.

    Args:
        reference: `module:function`, or `module:Class.method`.
        setting: What the error calls it.

    Raises:
        InvalidDataError: If it has another form, cannot be imported or cannot be called.

    >>> imported_function("math:sqrt", "graph")(9)
    3.0
    """
    if not isinstance(reference, str) or reference.count(":") != 1:
        msg = f"{setting} must be 'module:function', but got {reference!r}: name the module, a colon, the function"
        raise InvalidDataError(msg)
    module, _, name = reference.partition(":")
    try:
        function: Any = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except (ImportError, AttributeError, ValueError) as error:
        msg = (
            f"{setting} must name a function that can be imported, but {reference!r} failed "
            f"({error}): put its folder on PYTHONPATH, or in codeDirectory"
        )
        raise InvalidDataError(msg) from error
    if not callable(function):
        kind = type(function).__name__
        msg = f"{setting} must name a function, but {reference!r} is {kind}: name a function"
        raise InvalidDataError(msg)
    return function  # type: ignore[no-any-return]
