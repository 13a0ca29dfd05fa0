"""The order in which an epoch sees its rows: random, and near each other those that lie in the same files.

Rows of a corpus that does not fit into memory are shuffled in two steps: the files, then the rows of a few files at a
time. It hangs on seed and epoch alone, not on the number of processes, nor on where a run was interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class ShuffledRows:
    """Rows to be seen once an epoch.

    Args:
        shards: The rows of each file; without files, one with all.
        window: Files whose rows are mixed.

    Raises:
        InvalidDataError: If there is no row, or no file in a window.
    """

    shards: tuple[Int[np.ndarray, " k"], ...]
    window: int = 4

    def __post_init__(self) -> None:
        if self.window < 1 or not len(self):
            msg = f"shuffling needs rows and a window of at least one file, but got {len(self)} rows, {self.window=}"
            raise InvalidDataError(f"{msg}: give some")

    @classmethod
    def among(cls, rows: Int[np.ndarray, " n"], shards: tuple[Int[np.ndarray, " k"], ...]) -> ShuffledRows:
        """Some rows of a corpus, divided into its files, each a range of rows; with one file in the order given."""
        if len(shards) == 1:
            return cls((np.asarray(rows),))
        ends = np.array([shard[-1] + 1 for shard in shards])
        files = np.searchsorted(ends, rows, side="right")
        order = np.argsort(files, kind="stable")
        parts = np.split(np.asarray(rows)[order], np.searchsorted(files[order], np.arange(1, len(shards))))
        return cls(tuple(part for part in parts if len(part)))

    def __len__(self) -> int:
        return sum(map(len, self.shards))

    def batches(self, seed: int, epoch: int, batch: int) -> Iterator[Int[np.ndarray, " b"]]:
        """All rows in `ceil(len / batch)` batches whose sizes differ by one at most.

        >>> rows = ShuffledRows((np.arange(4), np.arange(4, 7)), window=1)
        >>> [sorted(part.tolist()) for part in rows.batches(0, 0, 4)]
        [[0, 1, 2, 3], [4, 5, 6]]
        """
        steps = self.steps(batch)
        sizes = iter([len(self) // steps + (i < len(self) % steps) for i in range(steps)])
        left, wanted = np.zeros(0, dtype=np.int64), next(sizes)
        for mixed in self._windows(seed, epoch):
            left = np.concatenate([left, mixed])
            while len(left) >= wanted > 0:
                yield left[:wanted]
                left, wanted = left[wanted:], next(sizes, 0)

    def steps(self, batch: int) -> int:
        """Batches an epoch."""
        return -(-len(self) // batch)

    def _windows(self, seed: int, epoch: int) -> Iterator[np.ndarray]:
        if len(self.shards) == 1:
            yield np.random.default_rng([seed, epoch]).permutation(self.shards[0])
            return
        order = np.random.default_rng([seed, epoch]).permutation(len(self.shards))
        for low in range(0, len(order), self.window):
            rows = np.concatenate([self.shards[i] for i in order[low : low + self.window]])
            yield np.random.default_rng([seed, epoch, low]).permutation(rows)
