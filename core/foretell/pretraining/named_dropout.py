"""Dropout by name: what a row loses hangs on what the row is, not on where it stands.

A mask out of a generator is drawn row by row, so a batch that is divided among processes, or put in another order,
loses other numbers. Here a row's mask is a hash of its name and of a draw that all processes share: the parts of a
batch lose exactly what the whole would have lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from foretell.pretraining.mixed_bits import mixed_bits

if TYPE_CHECKING:
    from jaxtyping import Float, UInt64

_LEVELS = 2**16  # 16 bits decide about a number, so a rate is exact to 1 / 131072


def named_dropout(
    x: Float[torch.Tensor, "n d"], names: UInt64[np.ndarray, " n"], rate: float, generator: torch.Generator
) -> Float[torch.Tensor, "n d"]:
    """Rows of which each number is 0 with probability `rate`, the others grown so that the mean stays.

    Args:
        x: The rows.
        names: Of each row; equal names lose the same numbers.
        rate: In [0, 1).
        generator: Gives one draw, whatever the number of rows.

    >>> x, names = torch.ones(4, 3), np.arange(4, dtype=np.uint64)
    >>> whole = named_dropout(x, names, 0.5, torch.Generator().manual_seed(0))
    >>> part = named_dropout(x[2:], names[2:], 0.5, torch.Generator().manual_seed(0))
    >>> bool((whole[2:] == part).all())
    True
    """
    draw = int(torch.randint(2**62, (), generator=generator))
    columns = x.shape[1]
    base = mixed_bits(names, draw)
    words = np.stack([mixed_bits(base, j) for j in range(-(-columns // 4))], axis=1)  # (n, words) of 64 bits
    lost = min(round(rate * _LEVELS), _LEVELS - 1)
    kept = words.astype("<u8").view("<u2")[:, :columns] >= lost  # (n, d)
    return x * torch.from_numpy(kept).to(x.device) * (_LEVELS / (_LEVELS - lost))
