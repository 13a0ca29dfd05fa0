"""What finished trials say: worked out once, and the same as if it were worked out anew."""

from __future__ import annotations

import itertools

import numpy as np
import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from foretell_adapters.optuna.space import joint_distributions
from foretell_adapters.optuna.trial_memory import TrialMemory

NUMBERS = itertools.count()
ASKED: dict[str, list[BaseDistribution]] = {
    "a": [IntDistribution(0, 3), IntDistribution(0, 5), IntDistribution(2, 2)],
    "b": [CategoricalDistribution(("x", "y"))],
    "c": [IntDistribution(0, 3)],
}


def trial_with(distributions: dict[str, BaseDistribution]) -> optuna.trial.FrozenTrial:
    params = {
        name: d.choices[0] if isinstance(d, CategoricalDistribution) else d.low  # type: ignore[attr-defined]
        for name, d in distributions.items()
    }
    trial = optuna.trial.create_trial(params=params, distributions=distributions, value=0.0)
    trial.number = trial._trial_id = next(NUMBERS)
    return trial


asked = st.fixed_dictionaries({}, optional={name: st.sampled_from(several) for name, several in ASKED.items()})


@given(st.lists(asked, max_size=8), st.integers(0, 2**16))
@settings(deadline=None, max_examples=60)
def test_the_joint_space_is_that_of_all_trials_in_whatever_order_they_finish(
    distributions: list[dict[str, BaseDistribution]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    trials = [trial_with(d) for d in distributions]
    memory, seen = TrialMemory(), set[int]()
    for i in rng.permutation(len(trials)).tolist():
        seen.add(i)
        if rng.random() < 0.7:  # several may finish between two looks
            finished = [trials[k] for k in sorted(seen)]
            found = memory.joint(finished)
            assert found == joint_distributions(finished)
            assert list(found) == list(joint_distributions(finished))
            assert memory.joint(finished) is found
