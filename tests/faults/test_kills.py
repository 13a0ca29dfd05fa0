"""Workers that are killed: at every point of a trial, on every storage; and eight of them at random moments."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from fault_worker import POINTS
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_worker import Place
    from faulty_study import FaultyStudy

ROUNDS = 2


@pytest.mark.parametrize("place", ["postgres", "journal", "sqlite", "grpc"], indirect=True)
def test_killed_at_every_point_of_a_trial(place: Place, start_study: Callable[[Place], FaultyStudy]) -> None:
    study = start_study(place)
    study.start(4)
    assert study.wait() == 0
    # a proxy's client has no middle: its proxy has, which is killed elsewhere
    points = [p for p in POINTS if place.kind != "grpc" or p != "in the middle of the result"]
    rng, killed, stuck = random.Random(0), 0, 0
    for _ in range(ROUNDS):
        for first in range(0, len(points), 3):  # three die, each in its own place, while a fourth goes on
            dying = [study.start(4, kill_at=p, kill_in=rng.randrange(3)) for p in points[first : first + 3]]
            study.start(1)
            workers = list(study.workers)
            stuck += study.wait()
            killed += sum(w.exitcode == -signal.SIGKILL for w in dying)
            assert [w.exitcode for w in workers if w not in dying] == [0]
    study.start(2)
    stuck += study.wait()
    found = study.reckon("worker killed", killed, stuck)
    assert killed == ROUNDS * len(points)
    assert found is not None
    assert found.sampler.__class__.__name__ == "ForetellSampler"


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_eight_workers_and_twenty_kills_at_random(place: Place, start_study: Callable[[Place], FaultyStudy]) -> None:
    study = start_study(place)
    rng, kills = random.Random(8), 20
    for _ in range(8):
        study.start(50, objective="grid", pause=0.05)
    end = time.monotonic() + 200
    injected, wanted = 0, 8 * 50
    while time.monotonic() < end:
        told = sum(e["what"] == "told" for e in study.entries())
        alive = [w for w in study.workers if w.is_alive()]
        due = (injected + 1) * wanted // (kills + 1)
        if injected < kills and told >= due and alive:
            rng.choice(alive).kill()
            injected += 1
            study.start(50, objective="grid", pause=0.05)  # it takes over; who is done first stops all
        if told >= wanted:
            break
        time.sleep(rng.random() * 0.1)
    for worker in study.workers:
        worker.terminate()
    study.wait()
    found = study.reckon("eight workers, killed at random", injected, stuck=int(time.monotonic() >= end))
    assert found is not None
    trials = [t for t in found.get_trials() if len(t.params) == 4]
    complete = sum(t.state == TrialState.COMPLETE for t in trials)
    places = Counter(tuple(sorted(t.params.items())) for t in trials)
    copies = sum(n - 1 for n in places.values())
    print([(t.number, t.state.name, t.params) for t in trials if places[tuple(sorted(t.params.items()))] > 1])  # noqa: T201
    print(f"{complete} finished of {len(trials)} trials, {injected} killed, {copies} proposals duplicated")  # noqa: T201
    assert injected == kills
    assert complete >= wanted
    assert copies < 0.01 * len(trials)
