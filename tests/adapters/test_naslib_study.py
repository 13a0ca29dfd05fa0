"""`foretell naslib bench`: what is measured, what wrong settings are answered, and a real run."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foretell.benchmarks import runner
from foretell.benchmarks.runner import Cell
from foretell.errors import InvalidDataError, InvalidSearchSpaceError, MissingDependencyError
from foretell_adapters.naslib import graph_of
from foretell_adapters.naslib.checkout import use_checkout
from foretell_adapters.naslib.counting import COUNTED, Counting
from foretell_adapters.naslib.light_spaces import light_space
from foretell_adapters.naslib.peers import PEERS
from foretell_adapters.naslib.query_latency import QueryLatency
from foretell_adapters.naslib.search_study import DEFAULT_METHODS, SearchStudy
from foretell_adapters.naslib.study import PredictorStudy, default_methods
from foretell_plugins import cli

DATA = Path(os.environ.get("FORETELL_DATA", "../shared/data"))
needs_naslib = pytest.mark.skipif(
    importlib.util.find_spec("naslib") is None,
    reason="NASLib is not importable: put a checkout on PYTHONPATH and install its packages",
)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code of the command, and what it says."""
    try:
        cli.main(arguments)
    except SystemExit as e:
        return int(e.code or 0), "".join(capsys.readouterr())
    return 0, "".join(capsys.readouterr())


def test_what_is_measured() -> None:
    study = PredictorStudy(DATA, sizes=(50, 20))
    assert set(default_methods()) <= set(study.methods)
    assert {f"naslib-{name}" for name in PEERS} < set(study.methods)
    assert "baker" not in study.methods  # the tables hold no curves
    cells = study.cells(["foretell", "gennape"], 2, quick=False)
    assert len(cells) == 2 * (2 * 2 + 2)  # GENNAPE's weights know the labels of one of the two spaces
    assert {c.family for c in cells if c.method == "gennape"} == {"nasbench201"}
    assert [c.n for c in cells[:2]] == [20, 50]
    assert [c.seed for c in cells] == sorted(c.seed for c in cells)
    assert {c.n for c in study.cells(["foretell"], 1, quick=True)} == {20}


def test_counting_ranks_by_size() -> None:
    class Arch:
        def __init__(self, *digits: int) -> None:
            self.digits = digits

        def get_op_indices(self) -> tuple[int, ...]:
            return self.digits

    archs = [Arch(2, 2, 2, 2, 2, 2), Arch(0, 0, 0, 0, 0, 3)]
    for what in COUNTED:
        predictor = Counting(what, "nasbench201")
        predictor.pre_compute(archs, [])
        predictor.fit(archs, [1.0, 2.0])
        assert predictor.query(archs).tolist() == [getattr(graph_of(a, "nasbench201"), what) for a in archs]


def test_wrong_settings_are_answered_by_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, said = answer(capsys, "naslib", "bench", "--spaces", "nasbench999", "--naslib", str(tmp_path))
    assert code == 1
    assert "spaces must be among ['nasbench201', 'nasbench101'], but got ['nasbench999']: choose among them" in said
    code, said = answer(capsys, "naslib", "bench", "--sizes", "20,many", "--naslib", str(tmp_path))
    assert code == 1
    assert "--sizes must be whole numbers separated by commas, but got '20,many': write 20,50,100" in said
    code, said = answer(capsys, "naslib", "bench", "--naslib", str(tmp_path))
    assert code == 1
    assert f"--naslib must name a checkout of NASLib, but {tmp_path} holds no naslib/__init__.py: git clone" in said


def test_wrong_values_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"sizes and test set must be 2 at least, but got \[1\] and 500"):
        PredictorStudy(DATA, sizes=(1,))
    with pytest.raises(InvalidDataError, match=r"sizes and test set must be 2 at least, but got \[20\] and 1: take"):
        PredictorStudy(DATA, sizes=(20,), test=1)
    with pytest.raises(InvalidSearchSpaceError, match=r"must be among \['nasbench201', 'nasbench101'\], but got \[\]"):
        PredictorStudy(DATA, spaces=())
    with pytest.raises(InvalidSearchSpaceError, match=r"must be among .* but got 'nlp': choose among them"):
        light_space("nlp")


