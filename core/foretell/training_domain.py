"""Whether a network is like those that a predictor learnt from: its distance to the nearest of them.

Columns are projected at random, which keeps distances nearly as they are (Johnson and Lindenstrauss, 1984), so that a
checkpoint holds a few kilobytes in place of all columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

_WIDTH, _MOST = 64, 512
_QUANTILE = 0.95
_FEW = 3


@dataclass(frozen=True, eq=False)
class TrainingDomain:
    """Training architectures as points, and how far apart they lie.

    Args:
        points: Projected columns of at most 512 training architectures.
        limit: The 0.95 quantile of each one's distance to the nearest other one; infinite for fewer than three.
        size: How many there were in training.
    """

    points: Float[np.ndarray, "k 64"]
    limit: float
    size: int

    @classmethod
    def fit(cls, columns: Float[np.ndarray, "n d"]) -> TrainingDomain:
        """Learn from scaled columns.

        >>> domain = TrainingDomain.fit(np.random.default_rng(0).standard_normal((50, 20)))
        >>> ratios = domain.ratios(np.stack([np.zeros(20), np.full(20, 5.0)]))
        >>> ratios[0] < 1 < ratios[1], domain.size
        (np.True_, 50)
        """
        kept = np.linspace(0, len(columns) - 1, min(len(columns), _MOST)).round().astype(int)
        points = _projected(columns[kept])
        if len(points) < _FEW:
            return cls(points.astype(np.float32), np.inf, len(columns))
        apart = _distances(points, points)
        np.fill_diagonal(apart, np.inf)
        return cls(points.astype(np.float32), float(np.quantile(apart.min(axis=1), _QUANTILE)), len(columns))

    def ratios(self, columns: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Distance of each row to the nearest training architecture, 1 being `limit`; above 1 is outside."""
        nearest = _distances(_projected(columns), self.points.astype(np.float64)).min(axis=1)
        return np.asarray(nearest / max(self.limit, 1e-9))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint, whose numbers must be finite: an infinite limit is stored as -1."""
        limit = self.limit if np.isfinite(self.limit) else -1.0
        return {"points": self.points, "limit": np.array([limit]), "size": np.array([self.size])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TrainingDomain:
        """Inverse of `to_arrays`."""
        points, limit, size = arrays["points"], arrays["limit"], arrays["size"]
        sound = points.dtype == np.float32 and points.ndim == 2 and points.shape[1] == _WIDTH and len(points) > 0
        if (
            not sound
            or limit.shape != (1,)
            or limit.dtype != np.float64
            or size.shape != (1,)
            or size.dtype.kind != "i"
        ):
            msg = f"a stored domain needs points of {_WIDTH} numbers, a limit and a size, but has others: save it again"
            raise CheckpointError(msg)
        most = float(limit[0])
        return cls(points, most if most >= 0 else np.inf, int(size[0]))


def _projected(columns: np.ndarray) -> np.ndarray:
    """Sums of all columns with random signs; these come in the order of columns, whatever their number."""
    signs = 2.0 * np.random.default_rng(64).integers(2, size=(columns.shape[1], _WIDTH)) - 1.0
    return np.asarray(columns @ signs / np.sqrt(_WIDTH))


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
