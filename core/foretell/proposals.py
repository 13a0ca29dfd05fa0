"""Where proposals come from: random positions, and edits of good ones.

All functions work on positions in the unit cube (see `SearchSpace.to_unit`) and give allowed ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from foretell.distributions import Distribution
    from foretell.search_space import SearchSpace


def local_edits(
    space: SearchSpace, parents: Float[np.ndarray, "k d"], n: int, rng: np.random.Generator
) -> Float[np.ndarray, "n d"]:
    """Change one parameter or a few of each parent: numbers by a step of random size, choices to any other.

    Args:
        space: The search space.
        parents: Positions to start from, used in turn.
        n: How many edits.
        rng: Source of randomness.
    """
    d = len(space)
    children = parents[np.arange(n) % len(parents)]
    children = np.where(np.isnan(children), rng.random((n, d)), children)
    share = rng.choice([1.0 / d, 2.0 / d, 0.3], size=(n, 1))
    change = rng.random((n, d)) < share
    change[np.arange(n), rng.integers(0, d, n)] = True
    width = rng.choice([0.02, 0.1, 0.3], size=(n, 1))
    moved = children + width * rng.standard_normal((n, d))
    moved = np.abs(moved)  # reflect at both ends, so that the edges are not favoured
    moved = np.where(moved > 1.0, np.clip(2.0 - moved, 0.0, 1.0), moved)
    for j, distribution in enumerate(space.distributions.values()):
        size = distribution.size
        if size is not None and _slotted(distribution, size):
            slot = np.floor(children[:, j] * size)
            other = (slot + rng.integers(1, max(size, 2), n)) % size
            moved[:, j] = (other + 0.5) / size
    return space.snap(np.where(change, moved, children))


def _slotted(distribution: Distribution, size: int) -> bool:
    """Whether all values have slots of one width, and are so few that any other is as near as the next."""
    return isinstance(distribution, CategoricalDistribution) or (size <= 3 and not distribution.log)


def unseen(rows: Float[np.ndarray, "n d"], seen: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " n"]:
    """Which rows differ from all seen ones and from the rows before them; inactive equals inactive."""
    taken = {row.tobytes() for row in _canonical(seen)}
    fresh = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(_canonical(rows)):
        key = row.tobytes()
        fresh[i] = key not in taken
        taken.add(key)
    return fresh


def _canonical(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.where(np.isnan(rows), -1.0, np.round(rows, 9)) + 0.0)
