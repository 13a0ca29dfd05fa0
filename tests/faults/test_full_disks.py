"""A disk that is full, at any byte: under a study's storage, a report, a checkpoint, a file of measurements."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import optuna
import pytest
from click.testing import CliRunner
from fault_worker import Ledger, bowl

from foretell.benchmarks.runner import Cell, read
from foretell.benchmarks.runner import run as run_bench
from foretell.checkpoint import Checkpoint
from foretell_adapters.optuna import ForetellSampler
from foretell_plugins.cli import build_cli
from foretell_plugins.registry import Plugins

sys.path.insert(0, str(Path(__file__).parents[1]))
from full_disk import full_after

if TYPE_CHECKING:
    from fault_table import FaultTable
    from fault_worker import Place
    from faulty_study import FaultyStudy


def tell(study: optuna.Study, given: list[tuple[optuna.Trial, float]], ledger: Ledger, rng: random.Random) -> None:
    if not given:
        trial = study.ask()
        given.append((trial, bowl(trial) + rng.random() * 1e-6))
    trial, value = given[0]
    ledger.write("telling", number=trial.number, value=value)
    study.tell(trial, value, skip_if_finished=True)
    ledger.write("told", number=trial.number, value=value)


@pytest.mark.parametrize("place", ["journal", "sqlite"], indirect=True)
def test_under_a_storage(place: Place, start_study: Callable[[Place], FaultyStudy], tmp_path: Path) -> None:
    """Every error comes from the storage, and the trial goes on where it stopped once there is room."""
    faulty = start_study(place)
    faulty.start(3)
    assert faulty.wait() == 0
    sampler = ForetellSampler(seed=1, n_startup_trials=4)
    study = optuna.load_study(study_name="faults", storage=place.open(pooled=False), sampler=sampler)
    file = Path(place.at.removeprefix("sqlite:///"))
    rng, injected = random.Random(0), 0
    ledger = Ledger(faulty.folder, 99)
    for _ in range(15):
        # at a byte of anybody's choosing: a journal grows at its end, a database is written in all places
        most = (
            rng.randrange(600) + file.stat().st_size if place.kind == "journal" else rng.randrange(file.stat().st_size)
        )
        given: list[tuple[optuna.Trial, float]] = []
        try:
            with full_after(most):
                tell(study, given, ledger, rng)
        except Exception:  # noqa: BLE001 - each storage fails in its own way
            injected += 1
            tell(study, given, ledger, rng)  # there is room again, and what was evaluated is told again
    faulty.start(2)
    assert faulty.reckon("disk full under the storage", injected, faulty.wait()) is not None
    assert injected >= 10


def test_under_a_report_a_checkpoint_and_measurements(folder: Path, table: FaultTable) -> None:
    study = optuna.create_study(storage=f"sqlite:///{folder}/s.db", study_name="s", sampler=ForetellSampler(seed=0))
    study.optimize(bowl, n_trials=8)
    page, cli = folder / "report.html", build_cli(Plugins())
    command = ["report", "s", "--storage", f"sqlite:///{folder}/s.db", "--out", str(page)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    old = page.read_bytes()
    for size in (0, len(old) // 2, len(old) - 1):
        with full_after(size):
            said = CliRunner().invoke(cli, command)
        lost = page.read_bytes() != old
        table.count("disk full under a report", "file", injected=1, results=1, lost=lost)
        assert said.exit_code != 0
        assert "make room" in said.output + str(said.exception)

    checkpoint = folder / "checkpoint"
    Checkpoint({"name": "old"}, {"a": np.arange(500.0)}).write(checkpoint)
    for size in (0, 1, 100, 4000, 4100):
        with full_after(size), suppress(OSError):
            Checkpoint({"name": "new", "long": "x" * 9000}, {"a": np.arange(500.0) + 1}).write(checkpoint)
        found = Checkpoint.read(checkpoint)
        lost = found.config["name"] != "old" or found.arrays["a"][0] != 0.0
        table.count("disk full under a checkpoint", "file", injected=1, results=1, lost=lost)

    class Bench:
        name, methods = "b", ("m",)

        def cells(self, methods: object, seeds: int, *, quick: bool) -> list[Cell]:
            return [Cell("m", seed=s) for s in range(seeds)]

        def measure(self, cell: Cell) -> dict[str, tuple[float, str]]:
            return {"time": (float(cell.seed), "ms")}

    out = folder / "m.jsonl"
    list(run_bench(Bench(), [Cell("m", seed=s) for s in range(3)], out))
    for i, more in enumerate((0, 1, 60, 120, 150)):
        before = read(out)
        with full_after(out.stat().st_size + more), suppress(OSError):
            list(run_bench(Bench(), [Cell("m", seed=100 + i), Cell("m", seed=200 + i)], out))
        with full_after(0):
            after = read(out)
        lost = len([m for m in before if m not in after])
        twice = len(after) - len({m.cell for m in after})
        table.count(
            "disk full under measurements", "file", injected=1, results=len(before), lost=lost, duplicated=twice
        )
