"""Any surrogate fitted once for each fold left out: an ensemble that knows how it errs on what it has not seen.

For surrogates without a leave-one-out formula. The models of all folds answer together, so nothing that was fitted is
thrown away; each observation has one model that never saw it (the "CV+" of Barber, Candes, Ramdas and Tibshirani, 2021,
"Predictive inference with the jackknife+", https://doi.org/10.1214/20-AOS1965, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.surrogates.extra_trees import FittedForest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

_FEW_ROWS = 256  # of many, one forest after the other is faster, whose nodes stay in the cache


@dataclass(frozen=True)
class CrossFitted:
    """A surrogate and the number of folds.

    Args:
        surrogate: What is fitted; its seed, if it has one, is the same in every fold.
        folds: How many parts the observations fall into; at most one for each observation.
        seed: Seed of the division into folds.

    Raises:
        InvalidDataError: If there are fewer than two folds.
    """

    name: ClassVar[str] = "cross_fitted"
    surrogate: Surrogate
    folds: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2:
            msg = f"`folds >= 2` must hold, but got {self.folds=}: the default is 10"
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedFolds:
        """See `Surrogate.fit`."""
        folds = min(self.folds, len(y))
        if folds < 2:
            return FittedFolds((self.surrogate.fit(X, y, groups),), np.zeros(len(y)), np.ones(len(y)))
        fold = np.random.default_rng(self.seed).permutation(len(y)) % folds
        members = []
        mean, std = np.empty(len(y)), np.empty(len(y))
        for k in range(folds):
            members.append(self.surrogate.fit(X[fold != k], y[fold != k], groups))
            left_out = members[-1].predict(X[fold == k])
            mean[fold == k], std[fold == k] = left_out.mean, left_out.std
        return FittedFolds(tuple(members), mean, std)

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedFolds:
        """See `Surrogate.from_arrays`."""
        members = []
        for k in range(int(arrays["folds"][0])):
            own = {name.split(".", 1)[1]: a for name, a in arrays.items() if name.startswith(f"{k}.")}
            members.append(self.surrogate.from_arrays(own))
        return FittedFolds(tuple(members), arrays["left_out_mean"], arrays["left_out_std"])

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        inner = {"name": self.surrogate.name, "config": self.surrogate.to_config()}
        return {"surrogate": inner, "folds": self.folds, "seed": self.seed}


@dataclass(frozen=True, eq=False)
class FittedFolds:
    """One model a fold.

    Args:
        members: The models.
        left_out_mean: What the model that did not see an observation says of it, n.
        left_out_std: Its standard deviation, n.
    """

    members: tuple[FittedSurrogate, ...]
    left_out_mean: Float[np.ndarray, " n"]
    left_out_std: Float[np.ndarray, " n"]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`; the mixture's mean and standard deviation."""
        if self._forest is not None and len(X) <= _FEW_ROWS:
            at = self._forest.leaves(X).reshape(len(X), len(self.members), -1)
            values, spread = self._forest.value[at], self._forest.variance[at]  # (m, folds, trees)
            means = values.mean(axis=2).T
            noise = np.array([member.noise[0] for member in self._forests])
            variances = (spread.mean(axis=2) + values.var(axis=2) + noise).T
        else:
            each = [member.predict(X) for member in self.members]
            means = np.stack([p.mean for p in each])
            variances = np.stack([p.std**2 for p in each])
        return GaussianPosterior(means.mean(axis=0), np.sqrt(variances.mean(axis=0) + means.var(axis=0)))

    @property
    def _forests(self) -> list[FittedForest]:
        return [member for member in self.members if isinstance(member, FittedForest)]

    @cached_property
    def _forest(self) -> FittedForest | None:
        """All members as one forest, where each is one of as many trees: a row takes one walk instead of ten."""
        forests = self._forests
        same = len(forests) == len(self.members) and len({len(forest.roots) for forest in forests}) == 1
        return FittedForest.joined(forests) if same else None

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation by the model that did not see it."""
        return GaussianPosterior(self.left_out_mean, self.left_out_std)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        arrays = {f"{k}.{name}": a for k, m in enumerate(self.members) for name, a in m.to_arrays().items()}
        own = {"left_out_mean": self.left_out_mean, "left_out_std": self.left_out_std}
        return {**arrays, **own, "folds": np.array([len(self.members)])}
