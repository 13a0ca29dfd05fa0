"""What a study's finished trials say, worked out once a trial; forgetting it changes no suggestion."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from optuna.trial import TrialState

from foretell.conditions import counted_conditions
from foretell.presence_counts import PresenceCounts
from foretell.search_memory import SearchMemory
from foretell_adapters.optuna import space as spaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from foretell import Observation, SearchSpace
    from foretell.distributions import Distribution, Value

_Distributions: TypeAlias = "dict[str, BaseDistribution]"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class _Said:
    """What one trial says.

    Args:
        config: Its parameters, plain.
        observation: With its values; None if it has none to tell.
        when: Its place among the others, see `in_order`.
    """

    config: dict[str, Value]
    observation: Observation | None
    when: tuple[datetime, int]


_WHEN = attrgetter("when")


class TrialMemory:
    """One study at a time; safe for threads, and empty again after pickling.

    Args:
        cost: What a finished trial cost, None where that is unknown.
    """

    def __init__(self, cost: Callable[[FrozenTrial], float | None] | None = None) -> None:
        self._cost = cost
        self.search = SearchMemory()
        self._lock = threading.Lock()
        self._study: tuple[object, int] | None = None
        self._said: dict[int, _Said] = {}
        self._space: tuple[Mapping[str, BaseDistribution], SearchSpace] | None = None
        self._ours: tuple[Mapping[str, BaseDistribution], dict[str, Distribution]] | None = None
        self._whole: set[int] = set()  # trials that have all parameters of that space
        self._counts: tuple[set[int], PresenceCounts] | None = None  # trials that were counted
        self._evidence = b""  # on which that space rests
        # trials that were seen, the last number among them, all they were asked for, and what of it can vary
        self._joint: tuple[set[int], int, _Distributions, _Distributions] = (set(), -1, {}, {})

    def _of(self, study: Study, trials: Sequence[FrozenTrial]) -> list[_Said]:
        with self._lock:
            if self._study is None or self._study[0] is not study._storage or self._study[1] != study._study_id:
                self._study, self._said, self._whole = (study._storage, study._study_id), {}, set()
                self._counts = None
            said = self._said
            for trial in trials:
                if trial._trial_id not in said:
                    config = spaces.to_config(trial.params)
                    seen = spaces.to_observation(trial, study.directions, config)
                    if self._cost is not None and seen is not None:
                        seen = replace(seen, cost=self._cost(trial))
                    said[trial._trial_id] = _Said(config, seen, _when(trial))
            return [said[trial._trial_id] for trial in trials]

    def observations(self, study: Study, trials: Sequence[FrozenTrial]) -> list[Observation]:
        """What finished trials made known, in the order in which they finished."""
        said = sorted(self._of(study, trials), key=_WHEN)
        return [s.observation for s in said if s.observation is not None]

    def failures(self, study: Study, trials: Sequence[FrozenTrial]) -> list[dict[str, Value]]:
        """Configurations of trials that came to nothing."""
        return [s.config for s in self._of(study, trials) if s.config]

    def space(
        self, study: Study, distributions: Mapping[str, BaseDistribution], finished: Sequence[FrozenTrial]
    ) -> SearchSpace:
        """The search space with the conditions that show in finished trials."""
        said = self._of(study, finished)
        with self._lock:
            last, whole = self._space, self._whole
            same = last is not None and (last[0] is distributions or last[0] == distributions)
            if last is not None and same and not last[1].conditions:
                new = [(t._trial_id, s.config) for t, s in zip(finished, said, strict=True) if t._trial_id not in whole]
                if all(config.keys() == distributions.keys() for _, config in new):
                    whole.update(number for number, _ in new)
                    return last[1]
            if self._ours is None or not (self._ours[0] is distributions or self._ours[0] == distributions):
                self._ours = distributions, {name: spaces.to_distribution(d) for name, d in distributions.items()}
                self._counts = None
            counts = self._counted(self._ours[1], {t._trial_id: s for t, s in zip(finished, said, strict=True)})
            evidence = counts.evidence
            if last is not None and same and evidence == self._evidence:
                return last[1]  # the same object, so that all that was worked out for it is found again
            found, self._evidence = counted_conditions(self._ours[1], counts), evidence
            if last is not None and same and last[1].names == found.names and last[1] == found:
                return last[1]
            self._space, self._whole = (distributions, found), set()
            return found

    def _counted(self, distributions: Mapping[str, Distribution], said: Mapping[int, _Said]) -> PresenceCounts:
        """What was seen together in finished trials; only new ones are counted."""
        known, counts = self._counts or (set[int](), PresenceCounts(distributions))
        if not known <= said.keys():
            known, counts = set(), PresenceCounts(distributions)
        if not known:
            self._evidence = b""  # values are numbered as they come
        for number in said.keys() - known if known else said:
            counts.add(said[number].config)
        self._counts = set(said), counts
        return counts

    def joint(self, finished: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
        """Every parameter that any trial had, with the distribution of the latest; see `joint_distributions`."""
        known, latest, found, joint = self._joint
        new = [t for t in finished if t._trial_id not in known]
        if len(known) + len(new) != len(finished) or any(t.number < latest for t in new):
            known, latest, found, new = set(), -1, {}, list(finished)
        if not new:
            return joint
        updated = dict(found)
        changed = False
        for t in new:
            for name, distribution in t.distributions.items():
                if updated.get(name) != distribution:
                    updated[name], changed = distribution, True
        if changed:
            found, joint = updated, {name: d for name, d in updated.items() if not d.single()}
        self._joint = (known | {t._trial_id for t in new}, new[-1].number, found, joint)
        return joint

    def __getstate__(self) -> dict[str, object]:
        return {"cost": self._cost}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TrialMemory.__init__(self, state["cost"])


def in_order(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """As they finished, so that what came before stays as it was when others that still run finish later."""
    return sorted(trials, key=_when)


def _when(trial: FrozenTrial) -> tuple[datetime, int]:
    # zones set aside: trials that were added may have one, and then times cannot be compared
    return (trial.datetime_complete or datetime.min).replace(tzinfo=None), trial.number
