"""`ForetellPruner`: stops trials whose learning curve says that they will not be the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell.curve_rule import CurveRule
from foretell.learning_curve import Curve, FinishedRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.study import Study
    from optuna.trial import FrozenTrial


class ForetellPruner(BasePruner):
    """Prunes a trial when its final value is unlikely to beat the best one: a fresh trial would be time better spent.

    The probability comes from how far the trial is behind the best one at the same step, how both still gain, and how
    many are ahead; how much that says was learnt beforehand, from other tasks (`foretell.overtaking`). What counts as
    final is what the objective returns, be it the last reported value, the best or a test score in the same unit. Works
    with any sampler, any direction, and any number of workers: it keeps nothing between calls. A trial whose last
    report is not a finite number is pruned.

    Args:
        threshold: The probability below which a trial is pruned, in [0, 1); larger prunes more.
        n_startup_trials: Finished trials before any is pruned.
        patience: Share of a whole trial's steps that is always run, in [0, 1).
        pace: A trial is pruned as well when that probability, by what is left of the trial, is less than so many times
            what a fresh one offers, which is the best of n with probability 1 / n; 0 prunes none for that.

    Raises:
        InvalidDataError: If an argument is out of its range.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> def objective(trial):
    ...     rate = trial.suggest_float("rate", 0, 1)
    ...     for step in range(20):
    ...         trial.report(rate * (1 - 0.8**step), step)
    ...         if trial.should_prune():
    ...             raise optuna.TrialPruned
    ...     return rate * (1 - 0.8**20)
    >>> sampler = optuna.samplers.RandomSampler(seed=1)
    >>> study = optuna.create_study(direction="maximize", sampler=sampler, pruner=ForetellPruner())
    >>> study.optimize(objective, n_trials=30)
    >>> sum(len(trial.intermediate_values) for trial in study.trials) < 30 * 20 / 2
    True
    """

    def __init__(
        self, *, threshold: float = 0.005, n_startup_trials: int = 1, patience: float = 0.03, pace: float = 0.75
    ) -> None:
        self._rule = CurveRule(threshold, n_startup_trials, patience, pace)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Judge a trial by its reports so far; see the base class."""
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        now = trial.last_step
        if now is None:
            return False
        finished: list[FinishedRun] = []
        others: list[Curve] = []
        for t in study.get_trials(deepcopy=False):
            if t.number == trial.number or not t.intermediate_values:
                continue
            if t.state == TrialState.COMPLETE and t.values:
                finished.append(FinishedRun(_curve(t.intermediate_values, sign), sign * t.values[0]))
            elif now in t.intermediate_values:  # all that is asked of others is their value at this step
                others.append(((float(now), sign * t.intermediate_values[now]),))
            elif max(t.intermediate_values) > now:
                others.append(_curve(t.intermediate_values, sign))
        return self._rule.hopeless(finished, _curve(trial.intermediate_values, sign), trial.number + 1, others)

    def __repr__(self) -> str:
        rule = self._rule
        return (
            f"ForetellPruner(threshold={rule.threshold}, n_startup_trials={rule.n_finished}, "
            f"patience={rule.patience}, pace={rule.pace})"
        )


def _curve(reports: Mapping[int, float], sign: float) -> tuple[tuple[float, float], ...]:
    return tuple((float(step), sign * value) for step, value in sorted(reports.items()))
