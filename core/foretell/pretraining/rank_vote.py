"""One ranking from several scores that share no unit, such as a pretrained score and proxies: the mean of ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float


def rank_vote(scores: Mapping[str, Float[np.ndarray, " n"]]) -> Float[np.ndarray, " n"]:
    """Mean over scores of each network's rank; larger is better, equal weights, equal scores share a rank.

    The fair way without labels: learning weights of zero-cost proxies needs some. A network of which a score is `nan`
    gets that score's middle rank.

    Args:
        scores: Scores of the same n networks, by name, each larger for better ones; infinite ones are allowed.

    Returns:
        Numbers in [0, 1]; 1 is best in every score.

    Raises:
        InvalidDataError: If there is no score, or lengths differ.

    >>> rank_vote({"pretrained": np.array([0.1, 0.9, 0.5]), "naswot": np.array([100.0, 120.0, np.nan])}).tolist()
    [0.0, 1.0, 0.5]
    """
    from scipy.stats import rankdata

    lengths = {name: len(values) for name, values in scores.items()}
    if len(set(lengths.values())) != 1:
        msg = f"scores of the same networks are needed, at least one, but got {lengths}: score every network"
        raise InvalidDataError(msg)
    total = np.zeros(next(iter(lengths.values())))
    for values in scores.values():
        known = ~np.isnan(values)
        ranks = np.full(len(values), 0.5)
        if known.sum() > 1:
            ranks[known] = (rankdata(values[known]) - 1.0) / (known.sum() - 1.0)
        total += ranks
    return np.asarray(total / len(scores))
