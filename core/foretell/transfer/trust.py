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
    own = np.array([_own_agreement(s) for s in surrogates])
    left = np.flatnonzero(own)
    if len(left) < 2:
        return own
    between = np.zeros((len(own), len(own)))
    for a, b in combinations(left.tolist(), 2):
        between[a, b] = between[b, a] = _agreement(surrogates[a], surrogates[b])
    while len(left):
        support = between[np.ix_(left, left)] @ own[left]
        if support.min() >= 0:
            break
        left = left[support > support.min() + 1e-9]
    weight = own[left]
    heard = np.maximum(weight.sum() - weight, 1e-12)
    found = np.zeros(len(own))
    found[left] = weight * np.clip(between[np.ix_(left, left)] @ weight / heard, 0.0, 1.0)
    if distances is not None and found.any():
        said = np.flatnonzero(found)
        power = worth_of_descriptions(distances[1:, 1:][np.ix_(said, said)], between[np.ix_(said, said)])
        found[said] *= nearness(distances[0, 1:][said]) ** power
    return found


def _own_agreement(surrogate: SourceSurrogate) -> float:
    process = surrogate.process
    rho = spearman_rho(process.y, process.leave_one_out().mean)
    return rho if rho > 2.0 / np.sqrt(len(process.y) - 1.0) else 0.0


def _agreement(a: SourceSurrogate, b: SourceSurrogate) -> float:
    """Rank correlation of what each of two sources expects with what the other has seen, mean of both ways."""
    there = spearman_rho(b.process.y, a.mean(b.units))
    back = spearman_rho(a.process.y, b.mean(a.units))
    return (there + back) / 2
