"""Encoder of configurations of programs: which decisions were taken, below which others, how often.

Names of a program's parameters are paths, so that a configuration is a tree (`foretell.spaces`). The same decision at
another place has another name; what columns count is the decision with the decisions that lead to it, one, two and
three of them, as Weisfeiler-Lehman features count neighbourhoods.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.candidate import Candidate

_SPAN = 3


@dataclass(frozen=True)
class Derivation:
    """Logarithms of counts, hashed, a block for each length of the way that leads to a decision.

    Args:
        buckets: Columns a block.

    Raises:
        InvalidDataError: If there are no buckets.

    >>> from foretell.candidate import Candidate
    >>> config = {"body.is": "seq", "body.seq.0.is": "relu", "body.seq.1.is": "relu"}
    >>> encoding = Derivation(buckets=8).encode([Candidate(config=config)])
    >>> sorted(np.expm1(encoding.values[0, :8]).round(6).tolist())[-2:]  # one seq, two relu
    [1.0, 2.0]
    """

    name: ClassVar[str] = "derivation"
    buckets: int = 128

    def __post_init__(self) -> None:
        if self.buckets < 1:
            msg = f"`buckets >= 1` must hold, but got {self.buckets=}: 128 is the default"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode configurations, see `Encoder.encode`; one that is empty is absent."""
        counts = np.zeros((len(candidates), _SPAN + 1, self.buckets))
        for row, candidate in enumerate(candidates):
            if not candidate.config:
                counts[row] = np.nan
            for path, value in candidate.config.items():
                words = [word for word in path.split(".") if not word.isdigit()]
                for span in range(1, _SPAN + 1):
                    self._count(counts[row, span - 1], f"{'.'.join(words[-span:])}={value}")
                if path.count(".") <= _SPAN:  # near the root the place itself has a meaning
                    self._count(counts[row, _SPAN], f"{path}={value}")
        blocks = [f"derivation {i + 1}" for i in range(_SPAN)] + ["derivation place"]
        names = tuple(f"{block} {k}" for block in blocks for k in range(self.buckets))
        groups = tuple(block for block in blocks for _ in range(self.buckets))
        return Encoding(np.log1p(counts.reshape(len(candidates), -1)), names, groups, np.zeros(len(names), dtype=bool))

    def _count(self, block: np.ndarray, token: str) -> None:
        block[zlib.crc32(token.encode()) % self.buckets] += 1

    def to_config(self) -> dict[str, object]:
        """Buckets."""
        return {"buckets": self.buckets}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> Derivation:
        """Inverse of `to_config`."""
        return cls(int(config["buckets"]))
