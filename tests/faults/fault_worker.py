"""A worker process of a study, with a fault of its own if so told.

Run by `multiprocessing`'s forkserver, which has imported all that is heavy. What a worker does it writes into a ledger
beside the study: `telling` before a result is handed to the storage, `told` once the storage has acknowledged it.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage

from foretell_adapters.optuna import ForetellSampler, WholeJournalBackend

if TYPE_CHECKING:
    from collections.abc import Callable

STUDY = "faults"
PATIENCE = 40.0  # seconds for which a storage that fails is asked again
POINTS = (
    "before the suggestion", "before the proposal", "after the proposal", "before a parameter", "after a parameter",
    "in the objective", "before the result", "in the middle of the result", "after the result",
)  # fmt: skip
"""Where a worker may kill itself."""


@dataclass(frozen=True)
class Place:
    """A storage: its kind, and its URL, file or port."""

    kind: str
    at: str

    def open(self, *, pooled: bool = True) -> BaseStorage:
        """The storage; not pooled, it keeps no connection open between calls."""
        if self.kind == "grpc":
            return optuna.storages.GrpcStorageProxy(host="127.0.0.1", port=int(self.at))
        if self.kind == "journal":
            lock = optuna.storages.journal.JournalFileOpenLock(self.at, grace_period=3)
            return JournalStorage(WholeJournalBackend(self.at, lock_obj=lock))
        if self.kind == "postgres":
            from sqlalchemy.pool import NullPool

            return RDBStorage(self.at, engine_kwargs={"pool_pre_ping": True} if pooled else {"poolclass": NullPool})
        return RDBStorage(self.at, engine_kwargs={"connect_args": {"timeout": 60}})


@dataclass(frozen=True)
class Job:
    """What a worker is to do.

    Args:
        place: Its storage.
        ledger: The folder of ledgers.
        trials: How many trials to finish.
        seed: Of what it draws itself: durations, results' last digits.
        kill_at: One of `POINTS`, where it kills itself; None for nowhere.
        kill_in: In which of its trials, from 0.
        pause: Seconds that an evaluation takes, at most.
        objective: What it evaluates, one of `OBJECTIVES`.
        clock: Hours by which its clock goes back with every look at it.
    """

    place: Place
    ledger: Path
    trials: int
    seed: int
    kill_at: str | None = None
    kill_in: int = 0
    pause: float = 0.0
    objective: str = "bowl"
    clock: float = 0.0


def bowl(trial: optuna.Trial) -> float:
    x, k = trial.suggest_float("x", -1, 1), trial.suggest_int("k", 1, 8)
    return (x - 0.3) ** 2 + (k - 3) ** 2 / 10 + (trial.suggest_categorical("c", ["a", "b", "c"]) == "b") / 5


def grid(trial: optuna.Trial) -> float:
    """One of 10,000 points, every result another."""
    return sum((trial.suggest_int(f"n{i}", 0, 9) - best) ** 2 for i, best in enumerate((2, 7, 4, 5))) / 10


OBJECTIVES: dict[str, Callable[[optuna.Trial], float]] = {"bowl": bowl, "grid": grid}


def patiently(call: Callable[[], Any]) -> Any:
    """Call again while the storage fails: a database that restarts is back in seconds."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except Exception as e:
            if time.monotonic() > end:
                raise TimeoutError("the storage did not come back") from e
            time.sleep(0.05)


