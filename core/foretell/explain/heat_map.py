"""A network drawn with each operator in the colour of what it adds to the prediction."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from foretell.drawing import Marks, draw
from foretell.explain.diverging_colours import LOWERS, NEITHER, RAISES, UNKNOWN, diverging_colour, signed

if TYPE_CHECKING:
    from foretell.explain.operators import OperatorContributions

_BAR, _LEGEND = 300, (430, 70)


def heat_map_svg(found: OperatorContributions, title: str = "network") -> str:
    """Draw what `explain_operators` found as one self-contained SVG element, with a legend.

    Blue operators raise the prediction, orange ones lower it; each says its number with its sign, so that the drawing
    can be read in greyscale too.

    Args:
        found: The contributions.
        title: What a screen reader announces, before the prediction.

    Raises:
        InvalidArchitectureError: If there are too many nodes to be read.
    """
    most = float(np.nanmax(np.abs(found.values), initial=0.0))
    values = found.values.tolist()
    said = f"{title}: predicted {found.prediction:.4g}"
    marks = Marks(
        fills=[diverging_colour(value, most) for value in values],
        notes=["" if math.isnan(value) else signed(value) for value in values],
        legend=_legend(most, said),
        legend_size=_LEGEND,
    )
    return draw(found.drawn, said, marks)


def _legend(most: float, said: str) -> str:
    ticks = "".join(
        f'<text x="{20 + _BAR * (1 + share) / 2:.0f}" y="64" text-anchor="middle">{signed(share * most)}</text>'
        for share in (-1.0, -0.5, 0.0, 0.5, 1.0)
    )
    return (
        f'<defs><linearGradient id="foretell-scale"><stop offset="0" stop-color="{LOWERS}"/>'
        f'<stop offset="0.5" stop-color="{NEITHER}"/><stop offset="1" stop-color="{RAISES}"/></linearGradient></defs>'
        f'<text x="0" y="12" font-weight="bold">{escape(said)}</text>'
        '<text x="0" y="27">What the prediction loses, in target units, when an operator is skipped</text>'
        f'<rect x="20" y="36" width="{_BAR}" height="14" fill="url(#foretell-scale)" stroke="#999"/>{ticks}'
        f'<rect x="{_BAR + 45}" y="36" width="14" height="14" fill="{UNKNOWN}" stroke="#999"/>'
        f'<text x="{_BAR + 65}" y="48">not skipped</text>'
    )
