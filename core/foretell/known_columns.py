"""Columns of architectures, computed when they are first asked for and kept for as long as they are used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakValueDictionary

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from jaxtyping import Float, Int

    from foretell.candidate import Candidate
    from foretell.encoders import Encoding

A = TypeVar("A", bound="Hashable")
_CHUNK = 1024  # candidates that exist at a time
_KEPT = 32_768  # rows of a thousand columns are a quarter of a gigabyte


class KnownColumns(Generic[A]):
    """The columns of those architectures that were asked for lately.

    Args:
        encode: Columns of candidates, such as `Predictor.encode`.
        candidate: The candidate of an architecture.
        most: How many rows are kept; those asked for longest ago go first.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[Candidate]], Encoding],
        candidate: Callable[[A], Candidate],
        most: int = _KEPT,
    ) -> None:
        self._encode, self._candidate, self._most = encode, candidate, most
        self._kept: dict[A, _Row] = {}
        self._alike: WeakValueDictionary[bytes, _Row] = WeakValueDictionary()
        self._form: Encoding | None = None

    def rows(self, wanted: Sequence[A]) -> Encoding:
        """Columns of at least one architecture, a row each, in their order."""
        return self._joined(self._found(wanted))

    def distinct(self, wanted: Sequence[A]) -> tuple[Encoding, Int[np.ndarray, " n"]]:
        """Each different row once, and for each architecture the position of its row.

        Rows that agree to nine decimals are the same, such as those of isomorphic architectures.
        """
        found = self._found(wanted)
        position = {row: k for k, row in enumerate(dict.fromkeys(found))}
        return self._joined(list(position)), np.array([position[row] for row in found])

    def _found(self, wanted: Sequence[A]) -> list[_Row]:
        missing = [a for a in dict.fromkeys(wanted) if a not in self._kept]
        fresh: dict[A, _Row] = {}
        for low in range(0, len(missing), _CHUNK):
            part = missing[low : low + _CHUNK]
            block = self._encode([self._candidate(a) for a in part])
            self._form = block.rows(slice(0, 0))
            fresh.update(zip(part, map(self._one_of_a_kind, block.values), strict=True))
        now = {a: self._kept.pop(a) if a in self._kept else fresh[a] for a in dict.fromkeys(wanted)}
        self._kept.update(now)
        if len(self._kept) > self._most:
            for a in list(self._kept)[: len(self._kept) - self._most]:
                del self._kept[a]
        return [now[a] for a in wanted]

    def _one_of_a_kind(self, values: Float[np.ndarray, " d"]) -> _Row:
        key = blake2b((values.round(9) + 0.0).tobytes(), digest_size=16).digest()
        return self._alike.setdefault(key, _Row(values.copy()))

    def _joined(self, found: Sequence[_Row]) -> Encoding:
        assert self._form is not None
        return replace(self._form, values=np.stack([row.values for row in found]))


@dataclass(frozen=True, eq=False)
class _Row:
    values: Float[np.ndarray, " d"]
