"""The shape of the house: what imports what, and how large files are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for root in ("core", "plugins", "adapters") for p in (ROOT / root).rglob("*.py"))


def test_no_file_is_longer_than_500_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 500}
    assert SOURCES
    assert not long


def test_every_module_says_what_lives_there() -> None:
    silent = [str(p.relative_to(ROOT)) for p in SOURCES if not p.read_text("utf-8").startswith('"""')]
    assert not silent


def test_the_core_works_with_every_framework_absent() -> None:
    code = """
import sys
for name in ("optuna", "nni", "naslib"):
    sys.modules[name] = None
import foretell, foretell_plugins, foretell_adapters
space = foretell.SearchSpace({"x": foretell.FloatDistribution(0, 1)})
print(foretell.BayesianOptimizer(space).suggest([foretell.Observation({"x": 0.5}, (1.0,))]))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60, capture_output=True)


def test_importing_foretell_does_not_import_what_only_some_need() -> None:
    heavy = {"scipy", "sklearn", "networkx", "torch_geometric", "matplotlib", "plotly", "pandas"}
    code = "import torch, sys; had = set(sys.modules); import foretell; print(*(set(sys.modules) - had))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    imported = set(done.stdout.split())
    assert "foretell" in imported
    assert not heavy & imported


def test_adapters_hold_no_mathematics() -> None:
    allowed = r"(random\.default_rng|load|asarray|array|ndarray|float64|int64)\b"
    sums = re.compile(rf"\bnp\.(?!{allowed})|^\s*(from|import) scipy", re.MULTILINE)
    guilty = {p.name: found for p in SOURCES if "adapters" in p.parts and (found := sums.findall(p.read_text("utf-8")))}
    assert not guilty
