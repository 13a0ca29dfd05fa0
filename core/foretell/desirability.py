"""How desirable several objectives are together: one number in [0, 1], and how much of it a candidate is to add.

Derringer and Suich, 1980, "Simultaneous Optimization of Several Response Variables",
https://doi.org/10.1080/00224065.1980.11980968, equations 1 and 3. A front says what can be had; who knows what is too
little and what is enough asks for the best compromise, and spends nothing on the rest of the front. The expectation is
that of desirability at samples of the beliefs, not the desirability of their means: a desirability is flat at both
ends.

Notation: m objectives, n candidates, s samples; larger is better in every objective.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.posterior import GaussianPosterior

_SAMPLES = 64
_NEARER = 1e-3  # of a standard deviation, where no sample gains anything: what is nearer to being worth something


@dataclass(frozen=True)
class Desirability:
    """How far an objective is as wished: 0 up to `low`, 1 from `high` on, a straight line between.

    Args:
        low: The value that is still worth nothing.
        high: The value beyond which more is worth no more.

    Raises:
        InvalidDataError: If they are not finite, or `low` is not below `high`.

    >>> Desirability(0.5, 0.9)(np.array([0.4, 0.6, 0.95])).round(2).tolist()
    [0.0, 0.25, 1.0]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            msg = f"a desirability needs finite low < high, but got {self.low} and {self.high}: larger is better here"
            raise InvalidDataError(msg)

    def __call__(self, y: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """Desirability of values."""
        return np.asarray(np.clip((np.clip(y, self.low, self.high) - self.low) / (self.high - self.low), 0.0, 1.0))


def overall(values: Float[np.ndarray, "*shape m"], wishes: Sequence[Desirability]) -> Float[np.ndarray, "*shape"]:
    """Geometric mean of the desirabilities of m objectives: 0 as soon as one of them is.

    >>> overall(np.array([[0.5, 1.0], [0.5, -1.0]]), [Desirability(0.0, 1.0)] * 2).round(3).tolist()
    [0.707, 0.0]
    """
    product = np.ones(values.shape[:-1])
    for k, wish in enumerate(wishes):
        product = product * wish(values[..., k])
    return np.asarray(product ** (1.0 / len(wishes)))


@lru_cache(maxsize=8)
def normal_points(m: int) -> Float[np.ndarray, "s m"]:
    """Quasi-random points of m independent standard normal distributions, always the same."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    return np.asarray(ndtri(qmc.Sobol(m, scramble=True, rng=np.random.default_rng(0)).random(_SAMPLES)))


def log_expected_gain(
    samples: Float[np.ndarray, "s n m"], wishes: Sequence[Desirability], best: float
) -> Float[np.ndarray, " n"]:
    """Logarithm of the expected gain in overall desirability over `best`, bounded below.

    Args:
        samples: Values of the objectives of n candidates, s times.
        wishes: One an objective.
        best: The overall desirability that is to be beaten, in [0, 1].
    """
    return np.asarray(np.log(np.maximum(overall(samples, wishes) - best, 0.0).mean(axis=0) + 1e-12))


def way_to_go(beliefs: Sequence[GaussianPosterior], reference: Float[np.ndarray, " m"]) -> Float[np.ndarray, " n"]:
    """A small term below zero for candidates whose means lie below a reference, by standard deviations."""
    short = sum(np.minimum((b.mean - r) / b.std, 0.0) for b, r in zip(beliefs, reference, strict=True))
    return np.asarray(_NEARER * short)
