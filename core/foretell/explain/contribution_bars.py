"""Contributions as horizontal bars, in one self-contained SVG element."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from foretell.explain.diverging_colours import diverging_colour, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW, _NAMES, _HALF, _NUMBER = 20, 330, 180, 60
_LONGEST_NAME = 52


def bars_svg(bars: Sequence[tuple[str, float]], title: str, unit: str) -> str:
    """Draw signed bars from a common middle, each with its name and its number.

    Args:
        bars: Names and values, from top to bottom; such as `Contributions.largest()`.
        title: Heading.
        unit: What the numbers are, under the heading.

    >>> bars_svg([("width", 0.5)], "why", "accuracy").startswith("<svg")
    True
    """
    most = max((abs(value) for _, value in bars), default=0.0) or 1.0
    middle = _NAMES + _NUMBER + _HALF
    width, height = middle + _HALF + _NUMBER, 50 + _ROW * max(len(bars), 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'style="max-width:{width}px;width:100%" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<text x="10" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="10" y="34" fill="#555">{escape(unit)}</text>',
        f'<line x1="{middle}" x2="{middle}" y1="42" y2="{height - 4}" stroke="#333"/>',
    ]
    if not bars:
        parts.append(f'<text x="10" y="{42 + 14}">nothing contributes</text>')
    for i, (name, value) in enumerate(bars):
        top, length = 44 + _ROW * i, _HALF * abs(value) / most
        left, outside, anchor = (middle, middle + length + 4, "start") if value >= 0 else (
            middle - length, middle - length - 4, "end")  # fmt: skip
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        parts.append(
            f'<text x="{_NAMES}" y="{top + 13}" text-anchor="end"><title>{escape(name)}</title>{escape(short)}</text>'
            f'<rect x="{left:.1f}" y="{top + 2}" width="{length:.1f}" height="{_ROW - 5}" stroke="#555" '
            f'fill="{diverging_colour(value, most)}"/>'
            f'<text x="{outside:.1f}" y="{top + 13}" text-anchor="{anchor}">{signed(value)}</text>'
        )
    return "".join([*parts, "</svg>"])
