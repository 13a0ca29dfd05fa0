"""Random forest: the surrogate of GRAF and other published few-shot predictors; rougher than extra trees.

Breiman, 2001, "Random Forests", https://doi.org/10.1023/A:1010933404324, grown by scikit-learn and kept as the plain
arrays of `FittedForest`. Prefer `ExtraTrees` unless results are to be compared with a published forest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.surrogates.extra_trees import FittedForest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float


@dataclass(frozen=True)
class RandomForest:
    """Settings of the forest: each tree sees a bootstrap sample, and rows left out of it measure the noise.

    Args:
        n_trees: Number of trees.
        min_samples_leaf: Fewest observations in a leaf.
        seed: Seed of bootstrap and columns.
        max_features: Share of the columns asked at each split, in (0, 1]; 1 as in scikit-learn.

    >>> import numpy as np
    >>> X = np.linspace(0, 1, 30)[:, None]
    >>> fitted = RandomForest(20).fit(X, X[:, 0], ("x",))
    >>> bool(fitted.predict(X).mean[25] > fitted.predict(X).mean[5])
    True
    """

    name: ClassVar[str] = "random_forest"
    n_trees: int = 100
    min_samples_leaf: int = 1
    seed: int = 0
    max_features: float = 1.0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedForest:
        """See `Surrogate.fit`; groups are not used."""
        del groups
        from sklearn.ensemble import RandomForestRegressor

        X = (X if X.shape[1] else np.zeros((len(X), 1))).astype(np.float32)
        forest = RandomForestRegressor(
            self.n_trees, min_samples_leaf=self.min_samples_leaf, max_features=self.max_features,
            random_state=self.seed, n_jobs=1,
        ).fit(X, y)  # fmt: skip
        return FittedForest.from_trees([e.tree_ for e in forest.estimators_], _unexplained(forest, X, y))

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedForest:
        """See `Surrogate.from_arrays`."""
        return FittedForest(**{name: np.asarray(arrays[name]) for name in FittedForest.__dataclass_fields__})

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


def _unexplained(forest: Any, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> float:
    """Mean squared error out of bag, less the variance that the trees themselves already report for those rows.

    A single row is in every bag: the prior variance of a normal-scored target, 1, is all that is known then.
    """
    out = np.ones((len(forest.estimators_), len(X)), dtype=bool)  # (T, n)
    for row, drawn in zip(out, forest.estimators_samples_, strict=True):
        row[drawn] = False
    seen = out.any(axis=0)
    if not seen.any():
        return 1.0
    value = np.stack([t.predict(X) for t in forest.estimators_])  # (T, n)
    within = np.stack([t.tree_.impurity[t.apply(X)] for t in forest.estimators_])
    count = np.maximum(out.sum(axis=0), 1)
    mean = (value * out).sum(axis=0) / count
    spread = (((value - mean) ** 2 + within) * out).sum(axis=0) / count
    return float(np.mean(((y - mean) ** 2 - spread)[seen]))
