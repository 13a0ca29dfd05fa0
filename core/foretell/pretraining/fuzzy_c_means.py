"""Fuzzy C-means: clusters to which a point belongs in part, as GENNAPE divides the space of networks.

Bezdek, 1981, "Pattern Recognition with Fuzzy Objective Function Algorithms"; Mills et al., 2023,
https://arxiv.org/abs/2211.17226, equation 4. Memberships are computed as the softmax of -log d^2 / (m - 1), which is
the same and cannot overflow. C and m are not known from the paper; the defaults are ours.

Notation: n points h of d numbers, C centroids v, memberships U (n x C), fuzzifier m.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from foretell.errors import ForetellWarning, InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float

_SAME = 1e-24  # squared distance under which a point is the centroid
_UNCERTAIN = 0.95  # share of the largest entropy from which on clusters say nothing
_CONTRIBUTING = 1e-12  # weight of a point below which it cannot move a centroid


class FuzzinessWarning(ForetellWarning):
    """All points belong to all clusters alike, so the clusters tell nothing."""


@dataclass(frozen=True, eq=False)
class FuzzyClusters:
    """Centroids that were found and do not move any more.

    Args:
        centroids: C x d.
        fuzzifier: m.
    """

    centroids: Float[np.ndarray, "C d"]
    fuzzifier: float

    def memberships(self, h: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n C"]:
        """U_ik = 1 / sum_j (d_ik^2 / d_ij^2)^(1 / (m - 1)); 1 for a point on a centroid. Rows sum to 1.

        >>> clusters = FuzzyClusters(np.array([[0.0], [4.0]]), fuzzifier=2.0)
        >>> clusters.memberships(np.array([[1.0], [4.0]])).round(3).tolist()
        [[0.9, 0.1], [0.0, 1.0]]
        """
        squares = _squares(np.asarray(h, dtype=np.float64), self.centroids)
        return np.asarray(softmax(-np.log(np.maximum(squares, _SAME)) / (self.fuzzifier - 1.0), axis=1))


@dataclass(frozen=True)
class FuzzyCMeans:
    """Settings.

    Args:
        clusters: C.
        fuzzifier: m, above 1; 2 is usual, smaller is crisper and better in many dimensions.
        tolerance: Ends when no membership changes by more.
        max_iterations: Ends at the latest after so many rounds.
        starts: Times to begin anew, with centroids by k-means++; the lowest objective wins.
        seed: Seed of the starts.

    Raises:
        InvalidDataError: If a number is out of range.
    """

    clusters: int = 10
    fuzzifier: float = 1.5
    tolerance: float = 1e-9
    max_iterations: int = 300
    starts: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.clusters < 1 or self.fuzzifier <= 1 or self.starts < 1 or self.max_iterations < 1:
            msg = (
                f"clusters, starts and rounds from 1 on and a fuzzifier above 1 are needed, but got {self}: correct it"
            )
            raise InvalidDataError(msg)

    def fit(self, h: Float[np.ndarray, "n d"]) -> FuzzyClusters:
        """Find clusters by alternating memberships and v_k = sum_i U_ik^m h_i / sum_i U_ik^m, in float64.

        Warns:
            FuzzinessWarning: If the mean entropy of memberships is within 5 % of log C.

        Raises:
            InvalidDataError: If there are fewer points than clusters, or a number is not finite.
        """
        h = np.asarray(h, dtype=np.float64)
        if len(h) < self.clusters or not np.isfinite(h).all():
            msg = f"clusters need at least {self.clusters} finite points, but got shape {h.shape}: give more"
            raise InvalidDataError(msg)
        rng = np.random.default_rng(self.seed)
        found = [self._from(h, _distant_points(h, self.clusters, rng)) for _ in range(self.starts)]
        best, U = min(found, key=lambda pair: self._objective(h, *pair))
        uncertain = entropy(U) / math.log(self.clusters) if self.clusters > 1 else 0.0
        if uncertain > _UNCERTAIN:
            message = (
                f"clusters should differ, but memberships have {uncertain:.0%} of the largest entropy: lower the "
                f"fuzzifier, {self.fuzzifier} now, or the number of clusters"
            )
            warnings.warn(message, FuzzinessWarning, stacklevel=2)
        return best

    def _from(self, h: np.ndarray, centroids: np.ndarray) -> tuple[FuzzyClusters, np.ndarray]:
        clusters = FuzzyClusters(centroids, self.fuzzifier)
        U = clusters.memberships(h)
        for _ in range(self.max_iterations):
            weight = U**self.fuzzifier
            total = weight.sum(axis=0)[:, None]
            moved = np.where(total > _CONTRIBUTING, weight.T @ h / np.maximum(total, _CONTRIBUTING), clusters.centroids)
            clusters = FuzzyClusters(moved, self.fuzzifier)
            before, U = U, clusters.memberships(h)
            if np.abs(U - before).max() <= self.tolerance:
                break
        return clusters, U

    def _objective(self, h: np.ndarray, clusters: FuzzyClusters, U: np.ndarray) -> float:
        return float((U**self.fuzzifier * _squares(h, clusters.centroids)).sum())


def entropy(U: Float[np.ndarray, "n C"]) -> float:
    """Mean entropy of memberships: 0 where each point has one cluster, log C where all have all alike."""
    return float(-(U * np.log(np.maximum(U, 1e-300))).sum(axis=1).mean())


def _squares(h: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Squared distances, n x C, by differences: the shorter formula loses all digits next to a centroid."""
    return np.stack([((h - v) ** 2).sum(axis=1) for v in centroids], axis=1)


def _distant_points(h: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++ (Arthur and Vassilvitskii, 2007): each point drawn by its squared distance to those drawn before."""
    chosen = [h[rng.integers(len(h))]]
    nearest = ((h - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < k:
        total = nearest.sum()
        where = rng.choice(len(h), p=nearest / total) if total > 0 else rng.integers(len(h))
        chosen.append(h[where])
        nearest = np.minimum(nearest, ((h - chosen[-1]) ** 2).sum(axis=1))
    return np.stack(chosen)
