"""The bench of suggestions: what it times is the study that it describes."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from foretell_adapters.optuna.latency import Latency, suggestion_seconds


class Watching(optuna.samplers.RandomSampler):
    """Remembers the states of all trials at every suggestion."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.seen: list[dict[TrialState, int]] = []

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        states = [t.state for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        self.seen.append({state: states.count(state) for state in set(states)})
        return super().infer_relative_search_space(study, trial)


def test_a_busy_study_has_pruned_and_running_trials_throughout() -> None:
    sampler = Watching()
    busy: dict[str, Any] = {"running": 4, "pruned_every": 3}
    assert len(suggestion_seconds(sampler, 3, 30, 0, **busy)) == 20
    assert sampler.seen[4] == {TrialState.COMPLETE: 20, TrialState.PRUNED: 10, TrialState.RUNNING: 4}
    assert sampler.seen[-1] == {TrialState.COMPLETE: 40, TrialState.PRUNED: 10, TrialState.RUNNING: 4}


def test_cells_pair_every_size_with_a_busy_study() -> None:
    cells = Latency().cells(["foretell", "tpe"], 1, quick=False)
    plain = {(c.method, c.family, c.n) for c in cells if c.family and c.family.endswith("-mixed")}
    busy = {(c.method, c.family, c.n) for c in cells if c.family and c.family.endswith("-mixed-busy")}
    assert {(m, f"{f}-busy", n) for m, f, n in plain} == busy
    assert len(plain) == 2 * 9
