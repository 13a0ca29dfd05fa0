"""What a search believes, as one draw of it: for many workers, each of which follows a draw of its own.

Thompson sampling (Kandasamy, Krishnamurthy, Schneider and Poczos, 2018, "Parallelised Bayesian Optimisation via
Thompson Sampling", https://proceedings.mlr.press/v84/kandasamy18a.html, algorithm 2): a position is tried as often as
it is believed to be the best, so that any number of workers spread by themselves. Constraints are drawn as well, and
what breaks one is tried only where nothing holds them all (Eriksson and Poloczek, 2021, "Scalable Constrained Bayesian
Optimization", https://arxiv.org/abs/2002.08526, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

    from foretell.study_belief import StudyBelief

_BROKEN = -1e6  # below any value of a process


@dataclass(frozen=True, eq=False)
class DrawnBelief:
    """A draw of a `StudyBelief` of one objective.

    Args:
        belief: What is believed.
        objective: The drawn objective of encoded positions.
        limited: Drawn functions that must not exceed a limit, with the limit.
    """

    belief: StudyBelief
    objective: Callable[[Float[np.ndarray, "m c"]], Float[np.ndarray, " m"]]
    limited: tuple[tuple[Callable[[Float[np.ndarray, "m c"]], Float[np.ndarray, " m"]], float], ...]

    @classmethod
    def of(cls, belief: StudyBelief, rng: np.random.Generator) -> DrawnBelief:
        """Draw.

        Args:
            belief: What is believed of one objective.
            rng: Source of randomness, another one for every worker.
        """
        drawn = belief.objectives[0].drawn(rng)
        return cls(belief, drawn, tuple((trend.drawn(rng), limit) for trend, limit in belief.doubts))

    @property
    def elite(self) -> Float[np.ndarray, "k d"]:
        """Positions to look around, best first."""
        return self.belief.elite

    def score(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """What each position gives if the draw is true; if it breaks limits, only by how much."""
        X = self.belief.cube.encode(units)
        scores = self.objective(X)
        if self.limited:
            excess = np.stack([np.maximum(drawn(X) - limit, 0.0) for drawn, limit in self.limited]).sum(axis=0)
            scores = np.where(excess > 0, _BROKEN - excess, scores)
        return scores
