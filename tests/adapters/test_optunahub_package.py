"""The OptunaHub package: laid out as its registry asks, and loaded by OptunaHub's loader where that is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import re
import runpy
import sys
import types
from pathlib import Path

import pytest

pytest.importorskip("optuna")

REGISTRY = Path(__file__).parents[2] / "optunahub-registry" / "package"
PACKAGE = REGISTRY / "samplers" / "foretell"


def load() -> types.ModuleType:
    """By OptunaHub's loader, or in the way in which it loads."""
    try:
        importlib.metadata.version("optunahub")
    except importlib.metadata.PackageNotFoundError:
        spec = importlib.util.spec_from_file_location("optunahub_registry.package.foretell", PACKAGE / "__init__.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    import optunahub

    return optunahub.load_local_module("samplers/foretell", registry_root=str(REGISTRY))


def test_it_loads_and_searches() -> None:
    import optuna

    module = load()
    assert set(module.__all__) == {"ForetellPruner", "ForetellSampler", "StopWhenDone"}
    study = optuna.create_study(sampler=module.ForetellSampler(seed=0, n_startup_trials=4))
    study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2, n_trials=8)
    assert study.best_value < 1


def test_the_registry_s_own_loader() -> None:
    hub = pytest.importorskip("optunahub")
    from foretell_adapters.optuna import ForetellSampler

    made = hub.load_local_module("samplers/foretell", registry_root=str(REGISTRY))
    assert made.ForetellSampler is ForetellSampler


def test_it_has_the_files_and_the_head_that_the_registry_asks_for() -> None:
    assert {p.name for p in PACKAGE.iterdir() if p.is_file()} == {
        "LICENSE", "README.md", "__init__.py", "example.py", "requirements.txt"}  # fmt: skip
    assert (PACKAGE / "LICENSE").read_text("utf-8").startswith("MIT License")
    text = (PACKAGE / "README.md").read_text("utf-8")
    _, head, body = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
    assert set(fields) == {"author", "title", "description", "tags", "optuna_versions", "license"}
    assert "sampler" in fields["tags"].strip("[]").split(", ")
    assert fields["license"] == "MIT License"
    assert re.findall(r"^## (.+)$", body, flags=re.MULTILINE) == [
        "Abstract", "APIs", "Installation", "Example", "Others"]  # fmt: skip
    assert "<" not in re.sub(r"```.*?```", "", body, flags=re.DOTALL)  # no HTML


def test_its_readme_names_the_arguments_that_there_are() -> None:
    signature = inspect.signature(load().ForetellSampler).parameters
    named = re.search(r"`ForetellSampler\(\*, (.*?)\)`\n", (PACKAGE / "README.md").read_text("utf-8"))[1]
    assert [part.split("=")[0] for part in re.findall(r"\w+=(?:\(\)|\w+)", named)] == list(signature)
    assert named == ", ".join(f"{name}={parameter.default}" for name, parameter in signature.items())


def test_its_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import optuna

    stand_in, module = types.ModuleType("optunahub"), load()
    stand_in.load_module = {"samplers/foretell": module}.__getitem__  # the registry's copy would need a network
    monkeypatch.setitem(sys.modules, "optunahub", stand_in)
    monkeypatch.setattr(optuna.study.Study, "optimize", _shorter(optuna.study.Study.optimize))
    runpy.run_path(str(PACKAGE / "example.py"), run_name="__main__")
    assert "'width'" in capsys.readouterr().out


def _shorter(optimize):
    return lambda study, objective, n_trials: optimize(study, objective, n_trials=8)
