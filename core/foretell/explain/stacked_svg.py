"""Several SVG elements below each other as one."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)" style="[^"]*"')


def stacked_svg(parts: Sequence[str], title: str) -> str:
    """Put drawings of `to_svg`, `heat_map_svg` and `bars_svg` below each other.

    Args:
        parts: The drawings.
        title: What a screen reader announces.

    >>> from foretell.explain.contribution_bars import bars_svg
    >>> one = bars_svg([("width", 0.5)], "why", "accuracy")
    >>> stacked_svg([one, one], "both").count("<svg")
    3
    """
    top, width, placed = 0, 0, []
    for part in parts:
        found = _SIZE.search(part)
        assert found is not None, "our own drawings begin with their size"
        w, h = (int(size) for size in found.groups())
        place = f'x="0" y="{top}" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
        placed.append(part.replace(found[0], place, 1))
        top, width = top + h + 10, max(width, w)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" style="max-width:{width}px;width:100%" '
        f'font-family="sans-serif"><title>{escape(title)}</title>{"".join(placed)}</svg>'
    )
