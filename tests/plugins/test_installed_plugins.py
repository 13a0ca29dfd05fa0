"""Plugins of real packages, installed by pip: one good, four broken in different ways, one after a name of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_packages import PACKAGES, install

CAUSES = {
    "import-error": "No module named 'a_module_that_does_not_exist'",
    "misspelt": "foretell_register_adaptors",
    "wrong-argument": "registry",
    "raises": "RuntimeError: the plugin's own bug",
    "keen-rival": "'optuna' already comes from 'optuna' of foretell",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    install(target, PACKAGES, tmp_path_factory.mktemp("wheels"))
    return target


@pytest.fixture(scope="module")
def shown(site: Path) -> subprocess.CompletedProcess[str]:
    """What `foretell plugins` says."""
    return run(site, "plugins")


def run(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", "from foretell_plugins.cli import main; main()", *arguments],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path, **environment}, timeout=120,
    )  # fmt: skip


def listing(site: Path, **environment: str) -> dict[str, dict[str, Any]]:
    done = run(site, "plugins", "--json", **environment)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_broken_plugins_are_set_aside_and_all_else_works(site: Path) -> None:
    found = listing(site)
    assert {n for n, row in found.items() if row["status"] == "broken"} == set(CAUSES)
    working = {n for n, row in found.items() if row["status"] == "ok"}
    assert working == {"good", "measurements", "optuna", "nni", "naslib"}
    for name, cause in CAUSES.items():
        assert cause in found[name]["cause"]
        assert found[name]["distribution"] == f"foretell-{name}"
        assert found[name]["version"] == "1.2.3"


@pytest.mark.parametrize("name", CAUSES)
def test_each_gives_one_warning_with_plugin_package_version_and_cause(
    shown: subprocess.CompletedProcess[str], name: str
) -> None:
    lines = [line for line in shown.stderr.splitlines() if f"'{name}'" in line]
    assert len(lines) == 1
    assert f"foretell-{name} 1.2.3" in lines[0]
    assert CAUSES[name] in lines[0]


def test_the_listing_for_people_says_why(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 0
    assert all("broken: " in line for line in shown.stdout.splitlines() if line.split()[0] in CAUSES)
    assert all(cause in shown.stdout for cause in CAUSES.values())


def test_what_a_raising_plugin_had_registered_is_taken_back(site: Path) -> None:
    names = {row["name"] for row in json.loads(run(site, "adapters", "--json").stdout)}
    assert "good" in names
    assert "half" not in names


def test_the_good_plugin_adds_its_command(site: Path) -> None:
    done = run(site, "hello")
    assert done.stdout == "hello from a plugin\n"


def test_plugins_can_be_left_out(site: Path) -> None:
    found = listing(site, FORETELL_DISABLE_PLUGINS="raises,misspelt,good")
    assert {n for n, row in found.items() if row["status"] == "disabled"} == {"raises", "misspelt", "good"}
    assert {row["status"] for row in listing(site, FORETELL_PLUGINS="").values()} == {"disabled"}
    only = listing(site, FORETELL_PLUGINS="good")
    assert {n for n, row in only.items() if row["status"] == "ok"} == {"good"}


def test_strict_mode_stops_at_the_first_broken_plugin(site: Path) -> None:
    done = run(site, "plugins", FORETELL_STRICT_PLUGINS="1")
    assert done.returncode == 1
    assert "plugin 'import-error' is broken" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_foretell_looks_for_no_plugin(site: Path) -> None:
    code = "import foretell, foretell_plugins, sys; sys.exit('foretell_import_error' in sys.modules)"
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    assert (
        subprocess.run([sys.executable, "-W", "error", "-c", code], env={**os.environ, "PYTHONPATH": path}).returncode
        == 0
    )
