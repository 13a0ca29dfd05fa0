"""What a study's finished trials say, worked out once a trial; forgetting it changes no suggestion."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from foretell.conditions import infer_conditions
from foretell.search_memory import SearchMemory
from foretell_adapters.optuna import space as spaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from foretell import Observation, SearchSpace
    from foretell.distributions import Value

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class _Said:
    """What one trial says.

    Args:
        config: Its parameters, plain.
        observation: With its values; None if it has none to tell.
    """

    config: dict[str, Value]
    observation: Observation | None


class TrialMemory:
    """One study at a time; safe for threads, and empty again after pickling."""

    def __init__(self) -> None:
        self.search = SearchMemory()
        self._lock = threading.Lock()
        self._study: tuple[object, int] | None = None
        self._said: dict[int, _Said] = {}
        self._space: SearchSpace | None = None

    def _of(self, study: Study, trials: Sequence[FrozenTrial]) -> list[_Said]:
        with self._lock:
            if self._study is None or self._study[0] is not study._storage or self._study[1] != study._study_id:
                self._study, self._said = (study._storage, study._study_id), {}
            said = self._said
            for trial in trials:
                if trial._trial_id not in said:
                    config = spaces.to_config(trial.params)
                    said[trial._trial_id] = _Said(config, spaces.to_observation(trial, study.directions, config))
            return [said[trial._trial_id] for trial in trials]

    def observations(self, study: Study, trials: Sequence[FrozenTrial]) -> list[Observation]:
        """What finished trials made known, in the order in which they finished."""
        return [s.observation for s in self._of(study, in_order(trials)) if s.observation is not None]

    def failures(self, study: Study, trials: Sequence[FrozenTrial]) -> list[dict[str, Value]]:
        """Configurations of trials that came to nothing."""
        return [s.config for s in self._of(study, trials) if s.config]

    def space(
        self, study: Study, distributions: Mapping[str, BaseDistribution], finished: Sequence[FrozenTrial]
    ) -> SearchSpace:
        """The search space with the conditions that show in finished trials."""
        configs = [s.config for s in self._of(study, finished)]
        ours = {name: spaces.to_distribution(d) for name, d in distributions.items()}
        found, last = infer_conditions(ours, configs), self._space
        if last is not None and last.names == found.names and last == found:
            return last  # the same object, so that all that was worked out for it is found again
        self._space = found
        return found

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        del state
        TrialMemory.__init__(self)


def in_order(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """As they finished, so that what came before stays as it was when others that still run finish later."""
    return sorted(trials, key=lambda t: (t.datetime_complete or datetime.min, t.number))
