"""The page about a study, as a reader and a browser without network get it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from foretell.errors import InvalidDataError
from foretell_adapters.optuna.report import _unfinished, response_surface, study_report
from foretell_adapters.optuna.study_pictures import StudyPictures
from foretell_plugins.cli import main


class Page(HTMLParser):
    """Counts what is open, and collects what a screen reader would need."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"meta", "br"}:
            return
        self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if dict(attrs).get("id"):
            self.ids.append(str(dict(attrs)["id"]))
        if tag == "svg":
            self.named += str(dict(attrs).get("aria-labelledby", "nothing")).split()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x <script>", 1e-3, 1, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", None])
    depth = trial.suggest_int("depth", 1, 3) if kind == "a" else 2
    return x + (kind == "b") + 0.1 * depth


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="a & b", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=25)
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    return study


def test_the_page_is_whole_and_fetches_nothing(study: optuna.Study) -> None:
    text = study_report(study)
    page = Page(text)
    assert not page.open
    assert page.named
    assert set(page.named) <= set(page.ids)  # each picture has a name and a description
    assert len(page.ids) == len(set(page.ids))
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    assert "<script" not in text
    assert "x &lt;script&gt;" in text
    assert "Study a &amp; b" in text
    assert not re.findall(r'(?:src|href)="https?:|url\(https?:|@import', text)
    assert "25 complete, 1 fail trials" in text
    assert f"{study.best_value:.4g}" in text


def test_several_objectives_have_a_part_each() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda t: (t.suggest_float("x", 0, 1), t.suggest_float("y", 0, 1)), n_trials=12)
    study.set_metric_names(["loss", "accuracy"])
    text = study_report(study, "Two")
    assert "<title>Two</title>" in text
    parts = ["Result", "Objectives against each other", "loss", "accuracy"]
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", text) == parts
    surface, trials = response_surface(study, 0)
    assert surface.best == min(trials, key=lambda t: t.values[0]).params  # larger is better inside


def test_trials_that_run_are_foretold(study: optuna.Study) -> None:
    curves = optuna.create_study()
    for i in range(6):
        trial = curves.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
        for step in range(4 if i < 5 else 2):
            trial.report(trial.params["x"] / (1 + step), step)
        if i < 5:
            curves.tell(trial, trial.params["x"] / 4)
    text = _unfinished(StudyPictures(curves))
    assert "Trials that run" in text
    assert "Reports so far of trial 5, and how they may go on." in text
    assert "beats the best finished run" in text
    assert not _unfinished(StudyPictures(study))


def test_what_cannot_be_reported_is_said(study: optuna.Study) -> None:
    with pytest.raises(InvalidDataError, match="`objective` must be 0 to 0, but got 1"):
        response_surface(study, 1)
    with pytest.raises(InvalidDataError, match="at least 5 configurations"):
        study_report(optuna.create_study())


def test_the_command(study: optuna.Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "journal.log"
    optuna.copy_study(
        from_study_name=study.study_name,
        from_storage=study._storage,
        to_storage=optuna.storages.JournalStorage(JournalFileBackend(str(file))),
    )
    main(["report", "a & b", "--storage", str(file), "--out", str(tmp_path / "page.html"), "--json"])
    assert json.loads(capsys.readouterr().out) == {"report": str(tmp_path / "page.html"), "trials": 26}
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(SystemExit):
        main(["report", "c", "--storage", str(file)])
    assert "the storage must hold the study, but 'c' is none of ['a & b']: name one of these" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["report", "c", "--storage", str(tmp_path / "none")])
    assert "must be a URL or a journal file" in capsys.readouterr().err
