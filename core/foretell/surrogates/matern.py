"""The Matern-5/2 correlation with one length scale a group of columns.

Notation as in `foretell.surrogates.gaussian_process`; equations of Rasmussen and Williams, 2006.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_MANY_COLUMNS, _MANY_ROWS = 16, 1000


def scaled_columns(
    X: Float[np.ndarray, "n d"], index: Int[np.ndarray, " d"], theta: Float[np.ndarray, " G_plus_2"]
) -> Float[np.ndarray, "n d"]:
    """Columns divided by their group's length scale and the root of the group's size."""
    if not len(index):
        return X
    sizes = np.bincount(index)
    return np.asarray(X / (np.exp(theta[index]) * np.sqrt(sizes[index])))


def squared_distances(A: Float[np.ndarray, "n d"], B: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
    """Distances of all pairs; many at once through a matrix product, which is some times faster and exact to 1e-12."""
    from scipy.spatial.distance import cdist

    if not A.shape[1]:
        return np.zeros((len(A), len(B)))
    if A.shape[1] < _MANY_COLUMNS or len(A) < _MANY_ROWS:
        return np.asarray(cdist(A, B, "sqeuclidean"))
    squares = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1)
    return np.asarray(np.maximum(squares - 2.0 * (A @ B.T), 0.0))


def matern(r2: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Matern correlation with smoothness 5/2 at squared scaled distances (equation 4.17)."""
    r = np.sqrt(5.0 * r2)
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
