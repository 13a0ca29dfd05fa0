"""Which point of a sequence a parameter takes that is drawn on its own, so that parameters do not go in step.

Sequences of one dimension are all alike: points 1 and 3 lie in one half of the range whatever the scrambling.
Parameters that each take the point of the trial's number are therefore confounded, and a few trials see one diagonal of
the space.
"""

from __future__ import annotations

import numpy as np

_BLOCK = 8


def latin_index(index: int, seed: int) -> int:
    """The index in an order of the parameter's own, which only changes places within eight: a Latin hypercube of eight.

    McKay, Beckman and Conover, 1979, "A Comparison of Three Methods for Selecting Values of Input Variables in the
    Analysis of Output from a Computer Code". The first of each eight stays.

    Args:
        index: Number of the trial, from 0.
        seed: Another one for every parameter.

    >>> [latin_index(i, 3) for i in range(8)]
    [0, 6, 7, 3, 2, 5, 4, 1]
    """
    block, place = divmod(index, _BLOCK)
    order = np.append(0, 1 + np.random.default_rng([seed, block]).permutation(_BLOCK - 1))
    return block * _BLOCK + int(order[place])
