"""Judging a shortlist of configurations again, with the networks they make in view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.candidate import Candidate
from foretell.encoders import ColumnScaler, Encoding, GraphStatistics, Hyperparameters
from foretell.held_down import held_down
from foretell.study_belief import refit_size
from foretell.surrogates import GaussianProcess
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.observation import Observation
    from foretell.search_space import SearchSpace
    from foretell.surrogates.gaussian_process import FittedGaussianProcess


@dataclass(frozen=True)
class NetworkView:
    """Hyperparameters and statistics of the network under one process.

    Args:
        space: The search space.
        graph: The network of a configuration.
    """

    space: SearchSpace
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None]

    def best(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]],
        configs: Sequence[dict[str, Value]],
    ) -> dict[str, Value]:
        """The configuration of largest expected improvement; the first of the shortlist with several objectives."""
        if len(observations[0].values) > 1:
            return configs[0]
        raw = np.array([o.values[0] for o in observations])
        targets = held_down(raw, np.array([o.partial for o in observations]))
        blocks = (Hyperparameters(self.space), GraphStatistics())

        def encode(given: Sequence[Mapping[str, Value]]) -> Encoding:
            candidates = [Candidate(self.graph(c), c) for c in given]
            return Encoding.side_by_side([b.encode(candidates) for b in blocks])

        belief = _Belief.fit(encode([o.config for o in observations]), targets, encode(pending))
        return configs[int(np.argmax(belief.score(encode(configs))))]


@dataclass(frozen=True, eq=False)
class _Belief:
    """A process over columns, told what is running, with the value to beat."""

    scaler: ColumnScaler
    process: FittedGaussianProcess
    best: float

    @classmethod
    def fit(cls, encoding: Encoding, targets: Float[np.ndarray, " n"], running: Encoding) -> _Belief:
        k = refit_size(len(targets))
        scaler = ColumnScaler.fit(encoding.rows(slice(k)))  # on the same rows as theta, so that both are found again
        X, y = scaler.transform(encoding), TargetWarp.fit_top_linear(targets).forward(targets)
        early = GaussianProcess().fit(X[:k], TargetWarp.fit_top_linear(targets[:k]).forward(targets[:k]), scaler.groups)
        process = early if k == len(y) else early.condition_on(X, y, early.index, early.theta)
        best = float(process.smoothed.max())
        if len(running.values):  # believe the mean: the running points lose their uncertainty, not their rank
            at = scaler.transform(running)
            process = process.condition(at, process.predict(at).mean)
        return cls(scaler, process, best)

    def score(self, encoding: Encoding) -> Float[np.ndarray, " m"]:
        return log_expected_improvement(self.process.predict_latent(self.scaler.transform(encoding)), self.best)
