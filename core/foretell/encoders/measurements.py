"""Encoder of numbers that were measured before training: zero-cost proxies, latencies, sizes.

They are taken as given and never computed: a proxy needs the network, a batch of data and minutes. What they
are worth: Abdelfattah et al., 2021, "Zero-Cost Proxies for Lightweight NAS", https://arxiv.org/abs/2101.08134, and
Krishnakumar et al., 2022, "NAS-Bench-Suite-Zero", https://arxiv.org/abs/2210.03230.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.candidate import Candidate


@dataclass(frozen=True)
class Measurements:
    """asinh of each named number in `Candidate.measured`, each a group of its own.

    Proxies such as synflow span tens of decades, and of both signs; others lie within [0, 1]. The inverse
    hyperbolic sine is the logarithm of twice the size where that is large, sign kept, and changes little below
    1, so that one rule fits all of them and needs no data. A length scale for each lets a process ignore a
    proxy that says nothing.

    Args:
        names: Which numbers, in the order of the columns.

    Raises:
        InvalidDataError: If there are no names, or one occurs twice.

    >>> from foretell.candidate import Candidate
    >>> Measurements(("synflow", "jacov")).encode([Candidate(measured={"synflow": 1e20})]).values.round(2).tolist()
    [[46.74, nan]]
    """

    name: ClassVar[str] = "measurements"
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        object.__setattr__(self, "names", names)
        if not names or len(set(names)) < len(names):
            msg = f"measurements need names that differ, but got {names}: name each number once"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode measured numbers, see `Encoder.encode`; one that is not given is absent."""
        given = [[c.measured.get(name, math.nan) for name in self.names] for c in candidates]
        values = np.arcsinh(np.array(given, dtype=np.float64).reshape(len(candidates), len(self.names)))
        return Encoding(values, self.names, self.names, np.zeros(len(self.names), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """The names."""
        return {"names": list(self.names)}

    @classmethod
    def from_config(cls, config: dict[str, Sequence[str]]) -> Measurements:
        """Inverse of `to_config`."""
        return cls(tuple(config["names"]))
