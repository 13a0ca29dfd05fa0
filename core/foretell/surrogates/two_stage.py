"""Two surrogates in a row: one filters, the other, which saw only what passes, tells the good apart.

Wen et al., 2020, "Neural Predictor for Neural Architecture Search", https://arxiv.org/abs/1912.00848.
For targets where a share of the candidates fails in ways that say nothing about the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.surrogates.adjacency_network import AdjacencyNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

_VARIANCE_FLOOR = 1e-6


@dataclass(frozen=True)
class TwoStage:
    """A filter and a regressor.

    The filter is fitted to +1 for targets of at least the quantile and -1 for others, so P(passes) = P(label > 0).
    Where the paper drops what fails, so that it has no prediction, we mix: the target is the regressor's with that
    probability, else that of the training rows that failed. The order among sure survivors is the regressor's.

    Args:
        filter: Tells who passes.
        regressor: Fitted on those that pass.
        quantile: Share of the training rows that fail, in [0, 1); the paper sets a threshold instead, 91 % validation
            accuracy on NAS-Bench-101.

    Raises:
        InvalidDataError: If the quantile lies outside [0, 1).
    """

    name: ClassVar[str] = "two_stage"
    filter: Surrogate = field(default_factory=AdjacencyNetwork)
    regressor: Surrogate = field(default_factory=AdjacencyNetwork)
    quantile: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 <= self.quantile < 1.0:
            msg = f"`0 <= quantile < 1` must hold, but got {self.quantile=}: it is the share of rows that fail"
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedTwoStage:
        """See `Surrogate.fit`."""
        passes = y >= np.quantile(y, self.quantile)
        failed = y[~passes]
        if not len(failed):
            failed = y  # never used: all pass
        return FittedTwoStage(
            self.filter.fit(X, np.where(passes, 1.0, -1.0), groups),
            self.regressor.fit(X[passes], y[passes], groups),
            np.array([failed.mean(), max(float(failed.var()), _VARIANCE_FLOOR), 1.0 - float(passes.all())]),
        )

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedTwoStage:
        """See `Surrogate.from_arrays`."""
        parts = (
            {k.removeprefix(p): a for k, a in arrays.items() if k.startswith(p)} for p in ("filter.", "regressor.")
        )
        first, second = parts
        return FittedTwoStage(self.filter.from_arrays(first), self.regressor.from_arrays(second), arrays["failed"])

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        named = {part: getattr(self, part) for part in ("filter", "regressor")}
        parts = {part: {"name": s.name, "config": s.to_config()} for part, s in named.items()}
        return {**parts, "quantile": self.quantile}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], make: Callable[[str, dict[str, Any]], Surrogate]) -> TwoStage:
        """Inverse of `to_config`.

        Args:
            config: Settings; what is absent has its default.
            make: Builds a surrogate from name and settings.
        """
        parts: dict[str, Any] = {k: v if k == "quantile" else make(v["name"], v["config"]) for k, v in config.items()}
        return cls(**parts)


@dataclass(frozen=True, eq=False)
class FittedTwoStage:
    """Both, fitted.

    Args:
        filter: Of labels +1 and -1.
        regressor: Of targets that pass.
        failed: Mean and variance of the targets that failed, and 1 if any did, else 0.
    """

    filter: FittedSurrogate
    regressor: FittedSurrogate
    failed: Float[np.ndarray, " 3"]

    def pass_probability(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """P(target is at least the quantile)."""
        from scipy.special import ndtr

        if not self.failed[2]:
            return np.ones(len(X))
        label = self.filter.predict(X)
        return np.asarray(ndtr(label.mean / label.std))

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`: mean and standard deviation of the mixture."""
        p, good = self.pass_probability(X), self.regressor.predict(X)
        low, variance, _ = self.failed
        mean = p * good.mean + (1.0 - p) * low
        within = p * good.std**2 + (1.0 - p) * variance
        return GaussianPosterior(mean, np.sqrt(within + p * (1.0 - p) * (good.mean - low) ** 2))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        first = {f"filter.{k}": a for k, a in self.filter.to_arrays().items()}
        return {**first, **{f"regressor.{k}": a for k, a in self.regressor.to_arrays().items()}, "failed": self.failed}
