"""One self-contained HTML page: nothing is fetched, it fits a phone, and a screen reader finds its way."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

_LIGHT = (
    "--ink:#222;--soft:#444;--paper:#fff;--rule:#ccc;--code:#f3f3f3;--link:#0b5394;--mark:#b45f06;"
    "--blue:#0b5394;--pale:#9fc5e8;--orange:#b45f06;--grey:#666;"
    "--green:#38761d;--plum:#741b47;--olive:#7f6000;--red:#a61c00;--violet:#674ea7"
)
_DARK = (
    "--ink:#e8e8e8;--soft:#c4c4c4;--paper:#16181d;--rule:#4a4d55;--code:#2a2d35;--link:#8ab8e6;--mark:#f0a04b;"
    "--blue:#79b0ea;--pale:#36618f;--orange:#f0a04b;--grey:#a0a0a0;"
    "--green:#7fc463;--plum:#d58fb0;--olive:#d8b94a;--red:#ff8a70;--violet:#a996e0"
)
_COLOURS = {
    "#000000": "--ink", "#222222": "--ink", "#ffffff": "--paper", "#0b5394": "--blue", "#9fc5e8": "--pale",
    "#b45f06": "--orange", "#666666": "--grey", "#38761d": "--green", "#741b47": "--plum", "#7f6000": "--olive",
    "#a61c00": "--red", "#674ea7": "--violet",
}  # fmt: skip
_STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media(prefers-color-scheme:dark){{:root{{{_DARK}}}svg:not(.chart){{background:#fff}}}}
body{{font-family:system-ui,sans-serif;max-width:62rem;margin:0 auto 3rem;padding:0 1rem;color:var(--ink);
background:var(--paper);line-height:1.45}}
h1{{overflow-wrap:anywhere;margin:1.2rem 0 .5rem}}h2{{margin-top:2.2rem;border-top:1px solid var(--rule);
padding-top:1rem;overflow-wrap:anywhere}}main:focus{{outline:none}}
table{{border-collapse:collapse}}th,td{{padding:.3rem .8rem;text-align:right;border-bottom:1px solid var(--rule)}}
th:first-child,td:first-child,.text{{text-align:left}}caption{{text-align:left;padding:.3rem 0;color:var(--soft)}}
.text{{min-width:14rem;max-width:40rem;overflow-wrap:anywhere}}
.wide{{overflow-x:auto;max-height:30rem;overflow-y:auto}}svg{{max-width:100%;height:auto}}
figure{{margin:1rem 0}}figcaption{{color:var(--soft);max-width:42rem}}
.chart text{{fill:var(--ink)}}.chart *{{stroke-linejoin:round;stroke-linecap:butt}}
.panels{{display:flex;flex-wrap:wrap;gap:.8rem;align-items:flex-end}}
code{{background:var(--code);padding:0 .2rem;overflow-wrap:anywhere}}a{{color:var(--link)}}
nav ul{{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}}
nav a{{display:inline-block;padding:.3rem 0}}
.skip{{position:absolute;left:-99rem}}.skip:focus{{position:static;display:inline-block;padding:.5rem}}
:focus-visible{{outline:3px solid var(--mark);outline-offset:2px}}
@media(max-width:30rem){{th,td{{padding:.3rem .4rem;font-size:.9rem}}.text{{min-width:11rem}}}}
@media print{{nav,.skip{{display:none}}.wide{{max-height:none;overflow:visible}}}}"""
_FONT = "system-ui,sans-serif"


def html_page(title: str, body: str) -> str:
    """A whole page; the title is escaped, the body is not. Its `h2` headings become the page's contents.

    >>> page = html_page("Tea & milk", "<h2>Tea</h2>Black.<h2>Milk</h2>White.")
    >>> '<a href="#tea">Tea</a>' in page, '<h2 id="milk">Milk</h2>' in page, "<h1>Tea &amp; milk</h1>" in page
    (True, True, True)
    """
    body, sections = _with_anchors(body)
    links = "".join(f'<li><a href="#{anchor}">{text}</a></li>' for anchor, text in sections)
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if len(sections) > 1 else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<a class="skip" href="#content">Skip to content</a>
<header><h1>{escape(title)}</h1>{contents}</header>
<main id="content" tabindex="-1">
{body}</main></body></html>
"""


def _with_anchors(body: str) -> tuple[str, list[tuple[str, str]]]:
    """Give every `h2` an id that no other has; ids and texts in their order."""
    sections: list[tuple[str, str]] = []

    def named(match: re.Match[str]) -> str:
        plain = re.sub(r"&[#\w]+;|[^a-z0-9]+", "-", match[1].lower()).strip("-") or "part"
        anchor, known = plain, {"content", *(a for a, _ in sections)}
        for number in range(2, len(sections) + 3):
            if anchor not in known:
                break
            anchor = f"{plain}-{number}"
        sections.append((anchor, match[1]))
        return f'<h2 id="{anchor}">{match[1]}</h2>'

    return re.sub(r"<h2>(.*?)</h2>", named, body, flags=re.DOTALL), sections


def html_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table that scrolls by itself where it is larger than its place; everything is escaped.

    >>> html_table("Two", ("a", "b"), [(1, "<x>")]).count("&lt;x&gt;")
    1
    """
    wordy = {i for row in rows for i, cell in enumerate(row) if _is_text(cell)}
    kinds = [' class="text"' if i in wordy else "" for i in range(len(head))]
    top = "".join(f'<th scope="col"{k}>{escape(str(name))}</th>' for k, name in zip(kinds, head, strict=True))
    lines = "".join("<tr>" + "".join(map(_cell, kinds, row)) + "</tr>\n" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead>\n<tbody>{lines}</tbody></table></div>\n"
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) > 20


def _cell(kind: str, value: object) -> str:
    return f"<td{kind}>{escape(cell_text(value))}</td>"


def html_figure(plots: Sequence[str], caption: str) -> str:
    """SVG elements, side by side where there is room, over a caption; the caption is escaped."""
    inner = f'<div class="panels">{"".join(plots)}</div>' if len(plots) > 1 else "".join(plots)
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>\n"


def inline_svg(figure: Figure, title: str, description: str = "") -> str:
    """A plot as an SVG element with a name, and a description for those who cannot see it.

    Letters stay letters, ids are the plot's own, so that many stand on one page, and the colours of
    `foretell.visualization` follow the page into the dark.
    """
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "foretell"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing")  # the reader's fonts draw the letters, not ours
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r">\s+<", "><", text)
    text = re.sub("<[^>]*>", lambda tag: _tidied(tag[0]), text)  # in tags alone: what is written stays
    own = "s" + hashlib.sha256((title + text).encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{own}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\1{own}-", text)
    names = f"{own}-title" + (f" {own}-desc" if description else "")
    start, rest = text[: text.index(">") + 1], text[text.index(">") + 1 :]
    said = f'<title id="{own}-title">{escape(title)}</title>'
    said += f'<desc id="{own}-desc">{escape(description)}</desc>' if description else ""
    return start.replace("<svg ", f'<svg class="chart" role="img" aria-labelledby="{names}" ', 1) + said + rest


def _tidied(tag: str) -> str:
    tag = re.sub(r"font: ([\d.]+px)[^;\"]*", rf"font: \1 {_FONT}", tag)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag)
    tag = re.sub(r"#[0-9a-f]{6}\b", lambda c: f"var({_COLOURS[c[0]]})" if c[0] in _COLOURS else c[0], tag)
    return tag.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")


def cell_text(value: object) -> str:
    """A value for readers: numbers to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
