"""What processes on other targets say of a process's hyperparameters, before the first label of a new target.

With twenty labels a few dozen length scales are anybody's guess; but what matters for one target of a family of
networks mostly matters for the next. So each log length scale gets a normal prior about its mean over processes that
were fitted to other targets with many labels (the empirical Bayes of Wang et al., 2024, "Pre-trained Gaussian Processes
for Bayesian Optimization", https://arxiv.org/abs/2109.08215, for one process a target and the same columns).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float


@dataclass(frozen=True)
class KernelPrior:
    """Normal priors of logarithms; see `foretell.surrogates.GaussianProcess` for what they are logarithms of.

    Args:
        groups: Names of groups of columns.
        scales: Most probable length scale of each.
        signal: Most probable signal variance.
        noise: Most probable noise variance.
        variance: Of each logarithm.

    Raises:
        InvalidDataError: If a number is not positive, or groups and scales do not go together.

    >>> prior = KernelPrior(("sizes",), (1.0,), signal=1.0, noise=0.1)
    >>> mean, variance = prior.moments(("sizes", "new"), np.array([2.0, 2.0]))
    >>> mean.round(2).tolist(), variance.tolist()
    ([0.0, 2.0, 0.0, -2.3], [0.5, 3.0, 0.5, 0.5])
    """

    groups: tuple[str, ...]
    scales: tuple[float, ...]
    signal: float
    noise: float
    variance: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "scales", tuple(self.scales))
        matched = len(set(self.groups)) == len(self.groups) == len(self.scales)
        if not matched or not all(v > 0 for v in (*self.scales, self.signal, self.noise, self.variance)):
            msg = f"each group needs one scale, all numbers positive, but got {self}: see `KernelPrior.learn`"
            raise InvalidDataError(msg)

    @classmethod
    def learn(cls, fitted: Sequence[tuple[Sequence[str], Float[np.ndarray, " G_plus_2"]]]) -> KernelPrior:
        """The mean over processes.

        Args:
            fitted: Of each process the names of its groups and its theta, log length scales in the order of the groups,
                log signal variance, log noise variance. A group that only some know counts where it is known.

        Raises:
            InvalidDataError: If there is no process.
        """
        if not fitted:
            msg = "a prior is learnt from processes on other targets, but got none: fit one at least"
            raise InvalidDataError(msg)
        logs: dict[str, list[float]] = {}
        for groups, theta in fitted:
            for group, log_ell in zip(groups, theta[:-2].tolist(), strict=True):
                logs.setdefault(group, []).append(log_ell)
        signal, noise = np.exp(np.mean([theta[-2:] for _, theta in fitted], axis=0)).tolist()
        scales = tuple(math.exp(float(np.mean(found))) for found in logs.values())
        return cls(tuple(logs), scales, signal, noise)

    def moments(
        self, groups: Sequence[str], centre: Float[np.ndarray, " G"]
    ) -> tuple[Float[np.ndarray, " G_plus_2"], Float[np.ndarray, " G_plus_2"]]:
        """Mean and variance of theta; a group that is not known has `centre` and the wide variance of any process."""
        known = dict(zip(self.groups, self.scales, strict=True))
        ell = [math.log(known[g]) if g in known else float(c) for g, c in zip(groups, centre, strict=True)]
        variance = [self.variance if g in known else WIDE for g in groups]
        return (
            np.array([*ell, math.log(self.signal), math.log(self.noise)]),
            np.array([*variance, self.variance, self.variance]),
        )

    def to_config(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "groups": list(self.groups), "scales": list(self.scales), "signal": self.signal, "noise": self.noise,
            "variance": self.variance,
        }  # fmt: skip


WIDE = 3.0
"""Variance of a log length scale about which nothing is known (Hvarfner, Hellsten and Nardi, 2024)."""
