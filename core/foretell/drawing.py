"""A computation graph as an SVG picture: one box an operator, input on top, skip connections as arcs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidArchitectureError
from foretell.folding import Folding, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import ComputationGraph, Node

COLUMN = 170
"""From one column of boxes to the next, in pixels."""
_BOX, _ROW = (150, 30), 46
_MOST_NODES = 2000
_COLOURS = {
    "Conv": "#cfe2f3", "Depthwise": "#cfe2f3", "ConvTranspose": "#cfe2f3", "MatMul": "#d9d2e9",
    "Attention": "#ead1dc", "Add": "#fff2cc", "Mul": "#fff2cc", "Concat": "#fff2cc", "MaxPool": "#d9ead3",
    "AvgPool": "#d9ead3", "Mean": "#d9ead3", "Global": "#d9ead3", "Input": "#eeeeee", "Output": "#eeeeee",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marks:
    """What a drawing says of its nodes beyond what they are.

    Attributes:
        fills: Colour of each box.
        notes: What is written beside each name.
        legend: SVG elements that explain them, drawn under the network with the origin at their left top.
        legend_size: Width and height of these, in pixels.
    """

    fills: Sequence[str]
    notes: Sequence[str]
    legend: str
    legend_size: tuple[int, int]


def to_svg(graph: ComputationGraph, title: str = "network", *, folded: bool = False) -> str:
    """Draw a graph as one self-contained SVG element.

    Args:
        graph: The network; at most 2,000 nodes are drawn.
        title: What a screen reader announces.
        folded: Whether repeated blocks are drawn once, in a frame that says how often.

    Raises:
        InvalidArchitectureError: If there are too many nodes to be read.
    """
    return draw(fold(graph) if folded else Folding.none(graph), f"{title}: {graph!r}")


def draw(drawn: Folding, title: str, marks: Marks | None = None) -> str:
    """Draw a network that is folded already, see `to_svg`.

    Args:
        drawn: The network; at most 2,000 nodes are drawn.
        title: What a screen reader announces.
        marks: Colours and notes for the nodes of the folded graph; None for the colours of the operators.

    Raises:
        InvalidArchitectureError: If there are too many nodes to be read.
    """
    small = drawable(drawn.graph)
    x, y = box_places(small)
    width, height = int(x.max()) + _BOX[0] + 60, int(y.max()) + _BOX[1] + 20
    below = height
    if marks is not None:
        width, height = max(width, marks.legend_size[0] + 20), height + marks.legend_size[1] + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'style="max-width:{width}px;width:100%" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        *_frames(drawn, x, y),
    ]
    for source, target in small.edges.tolist():
        x0, y0, x1, y1 = x[source] + _BOX[0] / 2, y[source] + _BOX[1], x[target] + _BOX[0] / 2, y[target]
        bend = 0.0
        if small.levels[target] - small.levels[source] > 1 and x0 == x1:
            bend = _BOX[0] * 0.8  # a skip connection swings round the boxes between
        middle = (y0 + y1) / 2
        parts.append(
            f'<path d="M{x0:.0f},{y0:.0f} '
            f'C{x0 + bend:.0f},{middle:.0f} {x1 + bend:.0f},{middle:.0f} {x1:.0f},{y1:.0f}" '
            'fill="none" stroke="#666" stroke-width="1.2"/>'
        )
    for i, (left, top, node) in enumerate(zip(x.tolist(), y.tolist(), small.nodes, strict=True)):
        colour, middle, note = box_fill(node), left + _BOX[0] / 2, ""
        if marks is not None:
            colour = marks.fills[i]
            note = f' <tspan font-weight="bold">{escape(marks.notes[i])}</tspan>' if marks.notes[i] else ""
        parts.append(
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{_BOX[0]}" height="{_BOX[1]}" rx="5" fill="{colour}" '
            'stroke="#999"/>'
            f'<text x="{middle:.0f}" y="{top + 13:.0f}" text-anchor="middle">{escape(box_label(node))}{note}</text>'
            f'<text x="{middle:.0f}" y="{top + 25:.0f}" text-anchor="middle" fill="#555" font-size="9">'
            f"{' x '.join(map(str, node.out_shape))}</text>"
        )
    if marks is not None:
        parts.append(f'<g transform="translate(10,{below})">{marks.legend}</g>')
    return "".join([*parts, "</svg>"])


def to_html(graph: ComputationGraph, title: str = "network") -> str:
    """A page with the sums of a network and its drawing, repeated blocks folded; it needs no other file."""
    sums = {
        "nodes": len(graph), "edges": len(graph.edges), "depth": graph.depth, "parameters": graph.params,
        "FLOPs": graph.flops,
    }  # fmt: skip
    rows = [(name, f"{value:,}") for name, value in sums.items()]
    rows += [("operators", ", ".join(f"{name} {count}" for name, count in graph.op_counts().items()))]
    table = "".join(f'<tr><th align="left">{name}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f'<body style="font-family:sans-serif;margin:2em"><h1 style="font-size:1.2em;overflow-wrap:anywhere">'
        f"{escape(title)}</h1><table>{table}</table>"
        f"{to_svg(graph, title, folded=True)}</body></html>"
    )


def _frames(drawn: Folding, x: np.ndarray, y: np.ndarray) -> list[str]:
    """A dashed frame round each block, an inner one tighter, with how often it follows itself."""
    frames = []
    for i, block in enumerate(drawn.blocks):
        inner = any(o.first <= block.first and block.last <= o.last for o in drawn.blocks[:i])
        room = 4 if inner else 8
        here = slice(block.first, block.last + 1)
        left, right = x[here].min() - 3 * room, x[here].max() + _BOX[0] + 3 * room
        top, bottom = y[here].min() - room, y[here].max() + _BOX[1] + room
        frames.append(
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" height="{bottom - top:.0f}" rx="8" '
            f'fill="#f7f7f7" stroke="#b45f06" stroke-dasharray="6 3"/>'
            f'<text x="{right + 4:.0f}" y="{top + 12:.0f}" fill="#b45f06" font-weight="bold">'
            f"\N{MULTIPLICATION SIGN} {block.times}</text>"
        )
    return frames


def drawable(graph: ComputationGraph) -> ComputationGraph:
    """The graph itself.

    Raises:
        InvalidArchitectureError: If it has more than 2,000 nodes, too many to be read.
    """
    if len(graph) > _MOST_NODES:
        msg = f"a drawing needs at most {_MOST_NODES} nodes, but got {len(graph)}: draw a part of the network"
        raise InvalidArchitectureError(msg)
    return graph


def box_fill(node: Node) -> str:
    """Colour of an operator's box, by its kind."""
    return _COLOURS.get(node.op, "#ffffff")


def box_label(node: Node) -> str:
    """An operator with its window and stride, `Conv 3x3 /2`."""
    window = f" {node.kernel[0]}x{node.kernel[1]}" if max(node.kernel) else ""
    return node.op + window + (f" /{max(node.stride)}" if max(node.stride) > 1 else "")


def box_places(graph: ComputationGraph) -> tuple[np.ndarray, np.ndarray]:
    """Left and top of each box: a row a level, and in it the nodes side by side, centred."""
    columns = np.zeros(len(graph))
    for level in range(graph.depth + 1):
        here = np.flatnonzero(graph.levels == level)
        columns[here] = np.arange(len(here)) - (len(here) - 1) / 2
    return 60 + (columns - columns.min()) * COLUMN, 10.0 + graph.levels * _ROW
