"""Counts of what was seen together are the same however they came, and tell of conditions what all of it tells."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.conditions import counted_conditions, infer_conditions
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.presence_counts import PresenceCounts
from foretell.search_space import Condition, SearchSpace

SPACE = SearchSpace(
    {
        "op": CategoricalDistribution(("conv", "pool", None)),
        "lr": FloatDistribution(0.0, 1.0),
        "kernel": IntDistribution(1, 7),
        "wide": IntDistribution(1, 500),
    },
    {"kernel": (Condition("op", frozenset({"conv"})),)},
)


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_counts_are_sums_over_configurations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    configs = [SPACE.sample(rng) for _ in range(30)]
    counts = PresenceCounts(SPACE.distributions)
    for config in configs:
        counts.add({**config, "unknown": 3})
    assert counts.present.tolist() == [sum(name in c for c in configs) for name in SPACE.names]
    with_it, without = counts.values("op", "kernel")
    assert with_it == {c["op"] for c in configs if "kernel" in c}
    assert without == {c["op"] for c in configs if "kernel" not in c}


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_one_at_a_time_tells_what_all_at_once_do_and_equal_evidence_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, told = PresenceCounts(SPACE.distributions), dict[bytes, SearchSpace]()
    configs = []
    for _ in range(40):
        configs.append(SPACE.sample(rng))
        counts.add(configs[-1])
        found = counted_conditions(SPACE.distributions, counts)
        assert found == infer_conditions(SPACE.distributions, configs)
        assert told.setdefault(counts.evidence, found) == found
    assert len(told) < len(configs)


def test_many_values_of_many_parameters_find_room() -> None:
    names = [f"p{i}" for i in range(5)]
    counts = PresenceCounts({name: IntDistribution(0, 60) for name in names})
    for value in range(61):
        counts.add(dict.fromkeys(names, value) if value % 2 else {"p0": value})
    assert counts.decides[0].tolist() == [False, True, True, True, True]
    assert counts.values("p0", "p3") == (set(range(1, 61, 2)), set(range(0, 61, 2)))
