"""Checkpoints of the Hugging Face hub: what is asked for, what is refused; with its library, from a cache."""

from __future__ import annotations

import shutil
import sys
import types
from pathlib import Path

import pytest

from foretell import ExtraTrees, Predictor
from foretell.capture import nasbench201
from foretell.encoders import GraphStatistics
from foretell.errors import CheckpointError, MissingDependencyError

GRAPHS = [nasbench201.graph(cell) for cell in ((0, 0, 0, 0, 0, 4), (2, 2, 2, 2, 2, 2), (1, 3, 1, 3, 1, 3))]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A repository with a checkpoint in it, and another in a folder below."""
    predictor = Predictor((GraphStatistics(),), ExtraTrees(n_trees=3)).fit(GRAPHS, [10.0, 93.0, 91.0])
    for folder in ("here", "here/below"):
        predictor.save(tmp_path / folder)
    return tmp_path / "here"


@pytest.fixture
def asked(saved: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """A stand-in for the hub's library that remembers what it was asked for."""
    calls: list[tuple[object, ...]] = []

    def snapshot_download(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        calls.append((repository, revision, allow_patterns))
        if repository == "no/one":
            raise ConnectionError("404 Client Error\nmore")
        return str(saved)

    stand_in = types.ModuleType("huggingface_hub")
    stand_in.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", stand_in)
    return calls


@pytest.mark.parametrize(
    ("name", "repository", "revision"),
    [
        ("hf://me/mine", "me/mine", None),
        ("hf://me/mine@v1.0", "me/mine", "v1.0"),
        ("hf://me/mine@v1.0/below", "me/mine", "v1.0"),
        ("hf://me/mine/below", "me/mine", None),
    ],
)
def test_what_is_asked_for_and_what_comes(asked, name: str, repository: str, revision: str | None) -> None:
    predictor = Predictor.from_pretrained(name)
    assert predictor.rank(GRAPHS)[-1] == 0
    assert asked == [(repository, revision, ["*.safetensors", "*.json", "README.md"])]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://mine", "must read hf://owner/name, but got 'hf://mine'"),
        ("hf://me/../mine", "must read hf://owner/name"),
        ("hf://me/mine/../..", "must read hf://owner/name"),
        ("hf://no/one", r"is not \(404 Client Error\): check name and connection"),
        ("hf://me/mine/elsewhere", "must be a folder of its repository"),
    ],
)
def test_refusals(asked, name: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Predictor.from_pretrained(name)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'foretell\[hub\]'"):
        Predictor.from_pretrained("hf://me/mine")


def test_from_the_cache_of_the_real_library(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "cache" / "models--me--mine"
    shutil.copytree(saved, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = Predictor.from_pretrained("hf://me/mine/below")
    assert found.predict(GRAPHS).mean.tolist() == Predictor.load(saved).predict(GRAPHS).mean.tolist()
    with pytest.raises(CheckpointError, match="must be on the hub or in its cache"):
        Predictor.from_pretrained("hf://me/absent")
