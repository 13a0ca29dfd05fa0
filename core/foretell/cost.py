"""What a cost is."""

from __future__ import annotations

import math
import numbers

from foretell.errors import InvalidDataError


def checked_cost(cost: object, of: str) -> float:
    """A cost as a number.

    Args:
        cost: What was given.
        of: What it is the cost of, for the message.

    Raises:
        InvalidDataError: If it is no finite number above 0.

    >>> checked_cost(3, "a trial")
    3.0
    """
    number = float(cost) if isinstance(cost, numbers.Real) and not isinstance(cost, bool) else math.nan
    if not (math.isfinite(number) and number > 0):
        msg = f"a cost must be a finite number above 0, but {of} costs {cost!r}: leave it out, or count in other units"
        raise InvalidDataError(msg)
    return number
