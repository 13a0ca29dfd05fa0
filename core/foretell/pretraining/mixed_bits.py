"""A bijection of 64-bit numbers under which like numbers get unlike ones: names of colours, and draws by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import UInt64


def mixed_bits(x: UInt64[np.ndarray, " n"], seed: int) -> UInt64[np.ndarray, " n"]:
    """The finaliser of SplitMix64 (Steele et al., 2014), a bijection for each seed in [0, 2^63).

    >>> len(set(mixed_bits(np.arange(3, dtype=np.uint64), 0).tolist()))
    3
    """
    with np.errstate(over="ignore"):
        x = (x + np.uint64(seed + 1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))
