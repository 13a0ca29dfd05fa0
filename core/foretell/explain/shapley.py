"""Shapley values of a game: what each player adds to what a coalition is worth.

Shapley, 1953, "A Value for n-Person Games", https://doi.org/10.1515/9781400881970-018. The values of all players sum to
the worth of all of them less that of none (efficiency), a player that never changes anything has 0, players that can be
exchanged have the same, and the values of a sum of games are the sums. `exact_shapley` asks for the worth of all
coalitions; `sampled_shapley` is for more than some ten players.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

Worth: TypeAlias = "Callable[[Bool[np.ndarray, 'c players']], Float[np.ndarray, ' c']]"
"""Worth of coalitions, one a row, True for who is in it."""

_MOST_EXACT = 20


def exact_shapley(worth: Worth, players: int) -> Float[np.ndarray, " players"]:
    """The values, from the worth of all 2^players coalitions in one call.

    Args:
        worth: Worth of coalitions.
        players: How many there are, at most 20.

    Raises:
        InvalidDataError: If there are more players.

    >>> glove = lambda who: np.minimum(who[:, 0], who[:, 1:].sum(axis=1)).astype(float)  # a left glove, two right ones
    >>> exact_shapley(glove, 3).round(4).tolist()
    [0.6667, 0.1667, 0.1667]
    """
    if players > _MOST_EXACT:
        msg = f"exact values need at most {_MOST_EXACT} players, but got {players}: use sampled_shapley"
        raise InvalidDataError(msg)
    number = np.arange(2**players)
    who = (number[:, None] >> np.arange(players) & 1).astype(bool)
    value = np.asarray(worth(who), dtype=np.float64)
    size = who.sum(axis=1)
    weight = np.array([factorial(k) * factorial(players - k - 1) / factorial(players) for k in range(players)])
    found = np.empty(players)
    for i in range(players):
        without = number[~who[:, i]]
        found[i] = weight[size[without]] @ (value[without | 1 << i] - value[without])
    return found


def sampled_shapley(
    worth: Worth, players: int, *, pairs: int = 8, seed: int = 0
) -> tuple[Float[np.ndarray, " players"], Float[np.ndarray, " players"]]:
    """Unbiased estimates of the values, from random orders in which the players come, each followed by its reverse.

    Mitchell, Cooper, Frank and Holmes, 2022, "Sampling Permutations for Shapley Value Estimation",
    https://arxiv.org/abs/2104.12199, section 3.2 (antithetic sampling). Efficiency holds exactly, since along each
    order what is added sums to the worth of all less that of none.

    Args:
        worth: Worth of coalitions, called once for 2 pairs (players - 1) + 2 of them.
        players: How many there are.
        pairs: Orders drawn; each costs 2 (players - 1) coalitions.
        seed: Seed of the orders.

    Returns:
        The values, and their standard errors, `nan` for a single pair.

    Raises:
        InvalidDataError: If there are no pairs.

    >>> game = lambda who: 3.0 * who[:, 0] + 4.0 * who[:, 1] * who[:, 2]
    >>> sampled_shapley(game, 3, pairs=1)[0].tolist()  # one pair is exact where at most two players interact
    [3.0, 2.0, 2.0]
    """
    if pairs < 1:
        msg = f"`pairs >= 1` must hold, but got {pairs=}: the default is 8"
        raise InvalidDataError(msg)
    if not players:
        return np.empty(0), np.empty(0)
    rng = np.random.default_rng(seed)
    drawn = np.stack([rng.permutation(players) for _ in range(pairs)])
    orders = np.concatenate([drawn, drawn[:, ::-1]])  # (2 pairs, players)
    place = np.argsort(orders, axis=1)
    steps = np.arange(1, players)
    inner = place[:, None, :] < steps[None, :, None]  # the first 1, 2, ... of each order
    ends = np.stack([np.zeros(players, dtype=bool), np.ones(players, dtype=bool)])
    value = np.asarray(worth(np.concatenate([ends, inner.reshape(-1, players)])), dtype=np.float64)
    along = np.empty((2 * pairs, players + 1))
    along[:, 0], along[:, -1] = value[0], value[1]
    along[:, 1:-1] = value[2:].reshape(2 * pairs, players - 1)
    added = np.take_along_axis(np.diff(along, axis=1), place, axis=1)
    each = (added[:pairs] + added[pairs:]) / 2
    error = each.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.full(players, np.nan)
    return each.mean(axis=0), error
