"""The pages under docs: their Python blocks run as written, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from foretell_plugins import hookspecs
from foretell_plugins.cli import build_cli
from foretell_plugins.registry import Plugins

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
CARDS = sorted((ROOT / "core/foretell/checkpoints").rglob("README.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


def named(page: Path) -> set[str]:
    """Commands of ours in the text: `foretell rank x` gives "rank", `foretell bench latency` gives "bench latency"."""
    spans = re.findall(r"`foretell ([^`]+)`|^\$ (?:\S+/)?foretell (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    words = [" ".join(part for part in span if part).split() for span in spans]
    return {" ".join(w[: 2 if w[0] in {"bench", "nni", "naslib"} else 1]) for w in words}


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.stem)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "foretell_adapters.nni" in page.read_text("utf-8"):
        pytest.importorskip("nni")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(page, "python"))
    exec(compile(code, str(page), "exec"), {"__name__": page.stem})


def test_commands_exist() -> None:
    plugins = Plugins()
    cli = build_cli(plugins)
    known = set(cli.commands) | {f"bench {name}" for name in plugins.benchmarks} | {"bench NAME"}
    known |= {
        f"{group} {name}" for group in ("nni", "naslib") for name in getattr(cli.commands.get(group), "commands", ())
    }
    found = {page.name: named(page) for page in [*PAGES, *CARDS, ROOT / "README.md"]}
    assert sum(len(names) for names in found.values()) > 20
    assert not {page: names - known for page, names in found.items() if names - known}


def test_options_exist() -> None:
    """`foretell rank a --predictor b` in the text: rank has such an option."""
    cli, wrong, seen = build_cli(Plugins()), [], 0
    for page in [*PAGES, *CARDS, ROOT / "README.md"]:
        text = page.read_text("utf-8")
        for line in re.findall(r"`foretell ([^`]+)`|^\$ (?:\S+/)?foretell (.+)$", text, flags=re.MULTILINE):
            words = " ".join(part for part in line if part).split()
            command = cli
            for word in words:
                command = getattr(command, "commands", {}).get(word, command)
            known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
            options = {word.split("=")[0] for word in words if word.startswith("--")}
            seen += len(options)
            wrong += [(page.name, " ".join(words), option) for option in options - known]
    assert seen > 12
    assert not wrong


def test_every_hook_is_explained() -> None:
    text = (ROOT / "docs/plugins.md").read_text("utf-8")
    hooks = [name for name in dir(hookspecs) if name.startswith("foretell_register_")]
    assert hooks
    assert not [hook for hook in hooks if f"{hook}" not in text]
    assert "foretell_plugins.hookspecs" in (ROOT / "docs/reference/hooks.md").read_text("utf-8")


def test_the_first_plugin_is_ten_lines() -> None:
    lines = [line for line in blocks(ROOT / "docs/plugins.md", "python")[0].splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("import ", "from "))]) == 10


def test_benches_of_the_protocol_page_are_all_there_are() -> None:
    table = (ROOT / "docs/protocol.md").read_text("utf-8").split("| `foretell bench` |")[1]
    assert set(re.findall(r"`([a-z-]+)`", table.split("\n\n")[0])) == set(Plugins().benchmarks)


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {"PYTHONPATH": str(ROOT / "docs"), "NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    page = (tmp_path / "site/cli/index.html").read_text("utf-8")
    assert "--predictor" in page
    assert "from_pretrained" in (tmp_path / "site/reference/predictor/index.html").read_text("utf-8")
    assert "Where we depart" in (tmp_path / "site/systems/gbdt-nas/index.html").read_text("utf-8")


def test_every_system_has_a_page_with_paper_and_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import system_pages

    from foretell.presets import PRESETS

    pages = system_pages.pages()
    assert set(pages) == {f"systems/{name}.md" for name in (*PRESETS, *system_pages.SECTIONS)}
    for name in PRESETS:
        page = pages[f"systems/{name}.md"]
        assert f'Predictor.preset("{name}")' in page
        assert "## Its parts" in page
        assert "https://arxiv.org/abs/" in page.split("## Its parts")[0] or "none: ours" in page
        assert f"| {name} |" in page or name in {"baker", "foretell-pretrained"}  # measured elsewhere, and so said
    assert "the paper's released results" in pages["systems/flan.md"]
    assert "R² .43" in pages["systems/baker.md"]
    assert "CL+FCM+T" in pages["systems/gennape.md"]
    with pytest.raises(ValueError, match="must have the heading 'Absent'"):
        system_pages.section(ROOT / "docs/faq.md", "Absent")


def test_the_comparison_has_twelve_rows_for_seven_tools() -> None:
    text = (ROOT / "docs/comparison.md").read_text("utf-8")
    rows = re.findall(r"^\| \*\*(\d+)\. .+? \| .+ \| .+ \|$", text, flags=re.MULTILINE)
    assert rows == [str(number) for number in range(1, 13)]
    assert all(tool in text for tool in ("Optuna", "OptunaHub", "NNI", "NASLib", "AutoGluon", "Ax", "Syne Tune"))
