"""Optuna's samplers by name, and OptunaHub's from a checkout of its registry."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import optuna
import pytest

from foretell import CategoricalDistribution, FloatDistribution, IntDistribution, SearchSpace
from foretell.errors import InvalidDataError
from foretell_adapters.optuna import peers
from foretell_adapters.optuna.peers import HUB, PEERS, HubPeer, distributions, make_sampler, why_not

SPACE = SearchSpace(
    {
        "lr": FloatDistribution(1e-3, 1.0, log=True),
        "depth": IntDistribution(1, 4),
        "act": CategoricalDistribution(("relu", "gelu")),
    }
)


def test_a_space_comes_through_whole() -> None:
    assert distributions(SPACE) == {
        "lr": optuna.distributions.FloatDistribution(1e-3, 1.0, log=True),
        "depth": optuna.distributions.IntDistribution(1, 4),
        "act": optuna.distributions.CategoricalDistribution(("relu", "gelu")),
    }


@pytest.mark.parametrize(
    ("method", "kind"),
    [("tpe", "TPESampler"), ("gp", "GPSampler"), ("nsgaii", "NSGAIISampler"), ("foretell", "ForetellSampler")],
)
def test_samplers_by_name(method: str, kind: str) -> None:
    assert type(make_sampler(method, 0)).__name__ == kind


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"a peer is one of tpe, .*, smac that runs here, but got 'tqe'"):
        make_sampler("tqe", 0)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one sampler, and an `optunahub` that reads it."""

    def load_local_module(package: str, *, registry_root: str) -> ModuleType:
        module = ModuleType(package)
        exec((Path(registry_root) / package / "__init__.py").read_text(), module.__dict__)
        return module

    hub = ModuleType("optunahub")
    hub.load_local_module = load_local_module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "optunahub", hub)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None if name == "no_such_package" else object())
    folder = tmp_path / "package" / "samplers" / "one"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import optuna\nclass One(optuna.samplers.RandomSampler): pass\n")
    for function in (why_not, peers._loaded):
        function.cache_clear()  # type: ignore[attr-defined]
    monkeypatch.setattr(peers, "HUB", {"one": HubPeer("samplers/one", lambda m, s, n, seed: m.One(seed=seed))})
    monkeypatch.setattr(peers, "PEERS", ("one",))
    return tmp_path


def test_a_hub_sampler_is_read_from_the_registry(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORETELL_OPTUNAHUB", raising=False)
    assert why_not("one") == (
        "which is read from a checkout of OptunaHub's registry: set FORETELL_OPTUNAHUB to its folder"
    )
    with pytest.raises(InvalidDataError, match="one cannot run, which is read from a checkout"):
        make_sampler("one", 0)
    why_not.cache_clear()
    monkeypatch.setenv("FORETELL_OPTUNAHUB", str(registry))
    assert why_not("one") is None
    assert type(make_sampler("one", 0, SPACE)).__name__ == "One"


def test_what_a_hub_sampler_lacks_is_said(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_OPTUNAHUB", str(registry))
    (registry / "package/samplers/one/__init__.py").write_text("import no_such_module_anywhere")
    assert str(why_not("one")).startswith("whose code does not load here (ModuleNotFoundError: No module named")
    why_not.cache_clear()
    lacking = HubPeer("samplers/one", lambda m, s, n, seed: m.One(), ("no_such_package",))
    monkeypatch.setattr(peers, "HUB", {"one": lacking})
    assert why_not("one") == "which needs no_such_package: pip install no_such_package"


def test_every_hub_sampler_is_a_peer() -> None:
    assert set(HUB) < set(PEERS)
