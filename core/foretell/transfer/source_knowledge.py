"""What all sources together know of an objective over a space: how positions fared elsewhere, and where to begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.metrics import kendall_tau
from foretell.transfer.nearness import NOTHING, task_distances
from foretell.transfer.portfolio import portfolio
from foretell.transfer.source_surrogate import SourceSurrogate
from foretell.transfer.trust import trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.encoders import Encoding
    from foretell.search_space import SearchSpace
    from foretell.transfer.nearness import TaskDescription
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
        distances: Squared distances between tasks, see `trust`; None if nothing is known of them.
    """

    space: SearchSpace
    surrogates: tuple[SourceSurrogate, ...]
    distances: Float[np.ndarray, "k_plus_1 k_plus_1"] | None = None

    @classmethod
    def learn(
        cls, sources: Sequence[Source], space: SearchSpace, objective: int = 0, task: TaskDescription = NOTHING
    ) -> SourceKnowledge:
        """Fit a surrogate to every source that has something to say.

        Args:
            sources: The sources.
            space: The space that is searched now.
            objective: Which of the objectives.
            task: What is known of the present task beforehand, see `task_distances`.

        Raises:
            InvalidDataError: If descriptions of tasks do not go together.
        """
        fitted = [(SourceSurrogate.fit(s, space, s.targets(objective)), s.task) for s in sources]
        useful = [(surrogate, told) for surrogate, told in fitted if surrogate is not None]
        distances = task_distances([task, *(told for _, told in useful)]) if task else None
        return cls(space, tuple(surrogate for surrogate, _ in useful), distances)

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
        return trust(self.surrogates, self.distances)

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
