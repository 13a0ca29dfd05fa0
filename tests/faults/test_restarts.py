"""The database, or the proxy in front of it, goes away under four workers and comes back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_worker import Place
    from faulty_study import FaultyStudy
    from postgres_server import PostgresServer

WORKERS, TRIALS = 4, 12


def run(study: FaultyStudy, breakdowns: list[Callable[[], None]], fault: str) -> None:
    for _ in range(WORKERS):
        study.start(TRIALS, pause=0.1)
    workers = list(study.workers)
    injected = 0
    for breakdown in breakdowns:
        told = sum(e["what"] == "told" for e in study.entries())
        until = time.monotonic() + 20
        while sum(e["what"] == "told" for e in study.entries()) < told + 4 and time.monotonic() < until:
            time.sleep(0.02)  # in the middle of the work, not before it begins
        injected += sum(w.is_alive() for w in workers)  # each worker is in the middle of something
        breakdown()
    stuck = study.wait(90)
    assert [w.exitcode for w in workers] == [0] * WORKERS
    assert study.reckon(fault, injected, stuck) is not None
    assert injected >= 2 * WORKERS
    told = sum(e["what"] == "told" for e in study.entries())
    assert told == WORKERS * TRIALS


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_the_database_is_restarted(
    place: Place, start_study: Callable[[Place], FaultyStudy], postgres: PostgresServer
) -> None:
    modes = [("immediate", 0.0), ("fast", 0.0), ("immediate", 1.0), ("fast", 0.5)]
    study = start_study(place)
    run(study, [lambda m=m: postgres.restart(*m) for m in modes], "database restarted under a worker")


@pytest.mark.parametrize("place", ["grpc"], indirect=True)
def test_the_proxy_is_killed_and_started_again(
    place: Place, start_study: Callable[[Place], FaultyStudy], request: pytest.FixtureRequest
) -> None:
    proxy = request.getfixturevalue("proxy")

    def again() -> None:
        proxy.kill()
        proxy.start()

    run(start_study(place), [again] * 3, "proxy killed under a worker")
