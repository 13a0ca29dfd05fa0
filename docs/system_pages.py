"""A page for each published system, made while the site is built, from the preset, its docstrings and `presets.md`.

MkDocs calls `on_files` and `on_nav`; nothing is written into the repository, so that a page cannot fall behind.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS = Path(__file__).parent
SECTIONS = {
    "gennape": ("GENNAPE", "foretell.pretraining.gennape", [("predicting.md", "GENNAPE")], "gennape-nb101"),
    "aio-p": ("AIO-P", "foretell.aio_p.aio_p", [("tasks.md", "AIO-P"), ("tasks.md", "Measured")], None),
    "hyperband": ("Hyperband and its iterative deepening", "foretell.hyperband",
                  [("search.md", "More epochs for a study that has run")], None),
    "freeze-thaw": ("Freeze-thaw", "foretell.freeze_thaw",
                    [("search.md", "More epochs for a study that has run")], None),
    "curve-stopping": ("Stopping by learning curve", "foretell.curve_rule", [("search.md", "Pruning")], None),
    "scaling-laws": ("Step Law, CARBS and scaling", "foretell.scale.scaling_surrogate", [], None),
    "deep-architect": ("DeepArchitect", "foretell.spaces.trace", [], None),
    "einspace": ("einspace", "foretell.spaces.ready.einspace", [], None),
    "design-spaces": ("Network design spaces", "foretell.judging.error_distribution", [], None),
}  # fmt: skip
"""Systems that are no preset: title, module whose docstring says what is kept, sections that say what is measured."""

_FIGURES = r"^(Kendall tau, [^\n]*)\n\n(\| method \|[^\n]*\n\|[-|]+)\n(.*?)\n\n"  # a table: title, head, rows


def pages() -> dict[str, str]:
    """Markdown by path."""
    found = {f"systems/{name}.md": text for name, text in _presets()}
    for name, (title, module, sections, card) in SECTIONS.items():
        parts = [f"# {title}", _plain(inspect.getdoc(importlib.import_module(module)) or "")]
        parts += [f"## {'Here' if heading == title else heading}\n\n{section(DOCS / file, heading)}"
                  for file, heading in sections]  # fmt: skip
        if card:
            parts.append(f"Its card, with all figures, is among the [checkpoints](../cards.md) (`{card}`).")
        found[f"systems/{name}.md"] = "\n\n".join(parts)
    return found


def section(page: Path, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above; links turned to be read from `systems/`."""
    text = page.read_text("utf-8")
    begin = re.search(rf"^(#+) {re.escape(heading)}\n", text, flags=re.MULTILINE)
    if begin is None:
        msg = f"{page.name} must have the heading {heading!r} for the page of a system, but has not: correct SECTIONS"
        raise ValueError(msg)
    rest = text[begin.end() :]
    end = re.search(rf"^#{{1,{len(begin[1])}}} ", re.sub(r"```.*?```", _blank, rest, flags=re.DOTALL), re.MULTILINE)
    return _moved(rest[: end.start() if end else None].strip())


