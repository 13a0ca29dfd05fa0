"""The example of many workers: two of them, one is killed and started again, and the database is restarted."""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest
from faulty_study import CONTEXT
from optuna.trial import TrialState

if TYPE_CHECKING:
    from fault_table import FaultTable
    from fault_worker import Place
    from postgres_server import PostgresServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "optuna_workers_postgresql.py"
WANTED = 16


def run_example(url: str) -> None:
    sys.argv = [str(EXAMPLE), url, str(WANTED)]
    runpy.run_path(str(EXAMPLE), run_name="__main__")


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_it_ends_with_what_was_wanted(place: Place, postgres: PostgresServer, table: FaultTable) -> None:
    def start() -> object:
        worker = CONTEXT.Process(target=run_example, args=(place.at,), daemon=True)
        worker.start()
        return worker

    storage = place.open(pooled=False)  # its tables are made before two workers begin
    workers = [start(), start()]
    finished: dict[int, float] = {}
    for breakdown in (workers[0].kill, lambda: postgres.restart("immediate")):
        end = time.monotonic() + 60
        while time.monotonic() < end and len(finished) < 4:
            finished |= complete(storage)
            time.sleep(0.05)
        breakdown()
        workers.append(start())
    for worker in workers:
        worker.join(90)
    stuck = sum(worker.is_alive() for worker in workers)
    there = complete(storage)
    lost = sum(there.get(number) != value for number, value in finished.items())
    table.count("worker killed, database restarted", "example", injected=2, results=len(there), lost=lost, stuck=stuck)
    assert [worker.exitcode for worker in workers][1:] == [0, 0, 0]
    assert WANTED <= len(there) <= WANTED + len(workers)


def complete(storage: optuna.storages.BaseStorage) -> dict[int, float]:
    try:
        trials = optuna.load_study(study_name="digits", storage=storage).get_trials(states=[TrialState.COMPLETE])
    except (KeyError, optuna.exceptions.StorageInternalError):
        return {}
    return {trial.number: trial.values[0] for trial in trials}
