"""A study that several workers share, and the reckoning afterwards."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import optuna
from fault_worker import STUDY, Job, Place, work

from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.trial_memory import FINISHED, TrialMemory

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from fault_table import FaultTable

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["fault_preload"])


@dataclass
class FaultyStudy:
    """Workers on one storage.

    Args:
        place: The storage.
        folder: For ledgers.
        table: Where faults are counted.
    """

    place: Place
    folder: Path
    table: FaultTable
    workers: list[BaseProcess] = field(default_factory=list)
    _started: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        optuna.create_study(storage=self.place.open(pooled=False), study_name=STUDY)

    def job(self, trials: int, **settings: Any) -> Job:
        self._started += 1
        return Job(self.place, self.folder, trials, self._started, **settings)

    def start(self, trials: int, **settings: Any) -> BaseProcess:
        worker = CONTEXT.Process(target=work, args=(self.job(trials, **settings),), daemon=True)
        worker.start()
        self.workers.append(worker)
        return worker

    def wait(self, seconds: float = 60.0) -> int:
        """Until all workers have ended; how many had to be stopped because they did not."""
        end = time.monotonic() + seconds
        stuck = 0
        for worker in self.workers:
            worker.join(max(end - time.monotonic(), 0.01))
            if worker.is_alive():
                stuck += 1
                worker.kill()
                worker.join()
        self.workers.clear()
        return stuck

    def entries(self) -> list[dict[str, Any]]:
        lines = [line for path in sorted(self.folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    def reckon(self, fault: str, injected: int, stuck: int = 0) -> optuna.Study | None:
        """Compare what was acknowledged with what is there, and that a worker can go on; into the table."""
        told = {e["number"]: e["value"] for e in self.entries() if e["what"] == "told"}
        telling = Counter((e["number"], e["value"]) for e in self.entries() if e["what"] == "telling")
        counts = {"injected": injected, "results": len(told), "stuck": stuck}
        try:
            study = optuna.load_study(
                study_name=STUDY,
                storage=self.place.open(pooled=False),
                sampler=ForetellSampler(seed=1, n_startup_trials=4),
            )
            trials = study.get_trials()
            observations = TrialMemory().observations(study, [t for t in trials if t.state in FINISHED])
            heard = sum(not o.partial for o in observations)
            study.ask().suggest_float("x", -1, 1)
        except Exception as e:  # noqa: BLE001 - whatever it is, nobody can read the study
            print(f"{fault} on {self.place.kind}: the study cannot be read: {e!r}")  # noqa: T201
            self.table.count(fault, self.place.kind, unreadable=1, lost=len(told), **counts)
            return None
        there = {t.number: t for t in trials if t.state == optuna.trial.TrialState.COMPLETE}
        lost = sum(n not in there or there[n].values != [v] for n, v in told.items())
        values = Counter(t.values[0] for t in there.values())
        foreign = sum((n, t.values[0]) not in telling for n, t in there.items())
        numbers = [t.number for t in trials]
        duplicated = sum(n - 1 for n in values.values()) + foreign + (len(numbers) - len(set(numbers)))
        duplicated += abs(heard - len(there))  # what the sampler hears is what is there
        self.table.count(fault, self.place.kind, lost=lost, duplicated=duplicated, **counts)
        return study
