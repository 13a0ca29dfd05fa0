"""Hashes that are the same in every process and on every machine: of texts, and of arrays of 64-bit numbers.

Encoders give columns by them (feature hashing: Weinberger et al., 2009, "Feature Hashing for Large Scale
Multitask Learning", https://arxiv.org/abs/0902.2206), so they must never change: a stored predictor relies on
them. Sums of mixed numbers, modulo 2^64, name multisets: they do not depend on the order of their terms.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, UInt64


@cache
def hash_text(text: str) -> int:
    """64 bits of BLAKE2b.

    >>> hash_text("Conv3x3") % 1000
    824
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(values: UInt64[np.ndarray, "*shape"], salt: int = 0) -> UInt64[np.ndarray, "*shape"]:
    """A permutation of the 64-bit numbers that looks random, another for each salt.

    The finaliser of SplitMix64 (Steele, Lea and Flood, 2014, "Fast Splittable Pseudorandom Number Generators",
    https://doi.org/10.1145/2660193.2660195, section 4 with the constants of its figure 16).

    >>> int(mix(np.array([0], dtype=np.uint64))[0]) == 0xE220A8397B1DCDAF
    True
    """
    z = values + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def uniform(values: UInt64[np.ndarray, "*shape"], salt: int = 0) -> Float[np.ndarray, "*shape"]:
    """A number in [-1, 1) for each 64-bit number, as if drawn uniformly."""
    return np.asarray((mix(values, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0)
