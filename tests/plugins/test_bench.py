"""`foretell bench`: a benchmark that words and draws its own results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from foretell.benchmarks.runner import Cell, Measurement
from foretell.errors import MissingDependencyError
from foretell_plugins import Plugins
from foretell_plugins.cli import build_cli


class Own:
    name = "own"
    methods = ("one", "two")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        return [Cell(method, n=1 + quick, seed=seed) for method in methods for seed in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        return {"value": (float(cell.seed), "")}

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        return ["mine:", *(f"{m.method} {m.value}" for m in rows)]

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        if len(rows) == 1:
            raise MissingDependencyError("no matplotlib")
        return Figure()


def test_its_own_words_and_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Plugins(environment={}, entry_points=[])
    monkeypatch.setattr(Plugins, "benchmarks", MappingProxyType({"own": Own}))
    cli, out = build_cli(plugins), tmp_path / "own.jsonl"
    done = CliRunner().invoke(cli, ["bench", "own", "--seeds", "1", "--out", str(out)])
    words = ["mine:", "one 0.0", "two 0.0", f"Plot: {out.with_suffix('.svg')}", f"Results: {out}"]
    assert done.stdout.splitlines()[-5:] == words
    assert out.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
    done = CliRunner().invoke(cli, ["bench", "own", "--seeds", "1", "--methods", "one", "--out", str(out)])
    assert "No plot: no matplotlib" in done.output
    assert done.exit_code == 0


def test_as_json_it_prints_averages_and_files_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Plugins(environment={}, entry_points=[])
    monkeypatch.setattr(Plugins, "benchmarks", MappingProxyType({"own": Own}))
    cli, out = build_cli(plugins), tmp_path / "own.jsonl"
    assert json.loads(CliRunner().invoke(cli, ["bench", "--json"]).stdout) == ["own"]
    said = json.loads(CliRunner().invoke(cli, ["bench", "own", "--seeds", "3", "--json", "--out", str(out)]).stdout)
    nothing = {"family": None, "task": None, "n": 1, "metric": "value", "unit": ""}
    averages = [{"method": method, **nothing, "value": 1.0} for method in ("one", "two")]
    assert said == {"bench": "own", "results": str(out), "plot": str(out.with_suffix(".svg")), "averages": averages}
