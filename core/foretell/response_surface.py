"""What a study's observations say about its space: held-out predictions, slices, and which parameters matter.

The surface is a predictor over the parameters alone, fitted once more than a search needs it, to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.encoders import Hyperparameters
from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau
from foretell.posterior import FoldedPosterior
from foretell.predictor import Predictor
from foretell.tabular import tabular_surrogate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

    from foretell.distributions import Value
    from foretell.posterior import Posterior
    from foretell.search_space import SearchSpace

_MOST = 1000  # observations; a process over more takes minutes and says the same
_FOLDS = 5
_FEWEST = 5
_STEPS = 41


@dataclass(frozen=True, eq=False)
class Believed:
    """Means with the ends of their central 90 % intervals, all n, larger is better."""

    mean: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]

    def agreement(self, truth: Float[np.ndarray, " n"]) -> tuple[float, float]:
        """Kendall tau between means and finite true targets, and the share of all that the intervals hold."""
        finite = np.isfinite(truth)
        inside = (truth >= self.low) & (truth <= self.high)
        return kendall_tau(self.mean[finite], truth[finite]), float(inside.mean())


@dataclass(frozen=True, eq=False)
class ResponseSurface:
    """A fitted belief about all configurations of a space.

    Args:
        space: The space.
        configs: What was tried; of more than 1,000 the best half thousand and an even choice of the others.
        values: Their targets, n; larger is better.
        rows: Where these stand among all that were given.
        predictor: The belief.
    """

    space: SearchSpace
    configs: tuple[Mapping[str, Value], ...]
    values: Float[np.ndarray, " n"]
    rows: Int[np.ndarray, " n"]
    predictor: Predictor

    @classmethod
    def fit(
        cls, space: SearchSpace, configs: Sequence[Mapping[str, Value]], values: Sequence[float] | np.ndarray
    ) -> ResponseSurface:
        """Learn from what was tried.

        Raises:
            InvalidDataError: If there are fewer than five, the lengths differ, or a target is `nan`.

        >>> from foretell import FloatDistribution, SearchSpace
        >>> space = SearchSpace({"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)})
        >>> configs = [{"x": i / 9, "y": (7 * i % 10) / 9} for i in range(10)]
        >>> surface = ResponseSurface.fit(space, configs, [c["x"] for c in configs])
        >>> effects = surface.total_effects()
        >>> effects["x"] > 0.9, effects["y"] < 0.1
        (True, True)
        """
        y = np.asarray(values, dtype=np.float64)
        if len(configs) != len(y) or len(y) < _FEWEST or np.isnan(y).any():
            msg = (
                f"a response surface needs at least {_FEWEST} configurations with a target each, none nan, but got "
                f"{len(configs)} and {len(y)}: run more trials, leave failed ones out"
            )
            raise InvalidDataError(msg)
        rows = _representative(y)
        kept = tuple(configs[i] for i in rows.tolist())
        predictor = _fitted(space, kept, y[rows])
        return cls(space, kept, y[rows], rows, predictor)

    @property
    def best(self) -> Mapping[str, Value]:
        """The configuration of the largest target."""
        return self.configs[int(np.argmax(self.values))]

    def believe(self, configs: Sequence[Mapping[str, Value]]) -> Believed:
        """Belief about configurations."""
        return _summary(self.predictor.predict(configs))

    def held_out(self, seed: int = 0) -> Believed:
        """Belief about every configuration by predictors that were not told its target: five folds."""
        return _summary(self.held_out_posterior(seed))

    def held_out_posterior(self, seed: int = 0) -> Posterior:
        """As `held_out`, the whole distributions."""
        order = np.random.default_rng(seed).permutation(len(self.values))
        parts = []
        for fold in range(_FOLDS):
            test = order[fold::_FOLDS]
            train = np.setdiff1d(order, test)
            predictor = _fitted(self.space, [self.configs[i] for i in train.tolist()], self.values[train])
            parts.append((test, predictor.predict([self.configs[i] for i in test.tolist()])))
        return FoldedPosterior(tuple(parts))

    def slice(self, name: str) -> tuple[tuple[Value, ...], Believed]:
        """Belief along one parameter, all others as in the best configuration.

        A parameter that is inactive there is followed from the best of the configurations that have it.

        Raises:
            InvalidDataError: If the space has no such parameter, or no configuration has it.
        """
        having = [i for i, config in enumerate(self.configs) if name in config]
        if name not in self.space.distributions or not having:
            msg = (
                f"a slice follows a parameter that some trial had, but {name!r} is none: "
                f"choose one of {list(self.space.names)}"
            )
            raise InvalidDataError(msg)
        base = self.configs[max(having, key=lambda i: self.values[i])]
        distribution = self.space.distributions[name]
        if isinstance(distribution, CategoricalDistribution):
            points: tuple[Value, ...] = distribution.choices
        else:
            points = tuple(dict.fromkeys(distribution.from_unit(u) for u in np.linspace(0, 1, _STEPS).tolist()))
        return points, self.believe([self.space.active({**base, name: point}) for point in points])

    def total_effects(self, seed: int = 0, n: int = 512) -> dict[str, float]:
        """Share of the surface's variance over the space that would be lost without each parameter.

        Interactions count for each of their parameters, so that shares may add up to more than 1. Jansen's estimator,
        Saltelli et al., 2010, "Variance based sensitivity analysis of model output",
        https://doi.org/10.1016/j.cpc.2009.09.018, table 2 (f), on the mean of the normal-scored target.
        """
        rng = np.random.default_rng(seed)
        one, other = rng.random((2, n, len(self.space)))
        reference = self._latent(one)
        spread = float(reference.var())
        effects = {}
        for j, name in enumerate(self.space.names):
            mixed = one.copy()
            mixed[:, j] = other[:, j]
            moved = float(((reference - self._latent(mixed)) ** 2).mean()) / 2
            effects[name] = min(moved / spread, 1.0) if spread > 1e-12 else 0.0
        return dict(sorted(effects.items(), key=lambda item: -item[1]))

    def _latent(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        block = Hyperparameters(self.space).encode_units(self.space.snap(units))
        fitted = self.predictor.fitted
        return fitted.surrogate.predict(fitted.scaler.transform(block)).mean


def _fitted(space: SearchSpace, configs: Sequence[Mapping[str, Value]], y: Float[np.ndarray, " n"]) -> Predictor:
    return Predictor((Hyperparameters(space),), tabular_surrogate()).fit(configs, y)


def _summary(belief: Posterior) -> Believed:
    return Believed(belief.mean, belief.quantile(0.05), belief.quantile(0.95))


def _representative(y: Float[np.ndarray, " n"]) -> Int[np.ndarray, " k"]:
    """All rows of few; of many the best ones and an even choice of the others, in their order."""
    if len(y) <= _MOST:
        return np.arange(len(y))
    order = np.argsort(-y, kind="stable")
    best, rest = order[: _MOST // 2], np.sort(order[_MOST // 2 :])
    even = rest[np.linspace(0, len(rest) - 1, _MOST - _MOST // 2).round().astype(int)]
    return np.sort(np.concatenate([best, even]))
