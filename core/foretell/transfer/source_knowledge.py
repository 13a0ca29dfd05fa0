"""What all sources together know of an objective over a space: how positions fared elsewhere, and where to begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.metrics import kendall_tau
from foretell.transfer.portfolio import portfolio
from foretell.transfer.source_surrogate import SourceSurrogate
from foretell.transfer.trust import trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.encoders import Encoding
    from foretell.search_space import SearchSpace
    from foretell.transfer.shared_parameters import SharedParameters
    from foretell.transfer.source import Source

_PORTFOLIO = 5
_SEED = 6


@dataclass(frozen=True, eq=False)
class SourceKnowledge:
    """Surrogates of one objective of all sources, on the positions of one space.

    Args:
        space: The target's space.
        surrogates: One a source that shares parameters with it; may be none.
    """

    space: SearchSpace
    surrogates: tuple[SourceSurrogate, ...]

    @classmethod
    def learn(cls, sources: Sequence[Source], space: SearchSpace, objective: int = 0) -> SourceKnowledge:
        """Fit a surrogate to every source that has something to say.

        Args:
            sources: The sources.
            space: The space that is searched now.
            objective: Which of the objectives.
        """
        fitted = [SourceSurrogate.fit(s, space, s.targets(objective)) for s in sources]
        return cls(space, tuple(f for f in fitted if f is not None))

    def __len__(self) -> int:
        return len(self.surrogates)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sources that have something to say."""
        return tuple(s.name for s in self.surrogates)

    def means(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Normal score that each source expects at positions of the space; equal scales are encoded once."""
        out = np.empty((len(units), len(self)))
        encoded: list[tuple[SharedParameters, Encoding]] = []
        for k, surrogate in enumerate(self.surrogates):
            same = [e for shared, e in encoded if shared.space == surrogate.shared.space]
            if not same:
                same = [surrogate.shared.encode(units)]
                encoded.append((surrogate.shared, same[0]))
            out[:, k] = surrogate.process.mean_at(surrogate.scaler.transform(same[0]))
        return out

    @cached_property
    def trust(self) -> Float[np.ndarray, " k"]:
        """How far each source is believed before there are results, see `trust`."""
        return trust(self.surrogates)

    @cached_property
    def portfolio(self) -> Float[np.ndarray, "n d"]:
        """Where to begin, best first; empty if no source is trusted. See `portfolio`."""
        return portfolio(self.surrogates, self.trust, self.space, _PORTFOLIO, np.random.default_rng(_SEED))

    def contradicted(self, units: Float[np.ndarray, "n d"], targets: Float[np.ndarray, " n"]) -> bool:
        """Whether own results so far are ranked rather the other way round than the trusted sources say.

        Args:
            units: Positions that were tried.
            targets: What came of them, larger is better.
        """
        return kendall_tau(targets, self.means(units) @ self.trust) < 0
