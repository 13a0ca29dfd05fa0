"""Pictures in optuna-dashboard, as its own reader finds them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import optuna
import pytest

from foretell.errors import InvalidDataError, MissingDependencyError
from foretell_adapters.optuna.dashboard import _joined, save_to_dashboard
from foretell_plugins.cli import main


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    storage = f"sqlite:///{tmp_path / 'studies.sqlite3'}"  # whose attributes are short
    study = optuna.create_study(study_name="s", storage=storage, directions=["minimize", "maximize"])
    for i in range(6):
        trial = study.ask({"<b>x</b>": optuna.distributions.FloatDistribution(0, 1)})
        study.tell(trial, [float(i), float(i % 3)])
    return study


def test_the_dashboard_finds_them(
    study: optuna.Study, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard = pytest.importorskip("optuna_dashboard")
    from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

    dashboard.save_note(study, "My own words.")
    file = f"sqlite:///{tmp_path / 'studies.sqlite3'}"
    monkeypatch.setattr("foretell_adapters.optuna.report.study_report", lambda study: "a page")
    monkeypatch.setattr("foretell.response_surface._FOLDS", 2)  # quicker
    main(["report", "s", "--storage", file, "--out", str(tmp_path / "page.html"), "--dashboard", "--json"])
    ids = json.loads(capsys.readouterr().out)["dashboard"]
    assert "foretell-0-1-front" in ids
    study = optuna.load_study(study_name="s", storage=study._storage)
    figures = get_plotly_graph_objects(study._storage.get_study_system_attrs(study._study_id))
    assert set(figures) == set(ids)
    calibration = json.loads(figures["foretell-1-calibration"])
    assert calibration["layout"]["title"]["text"] == "Calibration (objective 1)"
    assert all(isinstance(trace["x"], list) for trace in calibration["data"])  # any plotly.js reads them
    note = dashboard.get_note(study)
    assert note.startswith("My own words.")
    assert "**objective 0**: trials predicted without themselves, Kendall tau" in note
    assert "<b>" not in note


def test_only_our_part_of_a_note_is_replaced() -> None:
    once = _joined("before", "one")
    twice = _joined(once + "\nafter", "two")
    assert twice.startswith("before")
    assert twice.endswith("\nafter")
    assert "one" not in twice
    assert twice.count("two") == 1
    assert _joined("", "one") == once.removeprefix("before\n\n")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    if "optuna_dashboard" in sys.modules or _installed():
        with pytest.raises(InvalidDataError, match="needs five completed trials, but the study has 0: run more"):
            save_to_dashboard(optuna.create_study())
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(MissingDependencyError, match=r"need optuna-dashboard: pip install 'foretell\[dashboard\]'"):
        save_to_dashboard(optuna.create_study())


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("optuna_dashboard") is not None
