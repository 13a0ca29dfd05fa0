"""Expectations of networks: where a search begins, what it proposes, and who is believed in the end."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.distributions import CategoricalDistribution
from foretell.encoders import Pretrained
from foretell.errors import OutOfDomainWarning
from foretell.graph import ComputationGraph
from foretell.network_columns import network_columns
from foretell.network_expectation import EXPECTED, NetworkExpectation
from foretell.network_prior import START, NetworkPrior
from foretell.network_view import NetworkView
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_memory import SearchMemory
from foretell.search_space import SearchSpace
from foretell.unit_cube import UnitCube

OPERATIONS = nasbench201.OPERATIONS
SPACE = SearchSpace({f"edge{i}": CategoricalDistribution(OPERATIONS) for i in range(6)})
CUBE = UnitCube(SPACE)
MEMORY = SearchMemory()  # each network is encoded once for all tests
CONFIGS = [SPACE.sample(np.random.default_rng(i)) for i in range(16)]


def graph(config: Any) -> ComputationGraph:
    return nasbench201.graph([OPERATIONS.index(config[f"edge{i}"]) for i in range(6)])


@pytest.fixture(scope="module")
def expectation() -> NetworkExpectation:
    return NetworkExpectation(Pretrained())


@pytest.fixture(scope="module")
def expected(expectation: NetworkExpectation) -> np.ndarray:
    return NetworkPrior(expectation).expected(graph, MEMORY, CONFIGS)


def test_what_is_read_off_known_columns_is_what_the_weights_say(
    expectation: NetworkExpectation, expected: np.ndarray
) -> None:
    encoding = network_columns(graph, MEMORY, CONFIGS, expectation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutOfDomainWarning)  # of what judges cells, which are not given
        said = Pretrained().encode([Candidate(graph(c)) for c in CONFIGS])
    own = [j for j, name in enumerate(said.names) if not np.isnan(said.values[:, j]).all()]
    found = [j for j, group in enumerate(encoding.groups) if group.startswith(EXPECTED)]
    assert [encoding.names[j] for j in found] == [said.names[j] for j in own]
    np.testing.assert_allclose(encoding.values[:, found], said.values[:, own])
    np.testing.assert_allclose(expected, np.nanmean(said.values, axis=1))


def test_favourites_are_better_expected_than_what_is_drawn(
    expectation: NetworkExpectation, expected: np.ndarray
) -> None:
    prior, memory = NetworkPrior(expectation), MEMORY
    rows = prior.favourites(CUBE, graph, memory)
    scores = prior.expected(graph, memory, [SPACE.from_unit(row) for row in rows])
    assert len(rows) > 8
    assert (np.diff(scores) < 0).all()
    assert scores[0] > np.nanmax(expected) - 1e-9
    assert prior.favourites(CUBE, graph, memory) is rows
    assert (NetworkPrior(expectation).favourites(CUBE, graph, memory) == rows).all()


def test_takes_turns_until_results_contradict_it(expectation: NetworkExpectation, expected: np.ndarray) -> None:
    prior, memory, nothing = NetworkPrior(expectation), MEMORY, np.empty((0, 6))

    def begins(number: int, n: int, y: np.ndarray) -> bool:
        return prior.beginning(CUBE, graph, memory, CONFIGS[:n], y[:n], number, nothing) is not None

    assert begins(0, 0, expected)
    assert not begins(1, 1, expected)
    assert begins(4, 4, expected)
    assert not begins(4, 4, -expected)
    assert not begins(6, START, expected)


def test_own_results_decide_how_much_it_counts(expectation: NetworkExpectation, expected: np.ndarray) -> None:
    memory, none = MEMORY, np.zeros(len(CONFIGS), dtype=bool)

    def heard(y: np.ndarray) -> float:
        view = NetworkView.fit(CUBE, graph, memory, CONFIGS, y, none, expectation=expectation)
        assert len(view.weights) == 5
        return float(view.weights[3:].sum())

    assert heard(expected) > 0.6
    assert heard(np.random.default_rng(1).standard_normal(len(CONFIGS))) < 0.6


def test_where_nothing_is_expected_all_is_as_without(expectation: NetworkExpectation) -> None:
    def nowhere(config: Any) -> None:
        del config

    prior = NetworkPrior(expectation)
    assert np.isnan(prior.expected(nowhere, SearchMemory(), CONFIGS)).all()
    assert not len(prior.favourites(CUBE, nowhere, SearchMemory()))
    assert not prior.contradicted(nowhere, SearchMemory(), CONFIGS, np.arange(16.0))


def test_a_search_begins_with_it(expectation: NetworkExpectation) -> None:
    seen: list[Observation] = []
    prior = NetworkPrior(expectation)
    optimizer = BayesianOptimizer(SPACE, graph, memory=MEMORY, prior=prior)
    without = BayesianOptimizer(SPACE, graph)
    best = SPACE.from_unit(prior.favourites(CUBE, graph, optimizer.memory)[0])
    assert optimizer.suggest(seen, seed=3) == best
    for number, value in itertools.islice(enumerate([0.9, 0.1, 0.8]), 1):
        seen.append(Observation(best, (value,)))
        assert optimizer.suggest(seen, seed=3, index=number + 1) == without.suggest(seen, seed=3, index=number + 1)
