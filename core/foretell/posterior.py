"""What a surrogate believes: a distribution for every candidate.

Everything downstream (ranking, acquisition, intervals) uses only the `Posterior` protocol. Larger values
are better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from foretell.target_warp import TargetWarp


class Posterior(Protocol):
    """Predictions for n candidates, in the units of the target."""

    @property
    def mean(self) -> Float[np.ndarray, " n"]:
        """Expected value."""
        ...

    @property
    def std(self) -> Float[np.ndarray, " n"]:
        """Standard deviation, observation noise included."""
        ...

    def quantile(self, q: float) -> Float[np.ndarray, " n"]:
        """Value below which the target lies with probability `q`, in (0, 1)."""
        ...

    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "n_samples n"]:
        """Independent draws for every candidate."""
        ...


@dataclass(frozen=True, eq=False)
class GaussianPosterior:
    """Independent normal distributions.

    Args:
        mean: Expected values, n.
        std: Standard deviations, n, positive.

    Raises:
        InvalidDataError: If shapes differ or a standard deviation is not positive and finite.
    """

    mean: Float[np.ndarray, " n"]
    std: Float[np.ndarray, " n"]

    def __post_init__(self) -> None:
        if self.mean.shape != self.std.shape or not ((self.std > 0) & (self.std < np.inf)).all():
            msg = (
                f"a posterior needs one positive std a mean, but got shapes {self.mean.shape}, "
                f"{self.std.shape}: check it"
            )
            raise InvalidDataError(msg)

    def quantile(self, q: float) -> Float[np.ndarray, " n"]:
        """See `Posterior.quantile`."""
        return np.asarray(self.mean + self.std * normal_quantile(q))

    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "n_samples n"]:
        """See `Posterior.sample`."""
        return self.mean + self.std * np.random.default_rng(seed).standard_normal((n_samples, len(self.mean)))


@dataclass(frozen=True, eq=False)
class WarpedPosterior:
    """A normal distribution seen through a monotone transformation of the target.

    Quantiles go through exactly; mean and standard deviation are sums over 64 equally likely quantiles.

    Args:
        latent: The distribution of the transformed target.
        warp: The transformation.
    """

    latent: GaussianPosterior
    warp: TargetWarp

    def _spread(self) -> Float[np.ndarray, "64 n"]:
        z = normal_quantile((np.arange(64) + 0.5) / 64)
        return self.warp.inverse(self.latent.mean + z[:, None] * self.latent.std)

    @property
    def mean(self) -> Float[np.ndarray, " n"]:
        """See `Posterior.mean`."""
        return np.asarray(self._spread().mean(axis=0))

    @property
    def std(self) -> Float[np.ndarray, " n"]:
        """See `Posterior.std`."""
        return np.asarray(self._spread().std(axis=0))

    def quantile(self, q: float) -> Float[np.ndarray, " n"]:
        """See `Posterior.quantile`."""
        return self.warp.inverse(self.latent.quantile(q))

    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "n_samples n"]:
        """See `Posterior.sample`."""
        return self.warp.inverse(self.latent.sample(n_samples, seed))


@dataclass(frozen=True, eq=False)
class FoldedPosterior:
    """Beliefs about parts of the candidates put together, such as those of cross-validation's folds.

    Args:
        parts: Rows of each part, and what is believed of them; every row from 0 to n - 1 once.

    Raises:
        InvalidDataError: If a row is absent or there twice.

    >>> one, two = (GaussianPosterior(np.array([m]), np.array([1.0])) for m in (3.0, 5.0))
    >>> FoldedPosterior(((np.array([1]), one), (np.array([0]), two))).mean.tolist()
    [5.0, 3.0]
    """

    parts: tuple[tuple[Int[np.ndarray, " k"], Posterior], ...]

    def __post_init__(self) -> None:
        rows = np.concatenate([rows for rows, _ in self.parts]) if self.parts else np.zeros(0, dtype=np.int64)
        if not np.array_equal(np.sort(rows), np.arange(len(rows))):
            msg = f"every row must be in one part, but got {np.sort(rows).tolist()[:20]}: divide 0 to n - 1"
            raise InvalidDataError(msg)

    @property
    def mean(self) -> Float[np.ndarray, " n"]:
        """See `Posterior.mean`."""
        return self._joined([posterior.mean for _, posterior in self.parts])

    @property
    def std(self) -> Float[np.ndarray, " n"]:
        """See `Posterior.std`."""
        return self._joined([posterior.std for _, posterior in self.parts])

    def quantile(self, q: float) -> Float[np.ndarray, " n"]:
        """See `Posterior.quantile`."""
        return self._joined([posterior.quantile(q) for _, posterior in self.parts])

    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "n_samples n"]:
        """See `Posterior.sample`; the parts draw from seeds of their own."""
        seeds = np.random.SeedSequence(seed).generate_state(max(len(self.parts), 1)).tolist()
        draws = [posterior.sample(n_samples, s) for (_, posterior), s in zip(self.parts, seeds, strict=False)]
        return self._joined([draw.T for draw in draws]).T if draws else np.zeros((n_samples, 0))

    def _joined(self, values: list[np.ndarray]) -> np.ndarray:
        if not values:
            return np.zeros(0)
        joined = np.empty((sum(map(len, values)), *values[0].shape[1:]))
        for (rows, _), value in zip(self.parts, values, strict=True):
            joined[rows] = value
        return joined


def normal_quantile(q: float | np.ndarray) -> np.ndarray:
    """Quantiles of the standard normal distribution.

    Raises:
        InvalidDataError: If a probability lies outside (0, 1).
    """
    from scipy.special import ndtri

    if not np.all((np.asarray(q) > 0) & (np.asarray(q) < 1)):
        msg = f"`0 < q < 1` must hold, but got {q=}: ask for a quantile inside"
        raise InvalidDataError(msg)
    return np.asarray(ndtri(q))
