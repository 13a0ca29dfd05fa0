"""The assessor: stops trials that their learning curves show to be hopeless, with any tuner."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nni.assessor import Assessor, AssessResult
from nni.utils import extract_scalar_reward

from foretell.curve_rule import CurveRule
from foretell.errors import InvalidDataError
from foretell.learning_curve import FinishedRun
from foretell_adapters.nni import early_stops
from foretell_adapters.nni.class_args import AssessorArgs

if TYPE_CHECKING:
    from collections.abc import Sequence

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())
_FILE = "foretell_curves.jsonl"


class ForetellAssessor(Assessor):  # type: ignore[misc]
    """Stops a trial that, by its curve and those of the trials before, will not be the best: see `CurveRule`.

    Name it in an experiment as `assessor: {className: foretell_adapters.nni.ForetellAssessor, codeDirectory: .}`,
    or, once `foretell nni register` has run, as `assessor: {name: Foretell}`. Together with our tuner, the last metric
    of a stopped trial is learnt as one of a trial that did not end. A trial's last intermediate metric is taken for
    its final one.

    Args:
        optimize_mode: Whether a larger metric is better (`maximize`) or a smaller one (`minimize`).
        threshold: A trial is stopped when its probability of beating the best falls below this.
        n_startup_trials: Trials that must have ended before any is stopped, 1 at least.
        patience: Share of a whole trial that is always seen.
        **unknown: Refused with the names that are known.

    Raises:
        InvalidDataError: If a setting is unknown or impossible.

    >>> assessor = ForetellAssessor(n_startup_trials=2)
    >>> assessor.assess_trial("first", [0.1]).name
    'Good'
    """

    def __init__(
        self,
        optimize_mode: str = "maximize",
        threshold: float = CurveRule.threshold,
        n_startup_trials: int = CurveRule.n_finished,
        patience: float = CurveRule.patience,
        **unknown: Any,
    ) -> None:
        super().__init__()
        given = {
            "optimize_mode": optimize_mode,
            "threshold": threshold,
            "n_startup_trials": n_startup_trials,
            "patience": patience,
        }
        args = AssessorArgs.parse(given | unknown)
        self._sign = 1.0 if args.optimize_mode == "maximize" else -1.0
        self._rule = CurveRule(args.threshold, args.n_startup_trials, args.patience)
        self._lock = threading.Lock()
        self._running: dict[str, list[float]] = {}
        self._stopped: set[str] = set()
        self._ended: list[FinishedRun] = []
        self._unfinished: list[tuple[tuple[float, float], ...]] = []

    def assess_trial(self, trial_job_id: str, trial_history: Sequence[Any]) -> AssessResult:
        """Judge a trial by its intermediate metrics so far; `nan` counts as the worst.

        Raises:
            InvalidDataError: If a metric is neither a number nor a dict with a number as `default`.
        """
        curve = [self._sign * _metric(m) for m in trial_history]
        with self._lock:
            n_seen = len(self._running.get(trial_job_id, ()))
            self._running[trial_job_id] = curve
            if trial_job_id in self._stopped:  # it is being killed, and to say so again would report it again
                return AssessResult.Good
            others = [_steps(c) for trial, c in self._running.items() if trial != trial_job_id]
            if not self._rule.hopeless(self._ended, _steps(curve), others=[*self._unfinished, *others]):
                return AssessResult.Good
            self._stopped.add(trial_job_id)
        _logger.info("Trial %s is stopped after %d intermediate metrics", trial_job_id, len(curve))
        # NNI reports the metric that came just now: not the last, where a later one came first
        early_stops.tell(trial_job_id, trial_history[min(n_seen, len(curve) - 1)])
        return AssessResult.Bad

    def trial_end(self, trial_job_id: str, success: bool) -> None:
        """Keep the curve of a trial that ran to its end."""
        with self._lock:
            curve = self._running.pop(trial_job_id, None)
            self._stopped.discard(trial_job_id)
            if curve is None:
                return
            if not success:
                self._unfinished.append(_steps(curve))
                return
            self._ended.append(_finished(curve))
        path = self._file
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(curve) + "\n")

    def load_checkpoint(self) -> None:
        """Take up the curves of an experiment that is resumed."""
        path = self._file
        if path is None or not path.exists():
            return
        with self._lock:
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    self._ended.append(_finished([float(v) for v in json.loads(line)]))
                except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
                    _logger.warning("A line of %s is no curve and is left out: %.80s", path, line)

    def save_checkpoint(self) -> None:
        """Nothing to do: every curve is written when its trial ends."""

    @property
    def _file(self) -> Path | None:
        folder = self.get_checkpoint_path()
        return Path(folder) / _FILE if folder is not None else None

    def __repr__(self) -> str:
        return f"ForetellAssessor({self._rule}, {len(self._ended)} whole curves)"


def _steps(values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    return tuple((float(step), value) for step, value in enumerate(values, start=1))


def _finished(values: Sequence[float]) -> FinishedRun:
    return FinishedRun(_steps(values), values[-1])


def _metric(value: Any) -> float:
    try:
        number = float(extract_scalar_reward(value))
    except (RuntimeError, TypeError, ValueError) as error:
        msg = (
            f"an intermediate metric must be a number, or a dict with a number as `default`, but got {value!r}: "
            "write e.g. nni.report_intermediate_result({'default': accuracy, 'loss': loss})"
        )
        raise InvalidDataError(msg) from error
    return number