def _presets() -> Iterator[tuple[str, str]]:
    from foretell.predictor import Predictor
    from foretell.presets import PRESETS

    text = (DOCS / "presets.md").read_text("utf-8")
    systems = _table(text, "| preset | paper | kept | changed |")
    near = _table(text, "| preset | table, n | published | by | ours (seeds) | difference | why |")
    for name in PRESETS:
        predictor = Predictor.preset(name)
        row = systems[f"`{name}`"][0]
        code = f'```python\nfrom foretell import Predictor\n\npredictor = Predictor.preset("{name}")\n```'
        parts = [f"# {name}", f"*Paper:* {row[1]}", code, f"`{predictor}`"]
        parts += [f"## What we kept\n\n{_sentence(row[2])}"] if row[2] else []
        parts += [f"## {'What it is' if not row[2] else 'Where we depart'}\n\n{_sentence(row[3])}"]
        seen = list(dict.fromkeys(_parts(predictor)))
        parts += [f"## Its parts\n\n{_described(seen)}"]
        if near.get(f"`{name}`"):
            head = "| table, n | published | by | ours (seeds) | difference | why |\n|---|---|---|---|---|---|"
            rows = "\n".join("| " + " | ".join(r[1:]) + " |" for r in near[f"`{name}`"])
            parts += [f"## Against its published figures\n\nKendall tau.\n\n{head}\n{rows}"]
        note = re.search(rf"^\*\*`{re.escape(name)}`\.\*\*(.*?)(?=^\*\*`|^## )", text, flags=re.MULTILINE | re.DOTALL)
        if note:
            parts += [f"## What else was measured\n\n{_moved(note[1].strip())}"]
        parts += [_figures(text, name), "Protocol and all systems side by side: [presets](../presets.md)."]
        yield name, "\n\n".join(part for part in parts if part)


def _figures(text: str, name: str) -> str:
    """A row of every table of figures that has the system, beside ours and counting parameters."""
    found = []
    for title, head, body in re.findall(_FIGURES, text + "\n\n", flags=re.MULTILINE | re.DOTALL):
        rows = [line for line in body.splitlines() if line.split("|")[1].strip() in {name, "foretell", "params"}]
        if any(line.split("|")[1].strip() == name for line in rows):
            found.append(f"{title}\n\n{head}\n" + "\n".join(rows))
    return "## Under one protocol\n\n" + "\n\n".join(found) if found else ""


def _parts(value: Any) -> Iterator[type]:
    """Classes of encoders and surrogates, from the outside in."""
    inner = [*getattr(value, "encoders", ()), getattr(value, "surrogate", None)] if hasattr(value, "encoders") else [
        getattr(value, name, None) for name in ("encoder", "surrogate")]  # fmt: skip
    inner += list(getattr(value, "members", ()))
    if type(value).__name__ != "Predictor":
        yield type(value)
    for part in inner:
        if part is not None and type(part).__module__.startswith("foretell."):
            yield from _parts(part)


def _described(parts: list[type]) -> str:
    rows = []
    for part in parts:
        first = (inspect.getdoc(part) or "").split("\n\n")[0].replace("\n", " ")
        where = (inspect.getdoc(importlib.import_module(part.__module__)) or "").split("\n\n")
        cited = [" ".join(p.split()) for p in where[:4] if "arxiv.org" in p or "doi.org" in p]
        rows.append(f"- `{part.__name__}`: {first}" + (f" {cited[0]}" if cited else ""))
    return _plain("\n".join(rows))


def _table(text: str, head: str) -> Mapping[str, list[list[str]]]:
    rows: dict[str, list[list[str]]] = {}
    body = text.split(head, 1)[1].split("\n\n", 1)[0].strip().splitlines()[1:]
    for line in body:
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
        rows.setdefault(cells[0], []).append(cells)
    return rows


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _plain(text: str) -> str:
    """A docstring as Markdown, its addresses as links."""
    return re.sub(r"(?<![(<\[])(https://[^\s,;)]+[^\s,;).:])", r"<\1>", text)


def _moved(text: str) -> str:
    return re.sub(r"\]\((?!https?:|#|\.\./)([^)]+)\)", r"](../\1)", text)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def on_files(files: Any, config: Any) -> Any:
    """Add the pages; called by MkDocs."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_config(config: Any) -> Any:
    """Put them into the navigation, under their names; called by MkDocs."""
    presets = [name for name in pages() if Path(name).stem not in SECTIONS]
    named = [{SECTIONS[Path(p).stem][0] if Path(p).stem in SECTIONS else Path(p).stem: p}
             for p in [*presets, *(f"systems/{name}.md" for name in SECTIONS)]]  # fmt: skip
    config.nav.insert(next(i for i, item in enumerate(config.nav) if "Measuring" in item), {"Systems": named})
    return config
