"""How far a source may be believed before the present study has any result: does it know itself, do others agree?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from foretell.metrics import spearman_rho
from foretell.transfer.nearness import nearness, worth_of_descriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.transfer.source_surrogate import SourceSurrogate


def trust(
    surrogates: Sequence[SourceSurrogate], distances: Float[np.ndarray, "k_plus_1 k_plus_1"] | None = None
) -> Float[np.ndarray, " k"]:
    """Rank agreements in [0, 1], one a source: with its own data left out one by one, times that with the others.

    A source whose values are noise cannot foretell its own: a rank correlation below twice its standard deviation under
    chance, 1 / sqrt(n - 1), counts as 0. One that was read upside down, or stands for another problem, contradicts the
    others: as long as the agreements of a source with the others sum to less than 0, the most contradicted one is left
    out. Sources that only contradict each other are all left out, since nothing says which is right; one that is alone
    from the beginning is judged by its own data.

    Where tasks are described, a source counts less the farther its task is from the present one, beyond the nearest, as
    far as descriptions tell which sources agree, see `worth_of_descriptions`.

    Args:
        surrogates: What the sources say.
        distances: Squared distances between tasks, the present one first and then the sources', see `task_distances`.
    """
    own = own_agreements(surrogates)
    between = mutual_agreements(surrogates, np.flatnonzero(own).tolist())
    found = uncontradicted(own, between)
    if distances is not None and found.any():
        said = np.flatnonzero(found)
        power = worth_of_descriptions(distances[1:, 1:][np.ix_(said, said)], between[np.ix_(said, said)])
        found[said] *= nearness(distances[0, 1:][said]) ** power
    return found


def uncontradicted(own: Float[np.ndarray, " k"], between: Float[np.ndarray, "k k"]) -> Float[np.ndarray, " k"]:
    """Own agreement times that with the others, without those that the others contradict; see `trust`.

    Args:
        own: See `own_agreements`.
        between: See `mutual_agreements`.

    >>> upside_down = np.array([[0.0, 0.8, -0.8], [0.8, 0.0, -0.8], [-0.8, -0.8, 0.0]])
    >>> uncontradicted(np.array([1.0, 1.0, 1.0]), upside_down).tolist()
    [0.8, 0.8, 0.0]
    """
    left = np.flatnonzero(own)
    if len(left) < 2:
        return own
    while len(left):
        support = between[np.ix_(left, left)] @ own[left]
        if support.min() >= 0:
            break
        left = left[support > support.min() + 1e-9]
    weight = own[left]
    heard = np.maximum(weight.sum() - weight, 1e-12)
    found = np.zeros(len(own))
    found[left] = weight * np.clip(between[np.ix_(left, left)] @ weight / heard, 0.0, 1.0)
    return found


def own_agreements(surrogates: Sequence[SourceSurrogate]) -> Float[np.ndarray, " k"]:
    """How well each source foretells its own values, left out one by one: a rank correlation, 0 if it may be chance."""
    return np.array([_own_agreement(s) for s in surrogates])


def mutual_agreements(surrogates: Sequence[SourceSurrogate], among: Sequence[int]) -> Float[np.ndarray, "k k"]:
    """Rank correlation of what each source expects with what the other has seen, mean of both ways.

    Args:
        surrogates: What the sources say.
        among: Which of them are compared; 0 elsewhere, and in the diagonal.
    """
    between = np.zeros((len(surrogates), len(surrogates)))
    for a, b in combinations(among, 2):
        between[a, b] = between[b, a] = _agreement(surrogates[a], surrogates[b])
    return between


def _own_agreement(surrogate: SourceSurrogate) -> float:
    process = surrogate.process
    rho = spearman_rho(process.y, process.leave_one_out().mean)
    return rho if rho > 2.0 / np.sqrt(len(process.y) - 1.0) else 0.0


def _agreement(a: SourceSurrogate, b: SourceSurrogate) -> float:
    """Rank correlation of what each of two sources expects with what the other has seen, mean of both ways."""
    there = spearman_rho(b.process.y, a.mean(b.units))
    back = spearman_rho(a.process.y, b.mean(a.units))
    return (there + back) / 2
