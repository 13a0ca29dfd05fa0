"""The optimiser: pure, inside the space, better than chance, and indifferent to what should not matter."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.benchmarks.pareto_problems import load_pareto
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.early_fit import refit_size
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph import ComputationGraph, Node
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_space import Condition, SearchSpace
from foretell.study_belief import _distinct_first, _raised

SPACE = SearchSpace(
    {
        "lr": FloatDistribution(1e-5, 1e-1, log=True),
        "op": CategoricalDistribution(("conv", "pool", "none")),
        "depth": IntDistribution(1, 8),
        "kernel": IntDistribution(1, 7, step=2),
    },
    {"kernel": (Condition("op", frozenset({"conv"})),)},
)


def score(config: dict) -> float:
    """Best at lr 1e-3, conv, depth 5, kernel 3; there 0."""
    return (
        -((np.log10(config["lr"]) + 3) ** 2)
        - {"conv": 0, "pool": 1, "none": 2}[config["op"]]
        - 0.1 * (config["depth"] - 5) ** 2
        - 0.1 * (config.get("kernel", 3) - 3) ** 2
    )


def observed(n: int, seed: int = 0) -> list[Observation]:
    rng = np.random.default_rng(seed)
    configs = [SPACE.sample(rng) for _ in range(n)]
    return [Observation(c, (score(c),)) for c in configs]


def run(optimizer: BayesianOptimizer, n: int, seed: int) -> float:
    """The best score after n suggestions."""
    seen: list[Observation] = []
    for i in range(n):
        config = optimizer.suggest(seen, seed=(seed, i))
        seen.append(Observation(config, (score(config),)))
    return max(o.values[0] for o in seen)


def test_it_beats_random_search() -> None:
    ours = [run(BayesianOptimizer(SPACE), 40, seed) for seed in range(5)]
    chance = [max(o.values[0] for o in observed(40, seed)) for seed in range(5)]
    assert np.mean(ours) > np.mean(chance) + 0.1
    assert np.median(ours) > -0.05


@given(st.integers(0, 25), st.integers(0, 2**31), st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_suggestions_are_inside_plain_and_new(n: int, seed: int, running: int) -> None:
    observations = observed(n, seed)
    pending = [o.config for o in observed(running, seed + 1)]
    config = BayesianOptimizer(SPACE).suggest(observations, pending, seed=seed)
    assert SPACE.contains(config)
    assert {type(v) for v in config.values()} <= {float, str, int}
    assert config not in [dict(o.config) for o in observations] + pending


def test_same_arguments_same_answer_also_from_threads() -> None:
    optimizer, observations = BayesianOptimizer(SPACE), observed(20)
    alone = [optimizer.suggest(observations, seed=s) for s in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda s: optimizer.suggest(observations, seed=s), range(4)))
    assert together == alone
    assert len({str(c) for c in alone}) > 1


@pytest.mark.parametrize("n", [4, 14])
def test_same_answer_in_processes_with_other_hash_seeds(n: int) -> None:
    code = (
        "from foretell import *;"
        "s=SearchSpace({'a':CategoricalDistribution(tuple('xyz')),'x':FloatDistribution(0.,1.),"
        "'n':IntDistribution(0,9)},{'n':(Condition('a',frozenset('xy')),)});"
        f"import numpy as np; r=np.random.default_rng(0); cs=[s.sample(r) for _ in range({n})];"
        "o=[Observation(c,(c['x']+c.get('n',0),)) for c in cs];"
        "print(BayesianOptimizer(s).suggest(o,cs[:2],seed=[3,4]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "99")
    }
    assert len(outputs) == 1
    assert "'x': " in outputs.pop()


def test_scale_and_origin_of_the_target_change_nothing() -> None:
    observations = observed(20)
    moved = [Observation(o.config, (4096.0 * o.values[0] + 512.0,)) for o in observations]
    optimizer = BayesianOptimizer(SPACE)
    one, two = optimizer.suggest(observations, seed=1), optimizer.suggest(moved, seed=1)
    assert one.keys() == two.keys()
    assert SPACE.to_unit([one]) == pytest.approx(SPACE.to_unit([two]), abs=0.01, nan_ok=True)


def test_infinite_scores_are_survived() -> None:
    observations = observed(14)
    extreme = [Observation(o.config, (v,)) for o, v in zip(observations[:3], (-np.inf, np.inf, -np.inf), strict=True)]
    assert SPACE.contains(BayesianOptimizer(SPACE).suggest([*extreme, *observations[3:]]))
    all_lost = [Observation(o.config, (-np.inf,)) for o in observations]
    assert SPACE.contains(BayesianOptimizer(SPACE).suggest(all_lost))


def test_start_up_is_a_sequence_shared_by_workers() -> None:
    optimizer = BayesianOptimizer(SPACE, n_startup=8)
    first = [optimizer.suggest([], seed=(5, i), index=i) for i in range(8)]
    assert first == [SPACE.quasi_random(i, seed=5) for i in range(8)]
    assert len({str(c) for c in first}) == 8


def test_two_workers_do_not_repeat_each_other() -> None:
    optimizer, observations = BayesianOptimizer(SPACE), observed(20)
    one = optimizer.suggest(observations, seed=0)
    two = optimizer.suggest(observations, pending=[one], seed=0)
    assert one != two


def test_pending_points_lose_their_attraction() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    seen = [Observation({"x": x}, (-((x - 0.6) ** 2),)) for x in (0.0, 0.2, 0.45, 0.9, 1.0)]
    optimizer = BayesianOptimizer(space, n_startup=1)
    alone = [optimizer.suggest(seen, seed=s)["x"] for s in range(5)]
    running = [{"x": float(np.mean(alone))}] * 6
    crowded = [optimizer.suggest(seen, running, seed=s)["x"] for s in range(5)]
    assert min(abs(x - running[0]["x"]) for x in crowded) > 0.05


def test_a_small_space_is_used_up_before_it_repeats() -> None:
    space = SearchSpace({"a": IntDistribution(0, 3), "b": CategoricalDistribution("xy")})
    optimizer = BayesianOptimizer(space, n_startup=3)
    seen: list[Observation] = []
    for i in range(8):
        config = optimizer.suggest(seen, seed=i)
        seen.append(Observation(config, (float(config["a"]),)))
    assert len({str(dict(o.config)) for o in seen}) == 8
    assert space.contains(optimizer.suggest(seen, seed=9))


def test_violated_constraints_repel() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    xs = np.linspace(0, 1, 25).tolist()
    seen = [Observation({"x": x}, (x,), constraints=(x - 0.5,)) for x in xs]
    optimizer = BayesianOptimizer(space)
    suggested = [optimizer.suggest(seen, seed=s)["x"] for s in range(5)]
    assert max(suggested) < 0.62
    assert min(suggested) > 0.38


def test_early_stopped_evaluations_do_not_lure() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    xs = np.linspace(0, 1, 24).tolist()
    seen = [Observation({"x": x}, (5.0 if x < 0.4 else x,), partial=x < 0.4) for x in xs]
    assert min(BayesianOptimizer(space).suggest(seen, seed=s)["x"] for s in range(5)) > 0.4


def test_two_objectives_spread_over_the_front() -> None:
    space = SearchSpace({"x": FloatDistribution(-2.0, 3.0)})
    xs = np.linspace(-2, 3, 12).tolist()
    seen = [Observation({"x": x}, (-(x**2), -((x - 1) ** 2))) for x in xs]
    for i in range(10):
        x = BayesianOptimizer(space).suggest(seen, seed=i)["x"]
        seen.append(Observation({"x": x}, (-(x**2), -((x - 1) ** 2))))
    found = np.sort([o.config["x"] for o in seen[12:]])
    assert found[0] > -0.3
    assert found[-1] < 1.3
    assert found[-1] - found[0] > 0.6


def test_failures_repel() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0)})
    seen = [Observation({"x": x}, (x,)) for x in np.linspace(0, 0.6, 12).tolist()]
    failed = [{"x": x} for x in np.linspace(0.7, 1.0, 8).tolist()]
    optimizer = BayesianOptimizer(space)
    assert min(optimizer.suggest(seen, seed=s)["x"] for s in range(5)) > 0.9
    assert max(optimizer.suggest(seen, seed=s, failed=failed)["x"] for s in range(5)) < 0.7


def graph_of(config: dict) -> ComputationGraph:
    """A network whose width is a jumbled function of the parameter."""
    width = [7, 2, 9, 4, 1, 8, 3, 6, 5, 0, 11, 10][int(config["code"])] + 1
    nodes = [Node("Input", (1, 1, 1), (1, 1, 1)), Node("MatMul", (1, 1, 1), (width, 1, 1), params=width**3),
             Node("Output", (width, 1, 1), (width, 1, 1))]  # fmt: skip
    return ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2)])


def test_the_network_is_seen() -> None:
    """Size decides, and only the graph shows size: code 10 is the largest, among neighbours unlike it."""
    space = SearchSpace({"code": IntDistribution(0, 11)})
    known = [0, 1, 3, 4, 6, 7, 8, 9, 11]
    seen = [Observation({"code": c}, (float(graph_of({"code": c}).params),)) for c in known]
    chosen = [BayesianOptimizer(space, graph_of, n_startup=1).suggest(seen, seed=s)["code"] for s in range(3)]
    assert chosen == [10, 10, 10]


def test_networks_may_be_missing() -> None:
    optimizer = BayesianOptimizer(SPACE, lambda c: graph_of({"code": c["depth"]}) if c["op"] == "conv" else None)
    assert SPACE.contains(optimizer.suggest(observed(15)))
    assert SPACE.contains(BayesianOptimizer(SPACE, lambda _: None).suggest(observed(15)))


def test_theta_is_refitted_at_every_third_then_at_a_tenth_of_the_data() -> None:
    sizes = {1: 1, 11: 11, 12: 12, 14: 12, 15: 15, 39: 39, 40: 40, 43: 40, 100: 100, 109: 100}
    assert {n: refit_size(n) for n in sizes} == sizes


def test_what_is_believed_of_the_next_values_holds_them() -> None:
    """Nine in ten of fresh random configurations, each within the 90 % interval that 30 others give."""
    inside = []
    for seed in range(4):
        fresh = observed(40, 100 + seed)
        belief = BayesianOptimizer(SPACE).believe(observed(30, seed), [o.config for o in fresh])
        values = np.array([o.values[0] for o in fresh])
        inside += ((values > belief.quantile(0.05)) & (values < belief.quantile(0.95))).tolist()
    assert 0.8 <= np.mean(inside) <= 0.99


def test_belief_needs_one_objective_and_something_known() -> None:
    config = observed(1)[0].config
    with pytest.raises(InvalidDataError, match="one objective and at least one observation"):
        BayesianOptimizer(SPACE).believe([], [config])
    with pytest.raises(InvalidDataError, match="one objective and at least one observation"):
        BayesianOptimizer(SPACE).believe([Observation(config, (1.0, 2.0))], [config])


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(InvalidSearchSpaceError, match="at least one parameter, but the space is empty"):
        BayesianOptimizer(SearchSpace({})).suggest([])


def test_mixed_numbers_of_objectives_are_refused() -> None:
    config = observed(1)[0].config
    with pytest.raises(InvalidDataError, match="must agree in their number of objectives"):
        BayesianOptimizer(SPACE).suggest([Observation(config, (1.0,)), Observation(config, (1.0, 2.0))])


@pytest.mark.parametrize(("values", "violation"), [((), 0.0), ((np.nan,), 0.0), ((1.0,), np.nan)])
def test_an_observation_is_a_number(values: tuple, violation: float) -> None:
    with pytest.raises(InvalidDataError, match="needs objectives that are numbers, but got .* leave failed ones out"):
        Observation({}, values, constraints=(violation,))


def test_only_admissible_configurations_are_suggested() -> None:
    space = SearchSpace({"a": FloatDistribution(0.0, 1.0), "b": FloatDistribution(0.0, 1.0)})
    optimizer = BayesianOptimizer(space, n_startup=4, admissible=lambda config: config["a"] + config["b"] < 0.8)
    observations: list[Observation] = []
    for number in range(20):
        config = optimizer.suggest(observations, seed=[0, number], index=number)
        assert config["a"] + config["b"] < 0.8
        observations.append(Observation(config, (config["a"] + config["b"],)))
    assert max(o.values[0] for o in observations) > 0.75


def test_no_more_are_asked_about_than_needed() -> None:
    space, asked = SearchSpace({"a": FloatDistribution(0.0, 1.0)}), []
    optimizer = BayesianOptimizer(space, n_startup=2, admissible=lambda config: asked.append(config) is None)
    observations = [Observation({"a": a}, (a,)) for a in (0.1, 0.4, 0.6)]
    assert optimizer.suggest(observations) == asked[0]
    assert len(asked) == 1


def test_where_nothing_is_admissible_a_configuration_comes_back_nevertheless() -> None:
    space = SearchSpace({"a": FloatDistribution(0.0, 1.0)})
    for n_startup in (0, 10):
        optimizer = BayesianOptimizer(space, n_startup=n_startup, admissible=lambda config: False)
        assert space.contains(optimizer.suggest([Observation({"a": 0.5}, (1.0,))]))


def test_repeats_of_the_best_value_send_the_next_trial_elsewhere() -> None:
    """Twenty switches, and a best value that three neighbours share: three in a row are left alone, two are not."""
    space = SearchSpace({f"s{i}": CategoricalDistribution((False, True)) for i in range(20)})
    rng = np.random.default_rng(0)
    others = [Observation(space.sample(rng), (float(v),)) for v in rng.random(12)]
    best = {f"s{i}": False for i in range(20)}
    copies = [Observation({**best, f"s{i}": True}, (2.0,)) for i in range(3)]

    def distance(seen: list[Observation]) -> float:
        found = [BayesianOptimizer(space).suggest(seen, seed=seed) for seed in range(8)]
        return float(np.median([min(sum(f[k] != o.config[k] for k in f) for o in copies) for f in found]))

    assert distance([*others, *copies]) >= 4
    assert distance([*copies, *others]) <= 3


def test_copies_of_a_value_come_after_all_others() -> None:
    values = np.array([[1.0], [3.0], [3.0], [2.0], [3.0]])
    assert _distinct_first(values, np.array([1, 2, 4, 3, 0])).tolist() == [1, 3, 0, 2, 4]


def test_what_runs_raises_what_is_to_be_beaten_as_far_as_it_is_believed() -> None:
    believed = np.array([[0.5], [2.0]])
    assert _raised(1.0, None, believed) == (2.0, None)
    assert _raised(3.0, None, believed) == (3.0, None)
    assert _raised(None, None, believed) == (None, None)
    assert _raised(1.0, None, believed[:0]) == (1.0, None)
    best, front = _raised(None, np.array([[0.0, 3.0], [1.0, 1.0]]), np.array([[2.0, 2.0], [-1.0, 0.0]]))
    assert best is None
    assert front is not None
    assert sorted(map(tuple, front.tolist())) == [(0.0, 3.0), (2.0, 2.0)]


def test_with_a_third_of_the_start_known_what_is_under_evaluation_counts_too() -> None:
    space = SearchSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})
    optimizer = BayesianOptimizer(space, n_startup=6)
    points = [space.quasi_random(i, 0) for i in range(6)]
    seen = [Observation(c, (-abs(float(c["x"] or 0) - 0.3),)) for c in points]

    def is_start(known: int, pending: int) -> bool:
        return optimizer.suggest(seen[:known], points[known : known + pending], 0, 9) == space.quasi_random(9, 0)

    assert [is_start(known, 6 - known) for known in range(7)] == [True] * 2 + [False] * 5
    assert [is_start(known, 0) for known in range(7)] == [True] * 6 + [False]
    assert is_start(2, 3)


def test_small_effects_that_turn_round_are_seen_beside_a_large_one() -> None:
    """On DTLZ2 all but one parameter explain a few percent of the objectives, best in their middle."""
    problem = load_pareto("dtlz2", "2")
    optimizer = BayesianOptimizer(problem.space)
    known: list[Observation] = []
    for i in range(45):
        config = optimizer.suggest(known, seed=(3, i))
        known.append(Observation(config, problem.values(config)))
    late = np.array([[o.config[f"x{j}"] for j in range(1, 6)] for o in known[30:]], dtype=float)
    assert problem.share(np.array([o.values for o in known])) > 0.6  # .2 without
    assert np.abs(late - 0.5).mean() < 0.17  # .26 without
