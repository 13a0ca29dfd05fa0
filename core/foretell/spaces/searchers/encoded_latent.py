"""Columns of an encoder as coordinates: statistics of the networks, or what a pretrained encoder makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders import ColumnScaler, Encoder, OperatorStatistics
from foretell.errors import InvalidDataError
from foretell.known_columns import KnownColumns
from foretell.spaces.edits import mutate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_PARENTS = 10


@dataclass(frozen=True)
class EncodedLatent:
    """Networks where an encoder sees them; the nearest architecture is one of a pool.

    There is no way back from columns to a network. So the pool holds draws and mutations of the best observed, half of
    either, and the nearest is meant in the columns' Euclidean distance.

    Args:
        space: The program.
        encoder: Gives the columns.
        pool: How many architectures may be arrived at.

    Raises:
        InvalidDataError: If the pool is below 2.
    """

    space: Space
    encoder: Encoder = field(default_factory=OperatorStatistics)
    pool: int = 300
    _columns: KnownColumns[Trace] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pool < 2:
            msg = f"`pool >= 2` must hold, but got {self.pool=}: there must be something to arrive at"
            raise InvalidDataError(msg)
        columns: KnownColumns[Trace] = KnownColumns(self.encoder.encode, self._candidate)
        object.__setattr__(self, "_columns", columns)

    def __reduce__(self) -> tuple[Any, ...]:
        return EncodedLatent, (self.space, self.encoder, self.pool)

    def _candidate(self, trace: Trace) -> Candidate:
        return Candidate(self.space.graph(trace.config))

    def chart(self, observed: Sequence[Trace], rng: np.random.Generator) -> EncodedChart:
        """See `Latent.chart`."""
        parents, half = observed[:_PARENTS], self.pool // 2
        near = [mutate(self.space, parents[i % len(parents)], rng) for i in range(half)]
        far = [self.space.draw(rng) for _ in range(self.pool - half)]
        left = dict.fromkeys(near + far)
        pool = [trace for trace in left if trace not in set(observed)] or list(left)
        return EncodedChart(self._columns, ColumnScaler.fit(self._columns.rows(list(observed))), pool)


class EncodedChart:
    """See `Chart`.

    Args:
        columns: Of any architecture.
        scaler: Standardises them.
        pool: What may be arrived at.
    """

    def __init__(self, columns: KnownColumns[Trace], scaler: ColumnScaler, pool: Sequence[Trace]) -> None:
        self._columns, self._scaler, self._pool = columns, scaler, pool
        self._where = self.rows(pool)

    def rows(self, traces: Sequence[Trace]) -> Float[np.ndarray, "n d"]:
        """See `Chart.rows`."""
        return self._scaler.transform(self._columns.rows(list(traces)))

    def nearest(self, points: Float[np.ndarray, "n d"]) -> list[Trace]:
        """See `Chart.nearest`."""
        squares = (self._where**2).sum(axis=1) - 2.0 * points @ self._where.T  # less what is the same for all
        return [self._pool[i] for i in squares.argmin(axis=1).tolist()]
