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
    from jaxtyping import Float

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
        if self.mean.shape != self.std.shape or not bool(np.all((self.std > 0) & np.isfinite(self.std))):
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
