"""Colours for signed numbers: blue where they raise, orange where they lower, white at 0.

Blue and orange differ for every common kind of colour blindness (PuOr and RdYlBu of https://colorbrewer2.org do the
same). In greyscale both only darken, which is why whoever paints with them also writes the sign.
"""

from __future__ import annotations

import math

RAISES, LOWERS, NEITHER, UNKNOWN = "#6baed6", "#f1a340", "#ffffff", "#e6e6e6"
"""Ends and middle of the scale, and what has no number; black text is readable on all."""


def diverging_colour(value: float, most: float) -> str:
    """The colour of a number between -most and most; beyond them the ends, `nan` is `UNKNOWN`.

    >>> diverging_colour(1.0, 1.0), diverging_colour(-2.0, 1.0), diverging_colour(0.5, 1.0), diverging_colour(0.0, 0.0)
    ('#6baed6', '#f1a340', '#b5d6ea', '#ffffff')
    """
    if math.isnan(value):
        return UNKNOWN
    share = min(abs(value) / most, 1.0) if most > 0 else 0.0
    end = RAISES if value > 0 else LOWERS
    mixed = (round(_part(NEITHER, i) + share * (_part(end, i) - _part(NEITHER, i))) for i in range(3))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def signed(value: float) -> str:
    """A number with its sign and three digits; a true minus, which is as wide as a plus.

    >>> signed(0.01234), signed(-12.5), signed(0.0)
    ('+0.0123', '\N{MINUS SIGN}12.5', '0')
    """
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def _part(colour: str, i: int) -> int:
    return int(colour[1 + 2 * i : 3 + 2 * i], 16)
