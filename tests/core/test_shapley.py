"""Shapley values: known games, the axioms on random games, and estimates against exact values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.errors import InvalidDataError
from foretell.explain import exact_shapley, sampled_shapley


def random_game(players: int, seed: int):
    table = np.random.default_rng(seed).standard_normal(2**players)
    return lambda who: table[who @ (1 << np.arange(players))]


def by_all_orders(worth, players: int) -> np.ndarray:
    """The definition: the mean of what a player adds over all orders."""
    added = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        who = np.zeros((1, players), dtype=bool)
        before = worth(who)[0]
        for player in order:
            who[0, player] = True
            added[player] += worth(who)[0] - before
            before = worth(who)[0]
    return added / len(orders)


@pytest.mark.parametrize("players", [1, 2, 5])
def test_exact_values_are_the_mean_over_all_orders(players: int) -> None:
    game = random_game(players, seed=players)
    np.testing.assert_allclose(exact_shapley(game, players), by_all_orders(game, players), atol=1e-12)


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_axioms(players: int, seed: int) -> None:
    a, b = random_game(players, seed), random_game(players, seed + 1)
    none, everyone = np.zeros((1, players), dtype=bool), np.ones((1, players), dtype=bool)
    exact = exact_shapley(a, players)
    assert exact.sum() == pytest.approx((a(everyone) - a(none))[0])
    assert exact_shapley(lambda who: a(who) + 2 * b(who), players) == pytest.approx(
        exact + 2 * exact_shapley(b, players)
    )
    sampled, _ = sampled_shapley(a, players, pairs=2, seed=seed)
    assert sampled.sum() == pytest.approx((a(everyone) - a(none))[0])


def test_null_and_symmetric_players() -> None:
    game = lambda who: 5.0 * (who[:, 0] & who[:, 1])  # noqa: E731
    for values in (exact_shapley(game, 3), sampled_shapley(game, 3)[0]):
        assert values.tolist() == [2.5, 2.5, 0.0]


def test_estimates_come_near_and_say_how_near() -> None:
    game = random_game(6, seed=0)
    exact = exact_shapley(game, 6)
    values, errors = sampled_shapley(game, 6, pairs=400, seed=3)
    assert (np.abs(values - exact) < 4 * errors).all()
    assert errors.max() < 0.1
    again, _ = sampled_shapley(game, 6, pairs=400, seed=3)
    assert again.tolist() == values.tolist()


def test_additive_games_need_one_pair() -> None:
    weights = np.array([1.0, -2.0, 3.0, 0.5, 0.0, 7.0, 1.0, 1.0, 1.0, 2.0])
    values, errors = sampled_shapley(lambda who: who @ weights, 10, pairs=1)
    np.testing.assert_allclose(values, weights, atol=1e-12)
    assert np.isnan(errors).all()


def test_nobody_plays() -> None:
    assert exact_shapley(lambda who: np.ones(len(who)), 0).shape == (0,)
    assert sampled_shapley(lambda who: np.ones(len(who)), 0)[0].shape == (0,)


def test_refusals() -> None:
    with pytest.raises(InvalidDataError, match="at most 20 players, but got 21"):
        exact_shapley(random_game(1, 0), 21)
    with pytest.raises(InvalidDataError, match="`pairs >= 1` must hold"):
        sampled_shapley(random_game(2, 0), 2, pairs=0)
