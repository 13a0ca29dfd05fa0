"""How much each member of an ensemble counts, and how scores of different units are added.

GENNAPE (Mills et al., 2023, https://arxiv.org/abs/2211.17226, section 4.3) counts all alike without labels, and by the
softmax of each member's Kendall tau where there are some. On what scale members are added is not known from the paper;
ours are standardised over the networks that are ranked, or over those of pretraining where a single one is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau

if TYPE_CHECKING:
    from jaxtyping import Float


def equal_votes(members: int) -> Float[np.ndarray, " M"]:
    """The same for all, sum 1."""
    return np.full(members, 1.0 / members)


def kendall_votes(
    scores: Float[np.ndarray, "n M"], y: Float[np.ndarray, " n"], *, temperature: float = 1.0
) -> Float[np.ndarray, " M"]:
    """Softmax of each member's Kendall tau with the targets, sum 1.

    Args:
        scores: Of each member; in the paper those of the fine-tuned member for the very networks that it was tuned on,
            which favours members that learn by heart. With scores of held-out networks they tell more.
        y: Targets, larger is better.
        temperature: 1 as in the paper, where the largest vote is at most e^2 times the smallest; less is sharper.

    Raises:
        InvalidDataError: If the temperature is not positive.

    >>> kendall_votes(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.array([0.1, 0.2, 0.3])).round(3).tolist()
    [0.881, 0.119]
    """
    if temperature <= 0:
        msg = f"`temperature > 0` must hold, but got {temperature=}: the paper's is 1"
        raise InvalidDataError(msg)
    if len(y) == 0:
        return equal_votes(scores.shape[1])
    return np.asarray(softmax(np.array([kendall_tau(y, column) for column in scores.T]) / temperature))


def standard_scores(
    scores: Float[np.ndarray, "n M"], pool: tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]] | None = None
) -> Float[np.ndarray, "n M"]:
    """Scores in units of their deviation over a pool.

    Args:
        scores: Of each member.
        pool: Mean and deviation of each over some other networks; without it over these. A member that gives the same
            to all gets 0.
    """
    centre, unit = (scores.mean(axis=0), scores.std(axis=0)) if pool is None else pool
    return np.asarray((scores - centre) / np.where(unit > 0, unit, 1.0))
