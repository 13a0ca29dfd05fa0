"""Frames hold the numbers they are made of, under the names that they are asked for by."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import numpy as np
import pytest

from foretell import ExtraTrees, GraphStatistics, Predictor
from foretell.benchmarks.runner import Measurement
from foretell.capture import nasbench201
from foretell.errors import InvalidDataError, MissingDependencyError
from foretell.explain import Motif, explain_columns
from foretell.frames import (
    contributions_frame,
    importances_frame,
    measurements_frame,
    motifs_frame,
    posterior_frame,
    ranking_frame,
)
from foretell.posterior import GaussianPosterior
from foretell.ranking import rank_graphs

CELLS = {name: nasbench201.graph(tuple(map(int, name))) for name in ("000004", "222222", "131313", "210210", "444444")}
BELIEF = GaussianPosterior(np.array([1.0, 2.0]), np.array([0.5, 0.25]))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor((GraphStatistics(),), ExtraTrees(n_trees=3)).fit(list(CELLS.values()), [1.0, 9.0, 8.0, 7.0, 2.0])


def test_posterior() -> None:
    pytest.importorskip("pandas")
    frame = posterior_frame(BELIEF, ["a", "b"], coverage=0.5)
    assert list(frame.columns) == ["mean", "std", "low", "high"]
    assert frame.loc["b", "mean"] == 2.0
    np.testing.assert_allclose(frame["high"] - frame["mean"], 0.67449 * np.array([0.5, 0.25]), rtol=1e-4)
    assert list(posterior_frame(BELIEF).index) == [0, 1]


def test_ranking_and_contributions(predictor: Predictor) -> None:
    pytest.importorskip("pandas")
    rows = rank_graphs(predictor, CELLS, {"222222": 9.5})
    frame = ranking_frame(rows)
    assert list(frame.index) == [row.name for row in rows]
    assert frame.loc["222222", "measured"] == 9.5
    assert frame.loc["000004", "params"] == CELLS["000004"].params
    assert ranking_frame([]).empty
    found = explain_columns(predictor, CELLS["222222"], list(CELLS.values()))
    shares = contributions_frame(found)
    assert shares["contribution"].sum() == pytest.approx(found.prediction - found.base)
    assert shares["contribution"].abs().is_monotonic_decreasing


def test_measurements_come_back_from_a_file(tmp_path) -> None:
    pytest.importorskip("pandas")
    one = Measurement("bench", "ours", "nb201", None, 20, 0, "tau", 0.75, "", "1")
    (tmp_path / "rows.jsonl").write_text(json.dumps(asdict(one)) + "\n", encoding="utf-8")
    frame = measurements_frame(tmp_path / "rows.jsonl")
    assert frame.to_dict("records") == [asdict(one)]
    assert measurements_frame([one, one]).groupby("method")["value"].mean()["ours"] == 0.75


def test_importances_and_motifs() -> None:
    pytest.importorskip("pandas")
    assert list(importances_frame({"a": 0.1, "b": 0.9}).index) == ["b", "a"]
    motif = Motif("conv before skip", 0.3, "points", 4, 7, 0, ("x",), None)  # type: ignore[arg-type]
    assert motifs_frame([motif]).loc["conv before skip", "effect"] == 0.3


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidDataError, match="one name a candidate is needed, but got 1 for 2"):
        posterior_frame(BELIEF, ["a"])
    with pytest.raises(InvalidDataError, match="`0 < coverage < 1` must hold"):
        posterior_frame(BELIEF, coverage=1.0)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'foretell\[pandas\]'"):
        posterior_frame(BELIEF)
