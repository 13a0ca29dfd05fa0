"""What is learned from earlier searches, how far it is believed, and that it is outvoted where it is wrong."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell import (
    BayesianOptimizer,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    Observation,
    SearchSpace,
)
from foretell.distributions import Value
from foretell.errors import InvalidDataError
from foretell.search_memory import SearchMemory
from foretell.transfer import Source, SourceKnowledge, Sources, SourceSurrogate
from foretell.transfer.informed_trend import InformedTrend
from foretell.unit_cube import UnitCube

SPACE = SearchSpace(
    {"x": FloatDistribution(0, 1), "lr": FloatDistribution(1e-4, 1e-1, log=True),
     "act": CategoricalDistribution(("relu", "gelu", "tanh"))}
)  # fmt: skip
Objective = Callable[[Mapping[str, Value]], float]


def bowl(config: Mapping[str, Value], x: float = 0.3, lr: float = 1e-2) -> float:
    offset = {"relu": 0.2, "gelu": 0.0, "tanh": 0.4}[str(config["act"])]
    return -((float(config["x"] or 0) - x) ** 2) - math.log10(float(config["lr"] or 1) / lr) ** 2 / 9 - offset


def source_of(
    objective: Objective, name: str = "old", n: int = 40, seed: int = 0, space: SearchSpace = SPACE
) -> Source:
    rows = space.sample_units(n, np.random.default_rng(seed))
    configs = [space.from_unit(row) for row in rows]
    return Source(name, space, tuple(Observation(c, (objective(c),)) for c in configs))


def search(objective: Objective, sources: Sources, n: int, seed: int = 0) -> list[Observation]:
    optimizer = BayesianOptimizer(SPACE, sources=sources)
    seen: list[Observation] = []
    for i in range(n):
        config = optimizer.suggest(seen, seed=[seed, i], index=i)
        seen.append(Observation(config, (objective(config),)))
    return seen


def inverted(config: Mapping[str, Value]) -> float:
    return -bowl(config)


def best(seen: list[Observation]) -> float:
    return max(o.values[0] for o in seen)


def test_a_surrogate_knows_its_source_whatever_the_scale_of_its_values() -> None:
    source = source_of(bowl)
    stretched = source_of(lambda c: 1e6 * math.exp(9 * bowl(c)))
    rows = SPACE.sample_units(50, np.random.default_rng(1))
    plain, other = (SourceSurrogate.fit(s, SPACE, s.targets(0)) for s in (source, stretched))
    assert plain is not None
    assert other is not None
    np.testing.assert_array_equal(plain.mean(rows), other.mean(rows))
    truth = np.array([bowl(SPACE.from_unit(r)) for r in rows])
    assert np.corrcoef(plain.mean(rows).argsort().argsort(), truth.argsort().argsort())[0, 1] > 0.9


def test_a_source_that_shares_nothing_or_says_nothing_teaches_nothing() -> None:
    other = SearchSpace({"depth": IntDistribution(1, 9)})
    for source in (
        source_of(lambda c: float(c["depth"] or 0), space=other), source_of(lambda _: 1.0), source_of(bowl, n=3)
    ):  # fmt: skip
        assert SourceSurrogate.fit(source, SPACE, source.targets(0)) is None
    assert Sources([source_of(lambda _: 1.0)]).about(SPACE) == ()
    assert len(search(bowl, Sources([source_of(lambda _: 1.0)]), 6)) == 6


def test_partial_overlap_is_enough() -> None:
    wider = SearchSpace({"X": FloatDistribution(-2, 2), "depth": IntDistribution(1, 9)})
    source = source_of(lambda c: -((float(c["X"] or 0) - 0.7) ** 2), space=wider)
    (knowledge,) = Sources([source]).about(SPACE)
    x = [float(SPACE.from_unit(SPACE.snap(row[None])[0])["x"] or 0) for row in knowledge.portfolio]
    assert abs(x[0] - 0.7) < 0.1


def test_targets_of_a_source_hold_down_what_was_stopped_and_what_broke_constraints() -> None:
    seen = (
        Observation({"x": 0.1}, (1.0,)),
        Observation({"x": 0.2}, (2.0,)),
        Observation({"x": 0.3}, (9.0,), partial=True),
        Observation({"x": 0.4}, (8.0,), constraints=(0.5,)),
    )
    targets = Source("old", SPACE, seen).targets(0)
    assert targets[2] == 2.0
    assert targets[3] < 1.0


def test_trust_is_high_for_sources_that_agree_and_zero_for_noise_and_for_the_one_turned_round() -> None:
    good = [source_of(bowl, f"good{i}", seed=i) for i in range(2)]
    rng = np.random.default_rng(0)
    noise = Source("noise", SPACE, tuple(Observation(o.config, (float(rng.random()),)) for o in good[0].observations))
    assert SourceKnowledge.learn(good[:1], SPACE).trust[0] > 0.9
    assert SourceKnowledge.learn([noise], SPACE).trust[0] == 0
    trust = SourceKnowledge.learn([*good, source_of(inverted, "bad", seed=3), noise], SPACE).trust
    assert trust[:2].min() > 0.1
    assert trust[2:].tolist() == [0, 0]
    assert SourceKnowledge.learn([good[0], noise], SPACE).trust[0] > 0.9  # noise is no witness


def test_a_portfolio_holds_different_positions_the_first_where_the_sources_expect_most() -> None:
    knowledge = SourceKnowledge.learn([source_of(bowl)], SPACE)
    rows = knowledge.portfolio
    assert len({row.tobytes() for row in rows}) == 5
    random = SPACE.sample_units(300, np.random.default_rng(3))
    assert knowledge.means(rows[:1])[0, 0] >= knowledge.means(random).max()


def test_sources_that_want_different_things_each_have_their_say() -> None:
    def right(config: Mapping[str, Value]) -> float:
        return bowl(config, x=0.65)

    knowledge = SourceKnowledge.learn([source_of(bowl, "left"), source_of(right, "right")], SPACE)
    x = SPACE.snap(knowledge.portfolio)[:, 0]
    assert x.min() < 0.45 < 0.5 < x.max()


def test_the_first_suggestion_is_the_optimum_of_a_source_that_is_the_target() -> None:
    seen = search(bowl, Sources([source_of(bowl, n=80)]), 1)
    assert best(seen) > -0.01
    assert seen[0].config["act"] == "gelu"


def test_a_source_that_is_near_the_target_saves_most_trials() -> None:
    def shifted(config: Mapping[str, Value]) -> float:
        return bowl(config, x=0.4, lr=2e-2)

    told = [best(search(shifted, Sources([source_of(bowl)]), 10, seed)) for seed in range(3)]
    alone = [best(search(shifted, Sources(), 10, seed)) for seed in range(3)]
    assert np.mean(told) > 0.25 * np.mean(alone)  # a quarter of the regret


def test_wrong_sources_give_one_trial_and_are_outvoted() -> None:
    sources = Sources([source_of(inverted)])
    seen = search(bowl, sources, 12)
    plain = search(bowl, Sources(), 12)
    assert seen[0].values[0] < -0.5
    assert [o.config for o in seen[1:5]] == [o.config for o in plain[1:5]]  # the sequence goes on at once
    (_, *slopes) = BayesianOptimizer(SPACE, sources=sources).source_weights(seen).values()
    assert slopes[0][0] <= 0


def test_unrelated_sources_cost_no_more_than_random_start_up() -> None:
    def unrelated(seed: int) -> Objective:
        centre, worth = np.random.default_rng(seed).random(2), np.random.default_rng(seed + 9).random(3)
        place = {"relu": 0, "gelu": 1, "tanh": 2}
        return lambda c: -((float(c["x"] or 0) - centre[0]) ** 2) - float(worth[place[str(c["act"])]])

    seeds = range(10)
    told = [search(bowl, Sources([source_of(unrelated(s), seed=s)]), 10, s) for s in seeds]
    random = [source_of(bowl, n=10, seed=100 + s).observations for s in range(40)]
    assert np.mean([best(t) for t in told]) >= np.mean([best(list(r)) for r in random])


@given(st.integers(0, 2**20), st.booleans())
@settings(max_examples=8)
def test_contradicted_sources_give_at_most_the_first_of_the_first_trials(seed: int, turned: bool) -> None:
    """Once the order of two results is the other way round, no further one comes from the sources."""
    sources = Sources([source_of(inverted if turned else bowl, seed=seed % 3)])
    seen = search(bowl, sources, 5, seed)
    rows = SPACE.snap(sources.about(SPACE)[0].portfolio)
    taken = [i for i, o in enumerate(seen) if o.config in [SPACE.from_unit(row) for row in rows]]
    contradicted = seen[0].values[0] < seen[1].values[0]
    assert taken == [0] if contradicted else taken[:2] == [0, 2]


def test_a_default_that_goes_first_takes_no_place_in_the_portfolio() -> None:
    optimizer = BayesianOptimizer(SPACE, sources=Sources([source_of(bowl)]))
    rows = SPACE.snap(optimizer.sources.about(SPACE)[0].portfolio)
    configs = [{"x": 1.0, "lr": 1e-4, "act": "tanh"}, {"x": 0.6, "lr": 1e-2, "act": "gelu"}]
    seen = [Observation(c, (bowl(c),)) for c in configs]
    assert optimizer.suggest(seen, index=2) == SPACE.from_unit(rows[0])


def test_every_fourth_suggestion_hears_no_source() -> None:
    told, plain = BayesianOptimizer(SPACE, sources=Sources([source_of(bowl)])), BayesianOptimizer(SPACE)
    seen = search(bowl, told.sources, 11)
    for index in (11, 15):
        assert told.suggest(seen, seed=[0, index], index=index) == plain.suggest(seen, seed=[0, index], index=index)
        assert told.source_weights(seen, index)["sources"] == (0.0,)
    assert told.source_weights(seen, 12)["sources"][0] > 0.0
    assert told.suggest(seen, seed=[0, 12], index=12) != plain.suggest(seen, seed=[0, 12], index=12)


def test_weights_are_named_and_as_many_as_objectives() -> None:
    two = Source(
        "two", SPACE, tuple(Observation(o.config, (o.values[0], -o.values[0])) for o in source_of(bowl).observations)
    )
    optimizer = BayesianOptimizer(SPACE, sources=Sources([two]))
    seen: list[Observation] = []
    for i in range(8):
        config = optimizer.suggest(seen, seed=[0, i], index=i)
        weights = optimizer.source_weights(seen)
        assert {name: len(w) for name, w in weights.items()} == {"sources": 2, "two": 2}
        assert all(0 <= w <= 1 for w in weights["sources"])
        seen.append(Observation(config, (bowl(config), -bowl(config))))


def test_several_objectives_are_heard_on_the_scale_of_their_hypervolume() -> None:
    rng = np.random.default_rng(1)
    configs = [SPACE.from_unit(r) for r in SPACE.sample_units(20, rng)]
    values = np.array([[-math.exp(9 * c["x"]), math.exp(9 * c["x"])] for c in configs])  # far from plain
    two = Source("two", SPACE, tuple(Observation(c, tuple(v)) for c, v in zip(configs, values, strict=True)))
    units, none = SPACE.to_unit(configs), np.zeros(20, dtype=bool)
    for width, plain in ((2, True), (1, False)):
        source = Source("s", SPACE, tuple(Observation(o.config, o.values[:width]) for o in two.observations))
        guidance = Sources([source]).guidance(SPACE, units, values[:, :width], none)
        cube = guidance.informed(UnitCube(SPACE))
        fitted = [InformedTrend.fit(cube, units, values[:, m], m, SearchMemory()) for m in range(width)]
        assert all(np.isinf(t.alone.scale) and np.isinf(t.hearing.scale) for t in fitted) == plain


def test_sources_of_another_number_of_objectives_are_not_heard() -> None:
    optimizer = BayesianOptimizer(SPACE, sources=Sources([source_of(bowl)]))
    seen = [Observation(SPACE.from_unit(r), (0.0, 1.0)) for r in SPACE.sample_units(6, np.random.default_rng(0))]
    assert optimizer.source_weights(seen) == {}
    assert SPACE.contains(optimizer.suggest(seen))


def test_sources_survive_pickling_and_give_the_same_suggestions() -> None:
    sources = Sources([source_of(bowl)])
    first = search(bowl, sources, 7)
    again = search(bowl, pickle.loads(pickle.dumps(sources)), 7)
    assert [o.config for o in first] == [o.config for o in again]


def test_the_beginning_of_a_study_without_a_space() -> None:
    sources = Sources([source_of(bowl)])
    known = sources.beginning(SearchSpace({"X": FloatDistribution(0, 1)}), 0)
    assert known["X"] == pytest.approx(0.3, abs=0.1)
    assert sources.beginning(SearchSpace({"other": FloatDistribution(0, 1)}), 0) == {}
    assert sources.beginning(SPACE, 99) == {}
    assert Sources().beginning(SPACE, 0) == {}


def test_errors() -> None:
    one = source_of(bowl)
    with pytest.raises(InvalidDataError, match="observations that agree in their number of objectives"):
        Source("old", SPACE, ())
    two = Source("two", SPACE, (Observation({"x": 0.5}, (1.0, 2.0)),))
    with pytest.raises(InvalidDataError, match=r"sources must agree .* but have \[1, 2\]"):
        Sources([one, two])
    with pytest.raises(InvalidDataError, match="names of their own"):
        Sources([one, one])
