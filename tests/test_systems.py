"""The table of systems: what a row names to show itself exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foretell.presets import PRESETS
from foretell_plugins.registry import Plugins

ROOT = Path(__file__).parents[1]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (ROOT / "docs/systems.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| system |")
]
WITHOUT = {"PFNs, their foundations", "Archon"}
"""Systems of which nothing works here, said with a reason."""


def test_every_system_that_was_named_has_a_row() -> None:
    text = " ".join(row[0] for row in ROWS)
    wanted = ("GBDT-NAS", "Neural Predictor", "FLAN", "NAS-BOWL", "Baker", "FlexiBERT", "BOSHNAS", "NARS", "Zela",
              "Hyperband", "DeepArchitect", "sharpDARTS", "RC-DARTS", "SD-DARTS", "SWAT-NN", "Composer", "einspace",
              "ArchGym", "iHAS", "Quick-Tune", "RegNet", "FCNet", "CARBS", "Desirability", "LLMs", "PFNs",
              "Data-requirement", "Step Law", "Power Lines", "mu-transfer", "Archon", "GENNAPE", "AIO-P")  # fmt: skip
    assert [name for name in wanted if name not in text] == []


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_exists(row: list[str]) -> None:
    assert len(row) == 6
    system, works, shown, _, _, out = row
    named = re.findall(r"`([^`]+)`", shown)
    assert bool(named) == (works != "-") == (system not in WITHOUT)
    assert out != "-" or named
    benches = set(Plugins().benchmarks)
    for name in named:
        if preset := re.fullmatch(r'Predictor\.preset\("(.+)"\)', name):
            assert preset[1] in PRESETS
        elif name.startswith("foretell bench "):
            assert name.removeprefix("foretell bench ") in benches
        else:
            assert name.startswith(("tests/", "examples/"))
            assert (ROOT / name).exists()


def test_every_preset_has_a_row() -> None:
    shown = " ".join(row[2] for row in ROWS)
    assert [name for name in PRESETS if not name.startswith("foretell") and f'"{name}"' not in shown] == []
