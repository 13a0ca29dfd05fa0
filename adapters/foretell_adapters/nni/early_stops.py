"""What the assessor tells the tuner: which trials it stopped, whose last metric then counts as an early one.

NNI's dispatcher holds both in one process and hands nothing from one to the other, so the tuner would forget a stopped
trial and try its like again. NNI can report the last intermediate metric of a stopped trial as its final one
(`includeIntermediateResults`), but the experiments of NNI 3 cannot ask for it any more; we ask where tuner and assessor
are both ours.
"""

from __future__ import annotations

import threading
from typing import Any

_lock = threading.Lock()
_stopped_at: dict[str, Any] = {}
_listening = False


def listen() -> None:
    """Say that a tuner wants to know."""
    global _listening
    with _lock:
        _listening = True


def tell(trial_job_id: str, metric: Any) -> None:
    """Say that a trial is being stopped at an intermediate metric, which will then reach the tuner."""
    with _lock:
        _stopped_at[trial_job_id] = metric
        heard = _listening
    if heard:
        from nni.runtime import msg_dispatcher

        told = msg_dispatcher.dispatcher_env_vars._replace(NNI_INCLUDE_INTERMEDIATE_RESULTS="true")
        msg_dispatcher.dispatcher_env_vars = told


def is_early(trial_job_id: str | None, metric: Any) -> bool:
    """Whether this is the metric at which the trial was stopped, and not a final one that came nevertheless.

    True once a trial: where a final metric equals it, as after the last epoch, both come, and the second is final.
    """
    with _lock:
        early = trial_job_id in _stopped_at and _stopped_at[trial_job_id] == metric
        if early:
            del _stopped_at[str(trial_job_id)]
        return early
