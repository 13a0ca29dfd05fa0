"""How often one method beats another on the same studies, with an interval that knows which studies are kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from jaxtyping import Float

_RESAMPLES, _SEED, _INSIDE = 2000, 0, 0.9


@dataclass(frozen=True, slots=True)
class WinRate:
    """Share of paired studies that were won, a tie counting half.

    Attributes:
        rate: The share, in [0, 1].
        low: Lower end of the central 90 % interval.
        high: Upper end.
        pairs: Number of paired studies.
    """

    rate: float
    low: float
    high: float
    pairs: int


def win_rate(ours: Float[np.ndarray, " n"], theirs: Float[np.ndarray, " n"], clusters: Sequence[Hashable]) -> WinRate:
    """Compare two methods study by study; larger is better.

    The interval is a percentile bootstrap that draws whole clusters: seeds of one data set say the same thing twice,
    and drawing them one by one would make intervals too narrow (Cameron, Gelbach and Miller, 2008, "Bootstrap-Based
    Improvements for Inference with Clustered Errors", https://doi.org/10.1162/rest.90.3.414, section III). Every
    cluster counts by its number of studies.

    Args:
        ours: What our studies reached.
        theirs: What the others' reached, in the same order.
        clusters: The data set of each pair.

    Raises:
        InvalidDataError: If lengths differ or there is no pair.

    >>> win_rate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0]), ["a", "a", "b"])
    WinRate(rate=0.5, low=0.0, high=0.75, pairs=3)
    """
    if not len(ours) == len(theirs) == len(clusters) or not len(ours):
        msg = f"pairs must be complete, but got {len(ours)}, {len(theirs)} and {len(clusters)} clusters: pair them"
        raise InvalidDataError(msg)
    won = np.where(ours == theirs, 0.5, np.asarray(ours) > np.asarray(theirs))
    names = {name: i for i, name in enumerate(dict.fromkeys(clusters))}
    index = np.array([names[name] for name in clusters])
    sums, counts = np.bincount(index, weights=won), np.bincount(index)
    drawn = np.random.default_rng(_SEED).integers(len(names), size=(_RESAMPLES, len(names)))
    rates = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(rates, [0.5 - _INSIDE / 2, 0.5 + _INSIDE / 2])
    return WinRate(float(won.mean()), float(low), float(high), len(won))
