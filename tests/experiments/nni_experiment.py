"""Runs an NNI experiment from its YAML in a process of its own and prints what its trials did, as JSON.

A process of its own, since NNI fixes its home directory on import; the manager is stopped in any case.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nni.experiment import Experiment, ExperimentConfig, launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SECONDS_TO_START = 40
_SECONDS_TO_END = 100


def free_port() -> int:
    """A port that nobody listens on, though another process may take it before we do."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def started(file: Path, home: Path) -> Experiment:
    """An experiment whose manager answers; NNI itself gives up after four seconds, too early when busy."""
    launcher._check_rest_server = partial(launcher._check_rest_server, retry=_SECONDS_TO_START)
    for attempt in range(3):
        config = ExperimentConfig.load(file)
        config.experiment_working_directory = str(home / "experiments")
        experiment = Experiment(config)
        try:
            experiment.start(free_port())
        except Exception:
            experiment.stop()
            if attempt == 2:
                raise
        else:
            return experiment
    raise AssertionError


def wait(experiment: Experiment, enough: Callable[[Sequence[Any]], bool] = lambda jobs: False) -> str:
    """The experiment's status once it has ended, or its trials are enough, or time is over."""
    end = time.monotonic() + _SECONDS_TO_END
    status = experiment.get_status()
    while status not in {"DONE", "ERROR", "STOPPED"} and time.monotonic() < end:
        if enough(experiment.list_trial_jobs()):
            break
        time.sleep(0.3)
        status = experiment.get_status()
    return str(status)


def _in_the_middle(ended: int, jobs: Sequence[Any]) -> bool:
    """Whether so many trials have ended, and another runs."""
    return sum(j.status in {"SUCCEEDED", "FAILED"} for j in jobs) >= ended and any(j.status == "RUNNING" for j in jobs)


def outcome(file: Path, home: Path, stop_after: int) -> dict[str, Any]:
    """Status of the experiment, the tuner's log, and status, parameters and metric of the trials.

    The manager is stopped once `stop_after` trials have ended, while others run, and the experiment then resumed.
    """
    experiment = started(file, home)
    try:
        if stop_after:
            wait(experiment, partial(_in_the_middle, stop_after))
            before = [j.status for j in experiment.list_trial_jobs()]
            experiment.stop()
            experiment = resumed(experiment.id, file, home)
        else:
            before = []
        status = wait(experiment)
        trials = [
            {
                "job": job.trialJobId,
                "status": job.status,
                "parameters": job.hyperParameters[0].parameters if job.hyperParameters else None,
                "metric": job.finalMetricData[0].data if job.finalMetricData else None,
            }
            for job in experiment.list_trial_jobs()
        ]
        folder = home / "experiments" / experiment.id
        log = folder / "log" / "dispatcher.log"
        return {
            "status": status,
            "trials": trials,
            "before": before,
            "folder": str(folder),
            "log": log.read_text() if log.exists() else "",
        }
    finally:
        experiment.stop()


def resumed(experiment_id: str, file: Path, home: Path) -> Experiment:
    """The stopped experiment, running again under another port."""
    for attempt in range(3):
        config = ExperimentConfig.load(file)
        config.experiment_working_directory = str(home / "experiments")
        experiment = Experiment(config, id=experiment_id)
        try:
            experiment.resume(free_port(), wait_completion=False)
        except Exception:
            experiment.stop()
            if attempt == 2:
                raise
        else:
            return experiment
    raise AssertionError


if __name__ == "__main__":
    result = outcome(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    Path(sys.argv[2], "outcome.json").write_text(json.dumps(result))
