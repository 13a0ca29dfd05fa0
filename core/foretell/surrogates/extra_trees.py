"""Extremely randomised trees: the surrogate for wide, rough or redundant columns.

Geurts, Ernst and Wehenkel, 2006, "Extremely randomized trees", https://doi.org/10.1007/s10994-006-6226-1,
grown by scikit-learn. The forest is kept as plain arrays: it is saved without pickle, and one row is
answered in a fraction of a millisecond.

Notation: T trees, M nodes in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError
from foretell.posterior import GaussianPosterior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int


@dataclass(frozen=True)
class ExtraTrees:
    """Settings of the forest.

    Args:
        n_trees: Number of trees.
        min_samples_leaf: Fewest observations in a leaf.
        seed: Seed of the random splits.
        max_features: Share of the columns asked at each split, in (0, 1].
    """

    name: ClassVar[str] = "extra_trees"
    n_trees: int = 100
    min_samples_leaf: int = 1
    seed: int = 0
    max_features: float = 1.0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedForest:
        """See `Surrogate.fit`; groups are not used."""
        del groups
        from sklearn.ensemble import ExtraTreesRegressor

        X = X if X.shape[1] else np.zeros((len(X), 1))
        forest = ExtraTreesRegressor(
            self.n_trees, min_samples_leaf=self.min_samples_leaf, max_features=self.max_features,
            random_state=self.seed, n_jobs=1,
        ).fit(X.astype(np.float32), y)  # fmt: skip
        residual = y - forest.predict(X.astype(np.float32))
        return FittedForest.from_trees([e.tree_ for e in forest.estimators_], float(np.mean(residual**2)))

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedForest:
        """See `Surrogate.from_arrays`."""
        return FittedForest(**{name: np.asarray(arrays[name]) for name in FittedForest.__dataclass_fields__})

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return {
            "n_trees": self.n_trees, "min_samples_leaf": self.min_samples_leaf, "seed": self.seed,
            "max_features": self.max_features,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class FittedForest:
    """All trees in one set of arrays; a leaf is its own child.

    Args:
        roots: First node of each tree, T.
        feature: Column asked at each node, M.
        threshold: Rows at or below it go left, M.
        left: Next node, M.
        right: Next node, M.
        value: Mean target at each node, M.
        variance: Variance of the target at each node, M.
        noise: Variance left in training, 1; keeps the standard deviation positive.

    Raises:
        CheckpointError: If the arrays do not form trees.
    """

    roots: Int[np.ndarray, " T"]
    feature: Int[np.ndarray, " M"]
    threshold: Float[np.ndarray, " M"]
    left: Int[np.ndarray, " M"]
    right: Int[np.ndarray, " M"]
    value: Float[np.ndarray, " M"]
    variance: Float[np.ndarray, " M"]
    noise: Float[np.ndarray, " 1"]

    def __post_init__(self) -> None:
        m = len(self.feature)
        arrays = (self.threshold, self.left, self.right, self.value, self.variance)
        here = np.arange(m)
        whole = (self.roots, self.feature, self.left, self.right)
        sound = (
            all(a.ndim == 1 and a.dtype.kind == "i" for a in whole) and self.noise.shape == (1,) and
            all(a.shape == (m,) for a in arrays) and len(self.roots) > 0 and m > 0
            and bool(np.all((self.left >= here) & (self.right >= here) & (self.left < m) & (self.right < m)))
            and bool(np.all((self.roots >= 0) & (self.roots < m))) and bool(np.all(self.feature >= 0))
        )  # fmt: skip
        if not sound:
            msg = f"a forest's children must follow their parents within {m} nodes, but they do not: save it again"
            raise CheckpointError(msg)

    @classmethod
    def from_trees(cls, trees: Sequence[Any], noise: float) -> FittedForest:
        """Join scikit-learn's trees.

        Args:
            trees: The attribute `tree_` of each fitted regression tree.
            noise: Variance to add to that of the trees; at least 1e-6 is added.
        """
        offset = np.concatenate([[0], np.cumsum([t.node_count for t in trees])])
        leaf = np.concatenate([t.children_left for t in trees]) < 0
        shift = np.repeat(offset[:-1], np.diff(offset))
        here = np.arange(len(leaf))
        return cls(
            roots=offset[:-1].astype(np.int32),
            feature=np.where(leaf, 0, np.concatenate([t.feature for t in trees])).astype(np.int32),
            threshold=np.concatenate([t.threshold for t in trees]),
            left=np.where(leaf, here, np.concatenate([t.children_left for t in trees]) + shift).astype(np.int32),
            right=np.where(leaf, here, np.concatenate([t.children_right for t in trees]) + shift).astype(np.int32),
            value=np.concatenate([t.value[:, 0, 0] for t in trees]),
            variance=np.concatenate([t.impurity for t in trees]),
            noise=np.array([max(noise, 1e-6)]),
        )

    @classmethod
    def joined(cls, forests: Sequence[FittedForest]) -> FittedForest:
        """The trees of several forests, one after the other; their noise is the mean."""
        sizes = [len(forest.feature) for forest in forests]
        shifts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)

        def shifted(name: str) -> np.ndarray:
            return np.concatenate([getattr(f, name) + by for f, by in zip(forests, shifts, strict=True)])

        def side_by_side(name: str) -> np.ndarray:
            return np.concatenate([getattr(forest, name) for forest in forests])

        moved = {name: shifted(name) for name in ("roots", "left", "right")}
        kept = {name: side_by_side(name) for name in ("feature", "threshold", "value", "variance")}
        return cls(**moved, **kept, noise=np.array([np.mean([forest.noise[0] for forest in forests])]))

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`: mean over trees; variance within leaves plus that between trees."""
        at = self.leaves(X)
        means, spread = self.value[at], self.variance[at]
        variance = spread.mean(axis=1) + means.var(axis=1) + self.noise[0]
        return GaussianPosterior(means.mean(axis=1), np.sqrt(variance))

    @cached_property
    def _last_column(self) -> int:
        return int(self.feature.max())

    def leaves(self, X: Float[np.ndarray, "m d"]) -> Int[np.ndarray, "m T"]:
        """The leaf of each tree where each row ends.

        Raises:
            InvalidDataError: If a tree asks for a column that is not there.
        """
        X = X.astype(np.float32) if X.shape[1] else np.zeros((len(X), 1), dtype=np.float32)
        if self._last_column >= X.shape[1]:
            msg = f"these trees ask for column {self._last_column}, but there are {X.shape[1]}: use the same encoders"
            raise InvalidDataError(msg)
        at = np.repeat(self.roots[None, :], len(X), axis=0)
        rows = np.arange(len(X))[:, None]
        while True:
            down = np.where(X[rows, self.feature[at]] <= self.threshold[at], self.left[at], self.right[at])
            if np.array_equal(down, at):
                return at
            at = down

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
