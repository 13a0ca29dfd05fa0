"""A search that hears cheap evaluations as far as they help."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from foretell.benchmarks.search_spaces.fidelity_problem import SPACE, TASKS, fidelity_problem
from foretell.cross_fidelity import CrossFidelitySearch, FidelityTrial
from foretell.distributions import CategoricalDistribution, FloatDistribution, Value
from foretell.errors import InvalidDataError
from foretell.metrics import spearman_rho
from foretell.search_space import SearchSpace

PLANE = SearchSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})
Cheap = Callable[[float, float], float]


def _dear(x: float, y: float) -> float:
    return math.sin(9 * x) + math.cos(7 * y) - x * y


def _searched(cheap: Cheap, budget: float, seed: int = 0) -> list[FidelityTrial]:
    search = CrossFidelitySearch(PLANE, (1.0, 20.0))
    trials: list[FidelityTrial] = []
    spent = 0.0
    while spent < budget:
        job = search.suggest(trials, seed)
        at = float(job.config["x"] or 0.0), float(job.config["y"] or 0.0)
        trials.append(FidelityTrial(job.config, job.level, (cheap, _dear)[job.level](*at)))
        spent += search.costs[job.level]
    return trials


def _helpful(x: float, y: float) -> float:
    return 3 * _dear(x, y) + 0.2 * x


def test_the_cheapest_level_is_screened_and_its_favourite_put_to_the_test() -> None:
    trials = _searched(_helpful, 80)
    assert [t.level for t in trials[:15]] == [0] * 13 + [1, 1]  # two thirds of 20, its favourite, and the first of all
    assert trials[13].config == max(trials[:13], key=lambda t: t.value).config
    assert trials[14].config == trials[0].config
    assert trials[13].value > trials[14].value
    assert trials[15].level == 0  # borne out: the cheap level is searched on, for half of all cost
    assert 30 <= sum(t.level == 0 for t in trials) <= 40


def test_a_level_too_dear_to_be_screened_is_left_aside_until_there_are_dear_results() -> None:
    search = CrossFidelitySearch(PLANE, (1.0, 5.0))  # four at the cheapest level cost more than two thirds of 5
    trials: list[FidelityTrial] = []
    for _ in range(12):
        job = search.suggest(trials, 0)
        at = float(job.config["x"] or 0.0), float(job.config["y"] or 0.0)
        if len(trials) < 6:
            assert job.config == PLANE.quasi_random(len(trials), 0)
        trials.append(FidelityTrial(job.config, job.level, (_helpful, _dear)[job.level](*at)))
    assert [t.level for t in trials] == [1] * 11 + [0]  # a fiftieth of all cost, from then on
    assert search.suggest(trials, 0).config == trials[-1].config


def test_a_level_that_costs_nothing_does_not_go_on_for_ever() -> None:
    search = CrossFidelitySearch(PLANE, (1e-9, 1.0))
    trials: list[FidelityTrial] = []
    for _ in range(36):
        job = search.suggest(trials, 0)
        at = float(job.config["x"] or 0.0), float(job.config["y"] or 0.0)
        trials.append(FidelityTrial(job.config, job.level, (_helpful, _dear)[job.level](*at)))
    assert [t.level for t in trials[:35]] == [0] * 33 + [1, 1]


def test_a_level_that_is_contradicted_costs_little_more_than_its_screening() -> None:
    trials = _searched(lambda x, y: -_dear(x, y), 13 + 6 * 20)
    assert [t.level for t in trials] == [0] * 13 + [1] * 6
    assert [t.config for t in trials[14:]] == [t.config for t in trials[:5]]


def test_what_helps_is_heard_and_what_misleads_is_not() -> None:
    search, shares, weights, cheap = CrossFidelitySearch(PLANE, (1.0, 20.0)), [], [], [0, 0]
    for seed in range(4):  # what misleads is told apart late in some searches
        helped, misled = (_searched(c, 190, seed) for c in (_helpful, lambda x, y: math.sin(31 * x) * math.cos(23 * y)))
        belief = search.believe(helped)
        shares.append(belief.share)
        weights.append(belief.weights[0])
        assert abs(search.believe(misled).weights[0]) < 0.3
        counts = [sum(t.level == 0 for t in trials) for trials in (helped, misled)]
        assert counts[0] <= 0.55 * 190
        cheap = [a + b for a, b in zip(cheap, counts, strict=True)]
    assert np.mean(shares) > 0.8
    assert np.mean(weights) > 0.5
    assert cheap[0] > 1.3 * cheap[1]


def test_a_level_that_is_upside_down_gets_a_negative_weight() -> None:
    trials = _searched(lambda x, y: -_dear(x, y), 170, seed=1)
    belief = CrossFidelitySearch(PLANE, (1.0, 20.0)).believe(trials)
    assert belief.share > 0.9
    assert belief.weights[0] < -0.4


def test_suggestions_are_a_function_of_the_trials() -> None:
    trials = _searched(_helpful, 190)
    for n in (3, 12, 15, len(trials) - 1):
        fresh = CrossFidelitySearch(PLANE, (1.0, 20.0)).suggest(trials[:n], 0)
        assert (fresh.config, fresh.level) == (trials[n].config, trials[n].level)


def test_a_cheap_result_says_most_where_its_level_is_unknown() -> None:
    trials = _searched(_helpful, 190)
    belief = CrossFidelitySearch(PLANE, (1.0, 20.0)).believe(trials)
    seen = PLANE.to_unit([t.config for t in trials if t.level == 0])
    anywhere = PLANE.sample_units(200, np.random.default_rng(0))
    assert belief.informative(seen)[:, 0].max() < np.median(belief.informative(anywhere)[:, 0])
    assert (belief.informative(anywhere) >= 0).all()


def test_a_small_space_is_searched_until_it_is_used_up() -> None:
    space = SearchSpace({"a": CategoricalDistribution(("p", "q", "r")), "b": CategoricalDistribution((False, True))})
    search = CrossFidelitySearch(space, (1.0, 2.0, 4.0), n_startup=4)
    trials: list[FidelityTrial] = []
    for i in range(20):
        job = search.suggest(trials, 1)
        trials.append(FidelityTrial(job.config, job.level, float(i % 5) if job.level < 2 else float(i % 3)))
    assert {0, 1, 2} >= {t.level for t in trials} >= {2}


@pytest.mark.parametrize("task", TASKS)
def test_constructed_problems_are_what_their_names_say(task: str) -> None:
    problem = fidelity_problem("curves", task, 3)
    rng = np.random.default_rng(0)
    configs = [SPACE.from_unit(row) for row in SPACE.sample_units(300, rng)]
    values = np.array([[problem.value(c, level) for level in range(3)] for c in configs])
    rho = spearman_rho(values[:, 0], values[:, 2])
    low, high = {
        "agreeing": (0.9, 1.0001),
        "crossing": (0.1, 0.7),
        "opposed": (-1.01, -0.99),
        "unrelated": (-0.4, 0.4),
    }[task]
    assert low < rho < high
    assert problem.share_better(values[:, 2].max()) < 0.02
    assert problem.share_better(math.inf) == 0.0


def test_cheap_levels_of_real_tables_cost_less_and_agree_in_part() -> None:
    pytest.importorskip("pyarrow")
    try:
        problem = fidelity_problem("steplaw", "0.43-40")
    except InvalidDataError as error:
        pytest.skip(str(error))
    configs = [problem.space.from_unit(u) for u in problem.space.sample_units(60, np.random.default_rng(0))]
    values = np.array([[problem.value(c, level) for level in range(2)] for c in configs])
    assert problem.costs == pytest.approx((3.44, 17.2))
    assert 0.4 < spearman_rho(values[:, 0], values[:, 1]) < 0.95
    assert problem.share_better(float(problem.values[-1])) == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FidelityTrial({}, -1, 0.0), "level >= 0"),
        (lambda: FidelityTrial({}, 0, math.nan), "level >= 0"),
        (lambda: CrossFidelitySearch(PLANE, (1.0,)), "two positive costs"),
        (lambda: CrossFidelitySearch(PLANE, (0.0, 1.0)), "two positive costs"),
        (lambda: CrossFidelitySearch(PLANE, (1.0, 2.0)).suggest([FidelityTrial({}, 2, 0.0)]), "levels go from 0 to 1"),
        (lambda: CrossFidelitySearch(PLANE, (1.0, 2.0)).believe([FidelityTrial({}, 0, 0.0)]), "level 1 needs"),
    ],
)
def test_mistakes_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        make()


def test_a_failed_cheap_evaluation_is_no_obstacle() -> None:
    def value(config: dict[str, Value], level: int) -> float:
        x, y = float(config["x"] or 0.0), float(config["y"] or 0.0)
        return -math.inf if level == 0 and x > 0.8 else _dear(x, y)

    search = CrossFidelitySearch(PLANE, (1.0, 4.0))
    trials: list[FidelityTrial] = []
    for _ in range(18):
        job = search.suggest(trials, 2)
        trials.append(FidelityTrial(job.config, job.level, value(dict(job.config), job.level)))
    assert search.believe(trials).share >= 0.0