def test_an_absent_naslib_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if importlib.util.find_spec("naslib") is None:
        with pytest.raises(MissingDependencyError, match=r"NASLib must be importable, but it is not: name a checkout"):
            use_checkout(None)
    (tmp_path / "naslib").mkdir()
    (tmp_path / "naslib" / "__init__.py").write_text("import no_such_package_of_naslib\n", encoding="utf-8")
    for name in [name for name in sys.modules if name.split(".")[0] == "naslib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("foretell_adapters.naslib.compat.install", tuple)  # bridges would hold for the whole process
    with pytest.raises(
        MissingDependencyError,
        match=r"packages that it does not install, but No module .*no_such.*: pip install fvcore",
    ):
        use_checkout(tmp_path)


def test_what_searches_are_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study = SearchStudy(DATA)
    assert set(DEFAULT_METHODS) < set(study.methods)
    assert {c.n for c in study.cells(DEFAULT_METHODS, 2, quick=True)} == {30}
    assert len(study.cells(DEFAULT_METHODS, 2, quick=False)) == 12
    assert study.average([0.0, 0.0, 3.0]) == 1.0
    with pytest.raises(InvalidDataError, match=r"a search needs 30 evaluations at least, .* but got 20: take more"):
        SearchStudy(DATA, evaluations=20)
    code, said = answer(capsys, "naslib", "search", "--space", "nlp", "--naslib", str(tmp_path))
    assert code == 1
    assert "the space must be one of ['nasbench201', 'nasbench101'], but got 'nlp': choose one" in said


def test_queries_are_timed() -> None:
    study = QueryLatency()
    found = study.measure(study.cells(["nas-bowl"], 1, quick=True)[0])
    assert found["known"][0] < found["fresh"][0]
    assert {unit for _, unit in found.values()} == {"ms"}


@needs_naslib
@pytest.mark.naslib
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("search", ["bananas", "npenas"])
def test_real_searches_with_ours_and_theirs(search: str) -> None:
    if not (DATA / "nasbench101/nb101.npz").is_file():
        pytest.skip(f"needs the table nasbench101/nb101.npz in FORETELL_DATA (looked in {DATA.resolve()})")
    use_checkout(None)
    study = SearchStudy(DATA, "nasbench101", 30)
    regrets = []
    for ensemble in ("nas-bowl", "naslib-lgb"):
        found = study.measure(Cell(f"{search}/{ensemble}", "nasbench101", "cifar10", 30, 0))
        marks = [found[f"regret_{k}"][0] for k in (10, 20, 30)]
        assert marks == sorted(marks, reverse=True)
        assert marks[-1] >= 0.0
        regrets.append(marks)
    assert regrets[0][0] == regrets[1][0]  # the first ten are drawn at random, the same for both


@needs_naslib
@pytest.mark.naslib
def test_an_unknown_method_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = answer(capsys, "naslib", "bench", "--methods", "naslib-svm")
    assert code == 1
    assert "methods of 'naslib' are" in said
    assert "but got ['naslib-svm']: choose among them" in said


@needs_naslib
@pytest.mark.naslib
@pytest.mark.filterwarnings("ignore")
def test_a_real_run_resumes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    if not (DATA / "nasbench101/nb101.npz").is_file():
        pytest.skip(f"needs the table nasbench101/nb101.npz in FORETELL_DATA (looked in {DATA.resolve()})")
    out = tmp_path / "found.jsonl"
    fixed = ("naslib", "bench", "--spaces", "nasbench101", "--sizes", "20,40", "--test", "40", "--seeds", "1")
    both = (*fixed, "--data", str(DATA), "--out", str(out), "--methods", "nas-bowl,naslib-rf,nars")
    code, said = answer(capsys, *both)
    assert code == 0, said
    assert "Kendall tau, nasbench101 test 40" in said
    rows = runner.read(out)
    assert {(m.method, m.n) for m in rows} == {(m, n) for m in ("nas-bowl", "naslib-rf", "nars") for n in (20, 40)}
    assert {m.metric for m in rows} == {"tau", "rho", "precision_20", "fit", "query", "prepare"}
    assert all(-1.0 <= m.value <= 1.0 for m in rows if m.metric == "tau")
    assert (tmp_path / "found.svg").is_file() == (tmp_path / "found-fit.svg").is_file()
    before = out.read_text()
    assert answer(capsys, *both)[0] == 0
    assert out.read_text() == before


@needs_naslib
@pytest.mark.naslib
def test_light_spaces_draw_what_naslib_draws() -> None:
    use_checkout(None)
    from naslib.search_spaces import NasBench201SearchSpace

    heavy = NasBench201SearchSpace()
    heavy.instantiate_model = False
    drawn: list[Any] = []
    for space in (light_space("nasbench201"), heavy):
        np.random.seed(0)  # noqa: NPY002 - NASLib draws from it
        clones = [space.clone() for _ in range(3)]
        for clone in clones:
            clone.sample_random_architecture()
        drawn.append([clone.get_hash() for clone in clones])
        assert space.op_indices is None
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3
