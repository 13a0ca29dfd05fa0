"""Columns of a table's architectures, computed when they are first asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from foretell.encoders import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Int

    from foretell.candidate import Candidate

_CHUNK = 1024


class Rows(Protocol):
    """What makes candidates of rows, such as `Table`."""

    def candidate(self, row: int) -> Candidate:
        """The candidate of one row."""
        ...


class TableColumns:
    """Columns of those rows of a table that were asked for so far."""

    def __init__(self, encode: Callable[[Sequence[Candidate]], Encoding], table: Rows) -> None:
        self._encode, self._table = encode, table
        self._at: dict[int, int] = {}
        self._blocks: list[Encoding] = []
        self._seconds = 0.0

    def rows(self, wanted: Int[np.ndarray, " k"]) -> Encoding:
        """Columns of some rows, in their order."""
        missing = [i for i in wanted.tolist() if i not in self._at]
        for low in range(0, len(missing), _CHUNK):
            part = missing[low : low + _CHUNK]
            candidates = [self._table.candidate(i) for i in part]
            start = time.process_time()
            self._blocks.append(self._encode(candidates))
            self._seconds += time.process_time() - start
            self._at |= {i: len(self._at) + k for k, i in enumerate(part)}
        if len(self._blocks) > 1:
            self._blocks = [Encoding.on_top(self._blocks)]
        return self._blocks[0].rows(np.array([self._at[i] for i in wanted.tolist()]))

    @property
    def milliseconds(self) -> float:
        """Mean time of encoding one architecture."""
        return 1e3 * self._seconds / max(len(self._at), 1)
