"""One objective as a search believes it: with the sources, without them, and which of the two to believe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.posterior import GaussianPosterior
from foretell.study_belief import Trend, scales_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float, Int

    from foretell.search_memory import SearchMemory
    from foretell.surrogates.search_process import SearchProcess
    from foretell.target_warp import TargetWarp
    from foretell.transfer.informed_cube import InformedCube

_BEFORE = (0.05, 0.9)  # least and most that sources weigh before there is evidence
_HEARD = 0.01  # a trend of less weight is not asked


@dataclass(frozen=True, eq=False)
class InformedTrend:
    """Two trends of the same results, weighted as in Bayesian model averaging.

    The evidence for each is its pseudo-likelihood: the density of every result given all others (Rasmussen and
    Williams, 2006, "Gaussian Processes for Machine Learning", equations 5.10 and 5.11). The first is as likely before
    as its most trusted source, within bounds. Sources that do not help to predict what the study has seen itself are
    outvoted.

    Both see the targets on the scale that suits the second, so that their densities compare.

    Args:
        hearing: The trend that hears the sources.
        alone: The one that does not.
        share: Weight of the first, in [0, 1].
        columns: Which columns are what the sources expect of this objective.
    """

    hearing: Trend
    alone: Trend
    share: float
    columns: Int[np.ndarray, " k"]

    @classmethod
    def fit(
        cls,
        cube: InformedCube,
        units: Float[np.ndarray, "n d"],
        values: Float[np.ndarray, " n"],
        objective: int,
        memory: SearchMemory,
        partial: Bool[np.ndarray, " n"] | None = None,
    ) -> InformedTrend:
        """Fit both, see `Trend.fit`; what the cube has seen fitted is found again.

        Args:
            cube: The space with its sources.
            units: Positions.
            values: The objective.
            objective: Its number.
            memory: Where fits are found again.
            partial: Which were stopped early.
        """
        key = (objective, units.tobytes(), values.tobytes(), None if partial is None else partial.tobytes())
        if key in cube.trends:
            return cube.trends[key]
        alone = Trend.fit(cube, units, values, memory, partial, scales_for(len(cube.objectives)))
        heard = replace(cube, listening=objective)
        hearing = Trend.fit(heard, units, values, memory, partial, (alone.scale,))
        evidence = hearing.process.log_pseudo_likelihood() - alone.process.log_pseudo_likelihood()
        before = float(np.clip(cube.objectives[objective].trust.max(), *_BEFORE))
        share = float(1.0 / (1.0 + np.exp(-np.clip(evidence + np.log(before / (1.0 - before)), -500.0, 500.0))))
        columns = np.flatnonzero(heard.blocks == heard.n_blocks - 1)
        return cube.trends.setdefault(key, cls(hearing, alone, share, columns))

    @property
    def process(self) -> SearchProcess:
        """That of the trend of more weight."""
        return (self.hearing if self.share > 0.5 else self.alone).process

    @property
    def warp(self) -> TargetWarp:
        """See `Trend`; the same for both."""
        return self.alone.warp

    @property
    def which(self) -> np.ndarray:
        """See `Trend`; the same for both."""
        return self.alone.which

    def told(self, X: Float[np.ndarray, "p c"]) -> InformedTrend:
        """See `Trend.told`."""
        return replace(self, hearing=self.hearing.told(X), alone=self.alone.told(X))

    def predict(self, X: Float[np.ndarray, "m c"]) -> GaussianPosterior:
        """Belief with the mean and the variance of the mixture."""
        if self.share < _HEARD or self.share > 1.0 - _HEARD:
            return (self.hearing if self.share > 0.5 else self.alone).predict(X)
        a, b, p = self.hearing.predict(X), self.alone.predict(X), self.share
        mean = p * a.mean + (1.0 - p) * b.mean
        return GaussianPosterior(
            mean, np.sqrt(p * a.std**2 + (1.0 - p) * b.std**2 + p * (1.0 - p) * (a.mean - b.mean) ** 2)
        )

    def drawn(self, rng: np.random.Generator) -> Callable[[Float[np.ndarray, "m c"]], Float[np.ndarray, " m"]]:
        """See `Trend.drawn`; of one of the two, by their weights."""
        return (self.hearing if rng.random() < self.share else self.alone).drawn(rng)

    @property
    def slopes(self) -> Float[np.ndarray, " k"]:
        """Most probable slope of the objective's own scores against those that each source expects, v Z' alpha."""
        process = self.hearing.process
        if process.slope is None or process.far is None:
            return np.zeros(len(self.columns))
        return np.asarray(process.slope[self.columns] * (process.far[:, self.columns].T @ process.alpha))
