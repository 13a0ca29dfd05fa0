"""Searches side by side: the table, the curves, and how well networks are predicted that were not seen.

Losses are smaller-is-better here, as they were measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders import GraphStatistics, Hyperparameters
from foretell.metrics import kendall_tau
from foretell.predictor import Predictor

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.optimizer import GraphFunction
    from foretell.search_space import SearchSpace


@dataclass(frozen=True, slots=True)
class Run:
    """One trained configuration.

    Args:
        config: What was trained.
        loss: What came of it, smaller is better.
        accuracy: Fraction in [0, 1].
        suggest_seconds: Time the search took to propose it.
        train_seconds: Time its training took.
    """

    config: Mapping[str, Value]
    loss: float
    accuracy: float
    suggest_seconds: float
    train_seconds: float


Studies = Mapping[tuple[str, int], Sequence[Run]]
"""The runs of each study, in order, by method and seed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method's line of the table.

    Attributes:
        method: Its name.
        best: Median over seeds of the smallest loss.
        accuracy: Median over seeds of the accuracy that came with it.
        mean_rank: Mean over seeds of the rank of the smallest loss among the methods; 1 is first.
        suggest_ms: Median milliseconds a suggestion.
        total_seconds: Mean seconds that a study spent on suggesting and training.
    """

    method: str
    best: float
    accuracy: float
    mean_rank: float
    suggest_ms: float
    total_seconds: float


def table(studies: Studies) -> list[Row]:
    """One row a method, in the order in which they occur; every method needs the same seeds."""
    from scipy.stats import rankdata

    methods, seeds = _methods(studies), sorted({seed for _, seed in studies})
    best = np.array([[min(r.loss for r in studies[m, s]) for m in methods] for s in seeds])
    ranks = rankdata(best, axis=1)
    rows = []
    for j, method in enumerate(methods):
        own = [studies[method, s] for s in seeds]
        winners = [min(runs, key=lambda r: r.loss) for runs in own]
        rows.append(
            Row(
                method,
                float(np.median(best[:, j])),
                float(np.median([w.accuracy for w in winners])),
                float(ranks[:, j].mean()),
                1e3 * float(np.median([r.suggest_seconds for runs in own for r in runs])),
                float(np.mean([sum(r.suggest_seconds + r.train_seconds for r in runs) for runs in own])),
            )
        )
    return rows


def best_run(studies: Studies) -> Run:
    """The run with the smallest loss of all."""
    return min((r for runs in studies.values() for r in runs), key=lambda r: r.loss)


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predicted against measured, on runs that the predictor had not seen.

    Attributes:
        truth: Measured targets (the negative loss), larger is better.
        mean: Predicted ones.
        low: Lower ends of the 90 % intervals.
        high: Upper ends.
        tau: Kendall's tau of the prediction.
        tau_without_graph: Kendall's tau of the same predictor that sees hyperparameters only.
        tau_params: Kendall's tau of the number of parameters.
        n_train: Runs the predictor was fitted on.
    """

    truth: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    tau: float
    tau_without_graph: float
    tau_params: float
    n_train: int

    @property
    def coverage(self) -> float:
        """Share of measured targets inside their interval."""
        return float(np.mean((self.low <= self.truth) & (self.truth <= self.high)))


def forecast(runs: Sequence[Run], space: SearchSpace, graph: GraphFunction, *, n_train: int, seed: int) -> Forecast:
    """Fit on a random part of the runs, and predict the others.

    Args:
        runs: Runs from any searches; give those of random search for an even picture of the space.
        space: The space they come from.
        graph: Gives the network of a configuration.
        n_train: How many are learnt from.
        seed: Seed of the split.
    """
    order = np.random.default_rng(seed).permutation(len(runs))
    candidates = [Candidate(graph(r.config), r.config) for r in runs]
    targets = np.array([-r.loss for r in runs])
    old, new = order[:n_train], order[n_train:]
    truth = targets[new]
    predictor = Predictor((Hyperparameters(space), GraphStatistics()))
    belief = predictor.fit([candidates[i] for i in old], targets[old]).predict([candidates[i] for i in new])
    plain = Predictor((Hyperparameters(space),)).fit([candidates[i] for i in old], targets[old])
    params = np.array([g.params if (g := candidates[i].graph) is not None else 0 for i in new], dtype=float)
    return Forecast(
        truth,
        belief.quantile(0.5),
        belief.quantile(0.05),
        belief.quantile(0.95),
        kendall_tau(truth, belief.mean),
        kendall_tau(truth, plain.predict([candidates[i] for i in new]).mean),
        kendall_tau(truth, params),
        n_train,
    )


def _methods(studies: Studies) -> list[str]:
    return list(dict.fromkeys(method for method, _ in studies))
