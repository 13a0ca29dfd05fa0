"""Our annotations are whole enough for a user's code in pyright's strict mode; runs where pyright is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def complaints(tmp_path: Path, code: str) -> list[str]:
    """What pyright says of a module, in strict mode, with this environment's packages."""
    (tmp_path / "user.py").write_text(code, encoding="utf-8")
    settings = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT / root) for root in ("core", "plugins", "adapters")],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [f"{d['range']['start']['line'] + 1}: {d['message']}" for d in found]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="needs pyright: pip install pyright")
def test_user_code_in_strict_mode(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    code = (ROOT / "tests" / "strict_user_code.py").read_text("utf-8")
    wrong = "\nPredictor.preset(3)\nPredictor().fit(graphs, None)\nprint(posterior.mode)\n"
    lines = len(code.splitlines())
    found = complaints(tmp_path, code + wrong)
    assert [line for line in found if int(line.split(":")[0]) <= lines] == []
    assert {int(line.split(":")[0]) - lines for line in found} == {2, 3, 4}  # it would have said so
