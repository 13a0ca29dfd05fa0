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
from foretell.spaces.searchers.searcher import generator, unseen
from foretell.spaces.searchers.uphill import uphill
from foretell.surrogates.bayesian_network import BayesianNetwork
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from foretell.spaces.searchers.latent import Latent
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace

_SURROGATE = BayesianNetwork(n_members=3, n_epochs=100)


@dataclass(frozen=True)
class LatentSearch:
    """GOBI of BOSHNAS (Tuli et al., 2022, https://arxiv.org/abs/2205.11656, section 3.3), on any program.

    mean + k (epistemic + aleatoric deviation) is followed uphill from the best observed architectures and from random
    ones. Each point of a way stands for the architecture nearest to it; of those not observed, the one with the
    highest score is suggested. Ours: Adam for their AdaHessian, points on the way and not its end alone, random starts
    in place of their share of purely random queries. SWAT-NN (2025) does the same in the latent space of an
    autoencoder of trained networks, weights included, which is not here.

    Args:
        space: The program.
        latent: The continuous space: decisions (`DecisionLatent`), or columns of an encoder (`EncodedLatent`).
        surrogate: Perceptrons that tell noise from ignorance.
        start: Draws before the surrogate decides.
        climbers: How many points go uphill, half of them from random architectures.
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
    climbers: int = 16
    steps: int = 40
    rate: float = 0.1
    exploration: float = 0.5
    _latent: Latent = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if min(self.start, self.steps) < 1 or self.climbers < 2 or not self.rate > 0:
            msg = (
                "a latent search needs `start >= 1`, `steps >= 1`, `climbers >= 2` and `rate > 0`, but got "
                f"{self.start}, {self.steps}, {self.climbers}, {self.rate}: the defaults are 10, 40, 16 and 0.1"
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
        best = rows[: self.climbers // 2]
        far = chart.rows([self.space.draw(rng) for _ in range(self.climbers - len(best))])
        way = uphill(
            partial(fitted.score_gradient, k_epistemic=k, k_aleatoric=k),
            np.concatenate([best, far]),
            self.steps,
            self.rate,
        )
        passed = [trace for points in way for trace in chart.nearest(points)]
        fresh = [trace for trace in dict.fromkeys(passed) if trace not in observed]
        if not fresh:
            return unseen(lambda: self.space.draw(rng), observed)
        return fresh[int(fitted.score(chart.rows(fresh), k, k).argmax())]
