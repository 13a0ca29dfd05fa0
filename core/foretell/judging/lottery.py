"""How much of a search's result is owed to its settings: the hyperparameter lottery.

Krishnan et al., 2023, "ArchGym", https://arxiv.org/abs/2306.08888: over settings each kind of search spreads so widely
that any can come out first. Before two are compared, this says what a draw of settings is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foretell.errors import InvalidDataError


@dataclass(frozen=True)
class Lottery:
    """What one kind of search owes to its settings and to chance.

    Args:
        best: Mean result over seeds under its best settings; smaller is better.
        median: Under its middling settings.
        worst: Under its worst settings.
        share: Share of the variance of single results that lies between settings, in [0, 1], the part that seeds alone
            would bring already taken off.
        winner: The best settings.
    """

    best: float
    median: float
    worst: float
    share: float
    winner: str


def lottery(results: Mapping[str, Sequence[float]]) -> Lottery:
    """Judge the settings of one kind of search.

    Args:
        results: Settings, in words -> results by seed, smaller is better, as many for each.

    Raises:
        InvalidDataError: If there are fewer than two settings or seeds, or not as many seeds for each.

    >>> found = lottery({"population 10": [1.0, 2.0], "population 50": [5.0, 6.0]})
    >>> round(found.share, 3), found.winner
    (0.939, 'population 10')
    """
    counts = {len(values) for values in results.values()}
    if len(results) < 2 or len(counts) > 1 or min(counts) < 2:
        msg = (
            f"two settings and two seeds each are needed, as many for all, but got {counts} of {len(results)}: run more"
        )
        raise InvalidDataError(msg)
    table = np.array([list(values) for values in results.values()])
    means = table.mean(axis=1)
    within = float(table.var(axis=1, ddof=1).mean())
    between = max(float(means.var(ddof=1)) - within / table.shape[1], 0.0)
    order = np.argsort(means, kind="stable")
    share = between / (between + within) if between + within else 0.0
    return Lottery(
        float(means[order[0]]), float(np.median(means)), float(means[order[-1]]), share, list(results)[int(order[0])]
    )


def chance_ahead(first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]]) -> float:
    """Chance that the first kind of search is ahead where settings of both are drawn at random, ties half.

    Args:
        first: As for `lottery`.
        second: Of the other kind.

    >>> chance_ahead({"a": [1.0], "b": [5.0]}, {"c": [2.0], "d": [3.0]})
    0.5
    """
    ours = np.concatenate([np.asarray(v, dtype=np.float64) for v in first.values()])
    theirs = np.concatenate([np.asarray(v, dtype=np.float64) for v in second.values()])
    return float(((ours[:, None] < theirs) + 0.5 * (ours[:, None] == theirs)).mean())
