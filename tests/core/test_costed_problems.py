"""Problems with costs: those of the tables' own rows."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.benchmarks.costed_problems import CostedProblem, load_costed
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import read_parquet
from foretell.errors import InvalidDataError
from foretell.search_space import SearchSpace


def loaded(family: str, task: str) -> CostedProblem:
    try:
        return load_costed(family, task)
    except InvalidDataError as e:
        pytest.skip(f"needs the table of {family}: {e}")


@pytest.mark.parametrize(("family", "task"), [("nmt", "sw-en"), ("steplaw-data", "0.27")])
def test_costs_are_numbers_above_zero_everywhere_and_differ(family: str, task: str) -> None:
    costed = loaded(family, task)
    rng = np.random.default_rng(0)
    costs = [costed.cost(costed.problem.space.sample(rng)) for _ in range(100)]
    assert min(costs) > 0
    assert max(costs) > 2 * min(costs)
    assert min(costs) < costed.mean < max(costs)


def test_the_arithmetic_of_a_language_model_is_known() -> None:
    costed = loaded("steplaw-data", "0.54")
    found = {k: costed.cost({"data": k, "lr": 1e-3, "bs": 64}) for k in range(3)}
    assert found == {k: pytest.approx(6 * 536872960 * d * 1e9, rel=1e-3) for k, d in enumerate((10, 28.4, 50))}


def test_translation_costs_parameters_times_updates_of_the_row() -> None:
    costed = loaded("nmt", "sw-en")
    columns = read_parquet("nmt/nmt.parquet")
    i = list(columns["corpus"]).index("sw-en")
    config = {}
    for name in costed.problem.space.names:
        own = [v for v, corpus in zip(columns[name], columns["corpus"], strict=True) if corpus == "sw-en"]
        config[name] = sorted(set(own)).index(columns[name][i])
    assert costed.cost(config) == pytest.approx(columns["num_param"][i] * columns["num_updates"][i])


def test_what_ends_beyond_a_budget_does_not_count() -> None:
    table = SearchProblem(SearchSpace({}), lambda config: 0.0, np.arange(1.0, 11.0))
    costed = CostedProblem(table, lambda config: 0.0, 5.0, exact=False)
    found = costed.shares([1.0, 5.0, 3.0, 10.0], [10.0, 15.0, 1.0, 24.0], [1, 2, 5, 9, 10])
    assert found == [(0, 100.0), (1, 90.0), (2, 50.0), (3, 50.0), (4, 0.0)]


def test_a_mean_cost_of_nothing_is_refused() -> None:
    table = SearchProblem(SearchSpace({}), lambda config: 0.0, np.zeros(1))
    with pytest.raises(InvalidDataError, match="mean above 0, but got 0"):
        CostedProblem(table, lambda config: 0.0, 0.0, exact=True)
