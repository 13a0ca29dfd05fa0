"""What a study says is text on its page, never markup: names, values, attributes."""

from __future__ import annotations

from html.parser import HTMLParser

import optuna
import pytest

from foretell.errors import InvalidDataError
from foretell_adapters.optuna.report import study_report

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT, '" onload="alert(2)', "' onmouseover='alert(3)", "</svg><script>alert(4)</script>", "-->" + SCRIPT,
    "]]>" + SCRIPT, "</title>" + SCRIPT, "<img src=x onerror=alert(5)>", "javascript:alert(6)",
    "$\\frac{$", "&lt;b&gt;",
)  # fmt: skip


class Markup(HTMLParser):
    """Elements and attributes that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [str(value) for name, value in attrs if name in {"href", "src", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def hostile_study(text: str, *more: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name=text, sampler=optuna.samplers.RandomSampler(seed=0))
    study.set_metric_names([text])
    study.set_user_attr(text, text)

    def objective(trial: optuna.Trial) -> float:
        values = [trial.suggest_float(name, 0, 1) for name in (text, *more)]
        kind = trial.suggest_categorical("kind of " + text, [text, "b", *more])
        trial.set_user_attr(text, text)
        trial.report(values[0], 1)
        return sum(values) + (kind == text)

    study.optimize(objective, n_trials=12)
    return study


def test_nothing_from_a_study_becomes_markup() -> None:
    page = Markup(study_report(hostile_study(*HOSTILE)))
    assert not {"script", "img", "iframe", "object", "embed", "form", "base", "link"} & page.tags
    assert not [name for name in page.attributes if name.startswith("on") or not name.isprintable()]
    assert not [link for link in page.links if not link.startswith("#")]
    shown = "".join(page.texts)
    for text in HOSTILE:
        assert text in shown


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"must be text that can be encoded, but got '\\ud800'"):
        study_report(hostile_study("x", "\ud800"))
