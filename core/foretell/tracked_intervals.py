"""Intervals that hold along a search, where what is asked next is what looked best.

A search asks where its predictor errs upwards (the winner's curse) and where it knows little, so intervals that hold on
a random draw need not hold for it. Here the width follows the search's own record: every interval that missed makes
the next ones wider, every one that held makes them a little narrower. The share that misses approaches the wanted one
on any sequence, whatever the predictor and whatever chooses (Gibbs and Candes, 2021, "Adaptive Conformal Inference
Under Distribution Shift", https://arxiv.org/abs/2106.00170; what follows the record here is the width instead of the
level, as in Angelopoulos, Candes and Tibshirani, 2023, "Conformal PID Control for Time Series Prediction",
https://arxiv.org/abs/2307.16895, so that the posterior stays normal).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, WarpedPosterior

if TYPE_CHECKING:
    from jaxtyping import Float

_INSIDE = 0.9
_LEAST = 0.2


@dataclass(frozen=True)
class TrackedIntervals:
    """How many times wider than the predictor's own the next interval is.

    The factor follows by its logarithm: where a study of sixty trials needs intervals three times as wide, a factor to
    which something is added comes too late. Start and rate were chosen on studies of the four TransNAS-Bench-101 tasks
    and the tuned half of `foretell bench search`, that they are relative after a look at the space of NAS-Bench-101.
    Started at 1 they would hold a little less first: what looks best is overrated.

    Args:
        width: Factor of the standard deviation.
        rate: How fast the factor follows: to its logarithm 0.9 times as much is added after an interval that missed, a
            tenth of it taken off after one that held.

    Raises:
        InvalidDataError: If one is not positive.

    >>> belief = GaussianPosterior(np.array([0.0]), np.array([1.0]))
    >>> intervals = TrackedIntervals(width=1.0, rate=0.2)
    >>> [round(intervals.after(belief, np.array([value])).width, 2) for value in (1.7, 1.6)]
    [1.2, 0.98]
    """

    width: float = 1.3
    rate: float = 0.5

    def __post_init__(self) -> None:
        if not self.width > 0 or not self.rate > 0:
            msg = f"`width > 0` and `rate > 0` must hold, but got {self}: see the defaults"
            raise InvalidDataError(msg)

    @overload
    def of(self, posterior: GaussianPosterior) -> GaussianPosterior: ...

    @overload
    def of(self, posterior: WarpedPosterior) -> WarpedPosterior: ...

    def of(self, posterior: GaussianPosterior | WarpedPosterior) -> GaussianPosterior | WarpedPosterior:
        """The same belief with wider or narrower intervals; medians stay."""
        if isinstance(posterior, WarpedPosterior):
            return WarpedPosterior(self.of(posterior.latent), posterior.warp)
        return GaussianPosterior(posterior.mean, posterior.std * self.width)

    def after(
        self, posterior: GaussianPosterior | WarpedPosterior, values: Float[np.ndarray, " n"]
    ) -> TrackedIntervals:
        """What is learnt when targets of candidates become known.

        Args:
            posterior: What was believed of the candidates before, as the predictor gave it.
            values: Their targets, in the posterior's units.

        Raises:
            InvalidDataError: If there is not one target a candidate.
        """
        mine = self.of(posterior)
        low, high = (mine.quantile(q) for q in (0.5 - _INSIDE / 2, 0.5 + _INSIDE / 2))
        if np.shape(values) != low.shape:
            msg = f"one target a candidate is needed, but got shapes {np.shape(values)} and {low.shape}: pair them"
            raise InvalidDataError(msg)
        missed = (values < low) | (values > high)
        step = float(np.sum(missed - (1.0 - _INSIDE)))
        return replace(self, width=max(self.width * float(np.exp(self.rate * step)), _LEAST))
