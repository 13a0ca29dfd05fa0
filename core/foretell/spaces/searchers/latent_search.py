"""Latent search: uphill on a surrogate's gradient through a continuous space, then to the nearest architecture.

For spaces whose architectures lie well in one; where decisions can be edited, `ModelSearch` judges edits instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.spaces.searchers.decision_latent import DecisionLatent
from foretell.spaces.searchers.gradient_ascent import gradient_ascent
from foretell.spaces.searchers.searcher import generator, unseen
from foretell.surrogates.bayesian_network import BayesianNetwork
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from foretell.spaces.searchers.latent import Latent
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_SURROGATE = BayesianNetwork(n_members=3, n_epochs=60, batch_size=64)


@dataclass(frozen=True)
class LatentSearch:
    """GOBI of BOSHNAS (Tuli et al., 2022, https://arxiv.org/abs/2205.11656, section 3.3), on any program.

    mean + k (epistemic + aleatoric deviation) is followed uphill from the best observed architectures. Each point of a
    way stands for the architecture nearest to it; of those not observed, the one with the highest score is suggested.
    Ours: Adam for their AdaHessian, points on the way and not its end alone, and no share of random queries; that it
    begins at the best and explores little (k) was chosen on TransNAS-Bench-101, on two seeds. SWAT-NN (2025) does the
    same in the latent space of an autoencoder of trained networks, weights included, which is not here.

    Args:
        space: The program.
        latent: The continuous space: decisions (`DecisionLatent`), or columns of an encoder (`EncodedLatent`).
        surrogate: Perceptrons that tell noise from ignorance.
        start: Draws before the surrogate decides.
        climbers: How many of the best observed go uphill.
        steps: How far.
        rate: Length of a step in each coordinate, about; they are scaled to deviations of about 1.
        exploration: k.

    Raises:
        InvalidDataError: If a number is impossible.
    """

    space: Space
    latent: Callable[[Space], Latent] = DecisionLatent
    surrogate: BayesianNetwork = _SURROGATE
    start: int = 10
    climbers: int = 10
    steps: int = 40
    rate: float = 0.1
    exploration: float = 0.1
    _latent: Latent = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if min(self.start, self.steps, self.climbers) < 1 or not self.rate > 0:
            msg = (
                "a latent search needs `start >= 1`, `steps >= 1`, `climbers >= 1` and `rate > 0`, but got "
                f"{self.start}, {self.steps}, {self.climbers}, {self.rate}: the defaults are 10, 40, 10 and 0.1"
            )
            raise InvalidDataError(msg)
        object.__setattr__(self, "_latent", self.latent(self.space))

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """See `Searcher.suggest`."""
        rng = generator(observed, seed)
        if len(observed) < self.start:
            return unseen(lambda: self.space.draw(rng), observed)
        known = sorted(observed, key=lambda t: -observed[t])
        y = np.array([observed[t] for t in known])
        chart = self._latent.chart(known, rng)
        rows = chart.rows(known)
        fitted = self.surrogate.fit(rows, TargetWarp.fit_log_regret(y).forward(y), ())
        k = self.exploration
        climb = partial(fitted.score_gradient, k_epistemic=k, k_aleatoric=k)
        way = gradient_ascent(climb, rows[: self.climbers], self.steps, self.rate)
        passed = [trace for points in way for trace in chart.nearest(points)]
        fresh = [trace for trace in dict.fromkeys(passed) if trace not in observed]
        if not fresh:
            return unseen(lambda: self.space.draw(rng), observed)
        return fresh[int(fitted.score(chart.rows(fresh), k, k).argmax())]