class Ledger:
    """Appends lines that a SIGKILL leaves whole: each is one system call."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._file = os.open(folder / f"{seed}-{os.getpid()}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, what: str, **more: Any) -> None:
        os.write(self._file, (json.dumps({"what": what, **more}) + "\n").encode())


class Killer:
    """Kills this process at one point of one trial."""

    def __init__(self, job: Job) -> None:
        self._at, self._in = job.kill_at, job.kill_in
        self.trial = 0

    def here(self, point: str) -> None:
        if point == self._at and self.trial >= self._in:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: object, name: str, before: str | None, after: str | None) -> None:
        """Make a method pass two points."""
        method = getattr(owner, name)

        def passing(*args: Any, **kwargs: Any) -> Any:
            if before:
                self.here(before)
            found = method(*args, **kwargs)
            if after:
                self.here(after)
            return found

        setattr(owner, name, passing)


def work(job: Job) -> None:
    """Finish some trials of the study."""
    optuna.logging.set_verbosity(logging.ERROR)
    if job.clock:
        turn_back_the_clock(job.clock)
    rng, ledger, killer = random.Random(job.seed), Ledger(job.ledger, job.seed), Killer(job)
    sampler = ForetellSampler(seed=1, n_startup_trials=4, warn_independent_sampling=False)
    storage = patiently(job.place.open)
    study = patiently(lambda: optuna.load_study(study_name=STUDY, storage=storage, sampler=sampler))
    killer.around(sampler, "infer_relative_search_space", "before the suggestion", None)
    killer.around(study._storage, "set_trial_system_attr", "before the proposal", "after the proposal")
    killer.around(study._storage, "set_trial_param", "before a parameter", "after a parameter")
    killer.around(study._storage, "set_trial_state_values", None, "after the result")
    if job.kill_at == "in the middle of the result":
        killer.around(study._storage, "set_trial_state_values", "before the result", None)
        die_in_the_middle(killer)
    for done in range(job.trials):
        killer.trial = done
        trial, value = patiently(lambda: evaluated(study, job, rng, killer))
        value += rng.random() * 1e-6  # so that every result is another, and is known again
        ledger.write("telling", number=trial.number, value=value, params=trial.params)
        killer.here("before the result")
        patiently(lambda: study.tell(trial, value, skip_if_finished=True))  # noqa: B023 - called at once
        ledger.write("told", number=trial.number, value=value)
    ledger.write("done")


def evaluated(study: optuna.Study, job: Job, rng: random.Random, killer: Killer) -> tuple[optuna.Trial, float]:
    trial = study.ask()
    value = OBJECTIVES[job.objective](trial)
    killer.here("in the objective")
    time.sleep(rng.random() * job.pause)
    return trial, value


def die_in_the_middle(killer: Killer) -> None:
    """Between a transaction's statements and its commit, or between a line of a journal and its way to the disk."""
    import sqlalchemy.orm

    point = "in the middle of the result"
    commit, sync = sqlalchemy.orm.Session.commit, os.fsync
    telling = optuna.Study.tell
    inside: list[bool] = []

    def tell(*args: Any, **kwargs: Any) -> Any:
        inside.append(True)
        try:
            return telling(*args, **kwargs)
        finally:
            inside.pop()

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def passing(*args: Any, **kwargs: Any) -> Any:
            if inside:
                killer.here(point)
            return original(*args, **kwargs)

        return passing

    optuna.Study.tell = tell  # type: ignore[method-assign]
    sqlalchemy.orm.Session.commit = guarded(commit)  # type: ignore[method-assign]
    os.fsync = guarded(sync)


def turn_back_the_clock(hours: float) -> None:
    """Every look at the time of day is earlier than the one before."""
    import datetime as real

    import optuna.storages._rdb.storage as rdb
    import optuna.storages.journal._storage as journal

    looks = [0]

    class Clock(real.datetime):
        @classmethod
        def now(cls, tz: real.tzinfo | None = None) -> real.datetime:
            looks[0] += 1
            return real.datetime.now(tz) - real.timedelta(hours=hours * looks[0])

    for module in (rdb, journal):
        module.datetime = Clock  # type: ignore[attr-defined]


def serve(place: Place, port: int) -> None:
    """A gRPC proxy in front of a storage."""
    optuna.logging.set_verbosity(logging.ERROR)
    optuna.storages.run_grpc_proxy_server(place.open(), host="127.0.0.1", port=port)
