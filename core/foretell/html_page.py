"""One self-contained HTML page: nothing is fetched, it fits a phone, and a screen reader finds its way."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

_STYLE = """
:root{color-scheme:light}
body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff;
line-height:1.45}
table{border-collapse:collapse}th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #ccc}
th:first-child,td:first-child,.text{text-align:left}caption{text-align:left;padding:.3rem 0;color:#444}
.wide{overflow-x:auto}svg{max-width:100%;height:auto}figure{margin:1rem 0}figcaption{color:#444}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.5rem}
code{background:#f3f3f3;padding:0 .2rem;overflow-wrap:anywhere}a{color:#0b5394}
:focus-visible{outline:3px solid #b45f06;outline-offset:2px}
@media(max-width:30rem){th,td{padding:.3rem .4rem;font-size:.9rem}}"""


def html_page(title: str, body: str) -> str:
    """A whole page; the title is escaped, the body is not."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>
<h1>{escape(title)}</h1>
{body}</main></body></html>
"""


def html_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table that scrolls by itself where it is wider than the page; everything is escaped.

    >>> html_table("Two", ("a", "b"), [(1, "<x>")]).count("&lt;x&gt;")
    1
    """
    top = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in head)
    lines = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>\n" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead>\n<tbody>{lines}</tbody></table></div>\n"
    )


def _cell(value: object) -> str:
    kind = ' class="text"' if isinstance(value, str) and len(value) > 20 else ""
    return f"<td{kind}>{escape(cell_text(value))}</td>"


def html_figure(figures: Mapping[str, Figure], caption: str) -> str:
    """Plots as inline SVG, each under a name for screen readers, side by side where there is room; over a caption."""
    plots = "".join(inline_svg(figure, title) for title, figure in figures.items())
    inner = f'<div class="panels">{plots}</div>' if len(figures) > 1 else plots
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>\n"


def inline_svg(figure: Figure, title: str) -> str:
    """A plot as an SVG element with a name."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": title})
    text = out.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)


def cell_text(value: object) -> str:
    """A value for readers: numbers to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
