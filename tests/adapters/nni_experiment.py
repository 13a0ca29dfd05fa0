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
from typing import Any

from nni.experiment import Experiment, ExperimentConfig, launcher

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


def outcome(file: Path, home: Path) -> dict[str, Any]:
    """Status of the experiment, the tuner's log, and status, parameters and metric of the trials."""
    experiment = started(file, home)
    try:
        end = time.monotonic() + _SECONDS_TO_END
        status = experiment.get_status()
        while status not in {"DONE", "ERROR", "STOPPED"} and time.monotonic() < end:
            time.sleep(0.3)
            status = experiment.get_status()
        trials = [
            {
                "status": job.status,
                "parameters": job.hyperParameters[0].parameters if job.hyperParameters else None,
                "metric": job.finalMetricData[0].data if job.finalMetricData else None,
            }
            for job in experiment.list_trial_jobs()
        ]
        log = home / "experiments" / experiment.id / "log" / "dispatcher.log"
        return {"status": status, "trials": trials, "log": log.read_text() if log.exists() else ""}
    finally:
        experiment.stop()


if __name__ == "__main__":
    result = outcome(Path(sys.argv[1]), Path(sys.argv[2]))
    Path(sys.argv[2], "outcome.json").write_text(json.dumps(result))
