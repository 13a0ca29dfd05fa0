"""`StopWhenDone`: a callback that stops a study of which not much more is to be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.logging import get_logger
from optuna.trial import TrialState

from foretell.errors import InvalidDataError
from foretell.outlook import outlook
from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.trial_memory import TrialMemory

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_logger = get_logger(__name__)


class StopWhenDone:
    """Stops when the expected gain of the next trials is small, several checks in a row; works with any sampler.

    The gain is that of `foretell.outlook`, from a surrogate of the finished trials. It says what a good sampler may
    still find; random search finds less.

    Args:
        trials: How many more trials are thought of.
        share: The gain is small below this share of the way from the median to the best value so far.
        gain: The gain is small below this too, in the unit of the objective; None for no such bound.
        min_trials: Finished trials before the study is judged.
        every: Finished trials between two checks.
        checks: How many checks in a row must find it small.

    Raises:
        InvalidDataError: If an argument is out of range, or the study has several objectives.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    >>> study.optimize(lambda trial: trial.suggest_int("x", -4, 4) ** 2, n_trials=100, callbacks=[StopWhenDone()])
    >>> len(study.trials) < 50, study.best_value
    (True, 0.0)
    """

    def __init__(
        self,
        *,
        trials: int = 20,
        share: float = 0.01,
        gain: float | None = None,
        min_trials: int = 20,
        every: int = 5,
        checks: int = 2,
    ) -> None:
        least = {"trials": trials, "min_trials": min_trials - 3, "every": every, "checks": checks}
        if min(least.values()) < 1 or share < 0 or (gain is not None and gain < 0):
            msg = (
                "`trials`, `every` and `checks` must be at least 1, `min_trials` at least 4, `share` and `gain` at "
                f"least 0, but got ({trials=}, {every=}, {checks=}, {min_trials=}, {share=}, {gain=}): raise them"
            )
            raise InvalidDataError(msg)
        self._trials, self._share, self._gain = trials, share, gain
        self._min_trials, self._every, self._checks = min_trials, every, checks
        self._small = 0

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Judge the study after a trial; Optuna calls this."""
        if len(study.directions) > 1:
            msg = f"a study is judged by one objective, but got {len(study.directions)}: leave StopWhenDone out"
            raise InvalidDataError(msg)
        if trial.state != TrialState.COMPLETE:
            return
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        memory = TrialMemory()
        observations = memory.observations(study, done)
        if len(observations) < self._min_trials or len(observations) % self._every:
            return
        distributions = spaces.joint_distributions(done)
        if not distributions:
            return
        space = memory.space(study, distributions, done)
        values = [o.values[0] for o in observations]
        seen = outlook(space, [o.config for o in observations], values, self._trials, seed=trial.number)
        bound = max(self._share * seen.progress, self._gain or 0.0)
        self._small = self._small + 1 if seen.gain <= bound else 0
        if self._small >= self._checks:
            _logger.info(
                f"After {len(observations)} trials, the next {self._trials} are expected to gain {seen.gain:.3g}, "
                f"which is not more than {bound:.3g}: the study is stopped."
            )
            study.stop()
