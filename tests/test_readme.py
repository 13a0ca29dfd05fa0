"""README's Python blocks run as written, one after the other, as a reader would paste them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)


def test_python_blocks_run(tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ComputationGraph(nodes=" in done.stdout


def test_the_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = re.findall(r"^\$ make (\w+)", "\n".join(blocks("console")), flags=re.MULTILINE)
    assert named == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in named)


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert not [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]


def test_it_is_short_and_its_first_screen_says_what_it_does() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 160
    first = text.split("## Try it")[0]
    for said in (
        "ForetellSampler(",
        "tuner: {name: Foretell",
        "ForetellPredictor()",
        "docs/images/demo.svg",
        "| protocol |",
    ):
        assert said in first
    optuna = re.findall(r"```python\n(.*?)```", first, flags=re.DOTALL)[0]
    assert len([line for line in optuna.splitlines() if line.strip()]) <= 5


def test_the_citation_is_of_this_version() -> None:
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
