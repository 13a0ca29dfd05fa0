"""What the tuner asked for and what came back, kept in the experiment's checkpoint folder.

NNI's manager hands over earlier trials when an experiment is resumed, but with several trials at once it may pair a
trial with the parameters of its neighbour: the first to ask gets the first parameters. What the dispatcher told the
tuner is right, so the tuner writes it down, a line of JSON an event, and trusts these lines first.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foretell_adapters.nni.parameter_types import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

_logger = logging.getLogger(__name__)
_PATIENCE = 50  # trials asked for later that came back, before a trial that did not is given up
_FILE = "foretell_trials.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a trial achieved.

    Args:
        parameters: As NNI has them.
        value: Its metric, `nan` if it diverged, None if it failed without one.
        job: NNI's name of the trial, None for imported ones.
        partial: Whether it was stopped early, so that the metric is an intermediate one.
    """

    parameters: Any
    value: float | None
    job: str | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Parameters that a trial was given, and the number of the request."""

    number: int
    parameters: Any


class TrialRecords:
    """Everything the tuner knows of trials; each change is appended to the file, once there is one.

    Args:
        seed: The tuner's; a file that is loaded brings its own.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.n_asked = 0
        self.results: list[Result] = []
        self._pending: dict[int, Asked] = {}
        self._last: dict[int, Asked] = {}
        self._failed: dict[int, Result] = {}
        self._file: Path | None = None

    @property
    def pending(self) -> list[Any]:
        """Parameters of trials that have not come back, except those given up."""
        return [a.parameters for a in self._pending.values()]

    def keep_in(self, folder: str | None) -> None:
        """Write to that folder from now on, continuing what is there; None keeps nothing."""
        if folder is None or self._file is not None:
            return
        path = Path(folder) / _FILE
        events = _read(path)
        for event in events:
            try:
                self._replay(event)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                _logger.warning("A line of %s is no event and is left out (%r): %.80s", path, error, event)
        self._file = path
        if not events:
            self._write({"event": "start", "seed": self.seed})

    def ask(self, parameter_id: int, parameters: Any) -> None:
        """A trial was given parameters."""
        asked = Asked(self.n_asked, parameters)
        self._pending[parameter_id] = self._last[parameter_id] = asked
        self._failed.pop(parameter_id, None)  # ids begin anew in a resumed experiment
        self.n_asked += 1
        self._write({"event": "asked", "id": parameter_id, "parameters": parameters})

    def learn(self, parameter_id: int | None, result: Result) -> None:
        """A trial's metric came; a final one replaces what was known of that trial before."""
        if result.job is not None:
            if result.partial and any(r.job == result.job for r in self.results):
                return  # it ended while it was being stopped
            self.results = [r for r in self.results if r.job != result.job]
        if parameter_id is not None:
            self._come_back(parameter_id)
            failed = self._failed.pop(parameter_id, None)
            self.results = [r for r in self.results if r is not failed]
        else:
            key = canonical(result.parameters)
            for waiting in [i for i, a in self._pending.items() if canonical(a.parameters) == key][:1]:
                self._come_back(waiting)
        self.results.append(result)
        self._write({"event": "result", "id": parameter_id, "parameters": result.parameters, "value": result.value,
                     "job": result.job, "partial": result.partial})  # fmt: skip

    def fail(self, parameter_id: int) -> None:
        """A trial ended without a metric."""
        asked = self._pending.get(parameter_id)
        if asked is None:  # its metric came before: with several at once NNI may name another that ended
            return
        self._come_back(parameter_id)
        self._failed[parameter_id] = failed = Result(asked.parameters, None)
        self.results.append(failed)
        self._write({"event": "failed", "id": parameter_id})

    def missing_from(self, data: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Records of NNI's manager that are not here yet, with the parameters that their trial really had."""
        jobs = {r.job for r in self.results if r.job is not None}
        nameless = Counter(_key(r.parameters, r.value) for r in self.results if r.job is None and r.value is not None)
        ids = _parameter_ids(self._file)
        found: list[dict[str, Any]] = []
        for record in data:
            job = record.get("trialJobId")
            if job in jobs:
                continue
            asked = self._last.get(ids.get(job, -1)) if job is not None else None
            whole = {**record, "parameter": asked.parameters} if asked is not None else dict(record)
            key = _key(whole.get("parameter"), whole.get("value"))
            if nameless[key] > 0:  # imported before, or run again after an earlier stop
                nameless[key] -= 1
            else:
                found.append(whole)
        return found

    def _come_back(self, parameter_id: int) -> None:
        asked = self._pending.pop(parameter_id, None)
        limit = (asked.number if asked is not None else 0) - _PATIENCE
        self._pending = {i: a for i, a in self._pending.items() if a.number >= limit}

    def _replay(self, event: Mapping[str, Any]) -> None:
        kind = event.get("event")
        if kind == "start":
            self.seed = int(event["seed"])
        elif kind == "asked":
            self.ask(_id(event), event["parameters"])
        elif kind == "result":
            value, job = event["value"], event["job"]
            if isinstance(value, bool) or not isinstance(value, int | float | None) or not isinstance(job, str | None):
                raise TypeError("no metric of a trial")
            result = Result(event["parameters"], value, job, bool(event["partial"]))
            self.learn(None if event["id"] is None else _id(event), result)
        elif kind == "failed":
            self.fail(_id(event))

    def _write(self, event: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")


def _read(path: Path) -> list[dict[str, Any]]:
    """All events of a file; a line torn by a killed process is left out."""
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
            if not isinstance(event, dict):
                raise TypeError("no event")
            events.append(event)
        except (ValueError, TypeError, RecursionError):
            _logger.warning("A line of %s is no JSON and is left out: %.80s", path, line)
    return events


def _id(event: Mapping[str, Any]) -> int:
    if type(event["id"]) is not int:
        raise TypeError("a trial's id is a whole number")
    return int(event["id"])


def _parameter_ids(records: Path | None) -> dict[str, int]:
    """Which parameters each trial reported its final metric for, as the manager's database of metrics has it."""
    database = records.parents[1] / "db" / "nni.sqlite" if records is not None else None
    if database is None or not database.is_file():
        return {}
    try:
        connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            rows = connection.execute("select trialJobId, parameterId from MetricData where type = 'FINAL'").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        _logger.warning("The manager's database cannot be read (%s): its pairs of trials are believed", error)
        return {}
    return {str(job): int(float(i)) for job, i in rows if i not in (None, "", "null")}


def _key(parameters: Any, value: Any) -> str:
    number = value.get("default") if isinstance(value, dict) else value
    return canonical([parameters, None if isinstance(number, float) and math.isnan(number) else number])
