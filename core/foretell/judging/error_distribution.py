"""How good the networks of a space are: the distribution of their errors, with a band that says how sure it is.

Radosavovic et al., 2020, "Designing Network Design Spaces", https://arxiv.org/abs/2003.13678, section 3.1, equation 1:
F(e) is the share of networks whose error is below e, of n networks drawn from the space. Bands are bootstrapped over
networks (Efron, 1979), point by point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from foretell.posterior import Posterior

_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class ErrorDistribution:
    """F at some errors, smaller errors being better.

    Args:
        errors: Where it is given, increasing, m.
        share: F there, m.
        low: Lower end of the band, m.
        high: Upper end.
        n: Networks that it rests on.
    """

    errors: Float[np.ndarray, " m"]
    share: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]
    n: int

    @classmethod
    def of(
        cls, found: Sequence[float] | np.ndarray, at: Float[np.ndarray, " m"] | None = None, *, level: float = 0.9,
        seed: int = 0,
    ) -> ErrorDistribution:  # fmt: skip
        """Of networks that were trained.

        Args:
            found: Their errors, n.
            at: Where F is wanted; by default at the errors themselves.
            level: Of the band, in (0, 1).
            seed: Of the bootstrap.

        Raises:
            InvalidDataError: If there are no errors, one is `nan`, or the level is outside (0, 1).

        >>> ErrorDistribution.of([0.1, 0.2, 0.2, 0.5], np.array([0.1, 0.3])).share.tolist()
        [0.25, 0.75]
        """
        e = _checked(found, level)
        grid = np.unique(e) if at is None else np.asarray(at, dtype=np.float64)
        below = e[:, None] <= grid
        counts = np.random.default_rng(seed).multinomial(len(e), np.full(len(e), 1.0 / len(e)), _DRAWS)
        low, high = np.quantile(counts @ below / len(e), [(1 - level) / 2, (1 + level) / 2], axis=0)
        return cls(grid, below.mean(axis=0), low, high, len(e))

    @classmethod
    def predicted(
        cls, belief: Posterior, at: Float[np.ndarray, " m"], *, best: float = 1.0, level: float = 0.9, seed: int = 0
    ) -> ErrorDistribution:
        """Of networks that were not trained: what a fitted predictor believes of a sample of the space.

        Every network counts with its whole belief, so that what is not known of single networks widens F and does not
        make all of them average. The band holds draws of networks and of their errors; an error of the predictor that
        all networks share is not in it.

        Args:
            belief: About a target of which larger is better.
            at: Where F is wanted.
            best: What is taken off to make errors of targets: error = best - target; 1 for accuracies.
            level: Of the band, in (0, 1).
            seed: Of the draws.
        """
        drawn = best - belief.sample(_DRAWS, seed)  # (draws, n)
        rng = np.random.default_rng(seed)
        n = drawn.shape[1]
        each = np.stack([(row[rng.integers(n, size=n)][:, None] <= at).mean(axis=0) for row in drawn])
        low, high = np.quantile(each, [(1 - level) / 2, (1 + level) / 2], axis=0)
        share = np.stack([(row[:, None] <= at).mean(axis=0) for row in drawn[:: _DRAWS // 100]]).mean(axis=0)
        return cls(np.asarray(at), share, low, high, n)

    def within(self, other: ErrorDistribution) -> Bool[np.ndarray, " m"]:
        """Where F lies inside the band of another one that is given at the same errors.

        Raises:
            InvalidDataError: If it is given elsewhere.
        """
        if not np.array_equal(self.errors, other.errors):
            msg = "two distributions can be compared at the same errors only, but theirs differ: pass `at=`"
            raise InvalidDataError(msg)
        return np.asarray((self.share >= other.low) & (self.share <= other.high))


@dataclass(frozen=True)
class SpaceComparison:
    """Which of two spaces has the better networks.

    Args:
        ahead: Chance that a random network of the first has the smaller error than one of the second, ties half.
        low: Lower end of its bootstrap interval.
        high: Upper end.
        gap: Mean error of the second less that of the first, in units of the error: the area between their F.
    """

    ahead: float
    low: float
    high: float
    gap: float

    @property
    def verdict(self) -> str:
        """`first` or `second` where the interval leaves out one half, else `undecided`."""
        return "first" if self.low > 0.5 else "second" if self.high < 0.5 else "undecided"


def compare_spaces(
    first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray, *, level: float = 0.9, seed: int = 0
) -> SpaceComparison:
    """Compare two spaces by the errors of networks drawn from each, trained or predicted.

    Args:
        first: Errors of one space.
        second: Errors of the other.
        level: Of the interval, in (0, 1).
        seed: Of the bootstrap.

    Raises:
        InvalidDataError: If there are no errors, one is `nan`, or the level is outside (0, 1).

    >>> compare_spaces([0.1, 0.2, 0.3], [0.25, 0.4, 0.5]).ahead  # 8 of 9 pairs
    0.8888888888888888
    """
    a, b = _checked(first, level), _checked(second, level)
    wins = (a[:, None] < b) + 0.5 * (a[:, None] == b)
    rng = np.random.default_rng(seed)
    rows = rng.multinomial(len(a), np.full(len(a), 1.0 / len(a)), _DRAWS) / len(a)
    columns = rng.multinomial(len(b), np.full(len(b), 1.0 / len(b)), _DRAWS) / len(b)
    drawn = np.einsum("da,ab,db->d", rows, wins, columns, optimize=True).round(12)  # so that 1 is not a hair less
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return SpaceComparison(float(wins.mean()), float(low), float(high), float(b.mean() - a.mean()))


def _checked(found: Sequence[float] | np.ndarray, level: float) -> Float[np.ndarray, " n"]:
    e = np.asarray(found, dtype=np.float64)
    if not len(e) or np.isnan(e).any() or not 0.0 < level < 1.0:
        msg = f"errors without nan and `0 < level < 1` are needed, but got {len(e)} errors and {level=}: correct them"
        raise InvalidDataError(msg)
    return e
