"""A smaller space to search: features that lower the prediction, such as an operator at a place, are dropped.

Luo, Tan, Wang, Qin, Chen and Liu, 2020, "Neural Architecture Search with GBDT", https://arxiv.org/abs/2007.04785 (there
GBDT-NAS-3S, first order): of the features of an architecture the one with the lowest mean SHAP value where it is
present goes first. It pays where candidates are costly to list or to build; where all can be ranked, rank them: as many
networks then hold more of the best.

A feature should mean the same in every candidate. After 100 networks of NAS-Bench-201 (CIFAR-10, mean of 3 seeds), with
the operators on edges as choices of a `SearchSpace`, 11 % of the space was left with 63 % of its true best percent;
with `Adjacency`, whose places depend on the whole cell, 40 % with 61 %. `foretell bench narrowing` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.explain.trees import explain_trees_encoding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Bool, Float, Int

    from foretell.candidate import Candidate
    from foretell.distributions import Value
    from foretell.encoders import Encoding
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor

_TOP = 0.01


@dataclass(frozen=True, slots=True)
class Drop:
    """A feature that is no longer allowed.

    Attributes:
        feature: Name of its column, such as `operator 3 MaxPool3x3` or `edge 0>4`.
        contribution: Mean contribution where it was present, in normal scores of the target; negative.
        share: Share of the sample that was left when it was gone.
    """

    feature: str
    contribution: float
    share: float


@dataclass(frozen=True, eq=False)
class Narrowing:
    """A part of a space, by what its candidates must not have.

    Args:
        predictor: What encodes candidates.
        dropped: Features, in the order in which they went.
        share: Share of the sample that is left, in (0, 1].
        risk: Share of the sample's percent that is predicted best that is lost, in [0, 1]. The predictor's own view: of
            the true best percent some times as much is lost, 22 to 44 % on NAS-Bench-101 and 201 where it says 5 to 10.
    """

    predictor: Predictor
    dropped: tuple[Drop, ...]
    share: float
    risk: float

    def keeps(self, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]) -> Bool[np.ndarray, " n"]:
        """Whether candidates belong to the narrowed space."""
        return self.keeps_rows(self.predictor.encode(items))

    def keeps_rows(self, rows: Encoding) -> Bool[np.ndarray, " n"]:
        """`keeps` of rows of columns made by `Predictor.encode`."""
        gone = {drop.feature for drop in self.dropped}
        columns = [j for j, name in enumerate(rows.names) if name in gone]
        return np.asarray(~(rows.values[:, columns] > 0).any(axis=1))


def narrow(
    predictor: Predictor,
    sample: Sequence[Candidate | ComputationGraph | Mapping[str, Value]],
    *,
    share: float = 0.1,
    risk: float = 0.1,
) -> Narrowing:
    """Drop the worst features one by one, as long as enough of the space is left, and of what is predicted best.

    A feature is a column that is 0 in some of the sample and has one other value in the rest: an operator at a place,
    an edge, a choice of a hyperparameter. Contributions are those of `explain_trees`, averaged anew over the candidates
    that are left. The paper lets a fixed number go and trains more architectures before the next; to do so, fit again
    on candidates that are kept, and narrow again.

    Args:
        predictor: Fitted, with the surrogate `GradientBoosting`, such as the preset `gbdt-nas`.
        sample: Candidates that stand for the space, some thousand drawn at random.
        share: Share of the sample that must be left, in (0, 1].
        risk: Share of the sample's percent that is predicted best that may be lost, in [0, 1]; 1 is the paper's rule.
            The default was chosen on TransNAS-Bench-101 micro: with matrices and 100 networks 27 % of the true best
            percent stayed in 20 % of the space, and with the paper's rule 11 % in 17 % (4 tasks, 2 seeds).

    Returns:
        The narrowed space. Dropping stops when each feature left raises the prediction or none can go.

    Raises:
        InvalidDataError: If the share lies outside (0, 1] or the risk outside [0, 1], the sample is empty, no column is
            a feature, or the surrogate is another one.
        MissingDependencyError: If `lightgbm` is not installed.
        NotFittedError: If the predictor is not fitted.
    """
    return narrow_encoding(predictor, predictor.encode(sample), share=share, risk=risk)


def narrow_encoding(predictor: Predictor, rows: Encoding, *, share: float = 0.1, risk: float = 0.1) -> Narrowing:
    """`narrow` with rows of columns made by `Predictor.encode`."""
    if not 0.0 < share <= 1.0 or not 0.0 <= risk <= 1.0 or not len(rows.values):
        msg = (
            f"`0 < share <= 1`, `0 <= risk <= 1` and a sample are needed, but got {share=}, {risk=} and "
            f"{len(rows.values)} candidates: give them"
        )
        raise InvalidDataError(msg)
    features = binary_columns(rows)
    if not len(features):
        msg = "a space is narrowed by columns that are 0 or one other value, but got none: use the encoder Adjacency"
        raise InvalidDataError(msg)
    worth = np.stack([found.values for found in explain_trees_encoding(predictor, rows)])[:, features]
    present = rows.values[:, features] > 0
    mean = predictor.predict_encoding(rows).mean
    best = np.zeros(len(mean), dtype=bool)
    best[np.argsort(-mean, kind="stable")[: max(round(_TOP * len(mean)), 1)]] = True
    least = (share * len(mean), (1.0 - risk) * best.sum())
    left = np.ones(len(mean), dtype=bool)
    dropped: list[Drop] = []
    while (worst := _worst(worth[left], present[left], best[left], least)) is not None:
        feature, contribution = worst
        left &= ~present[:, feature]
        dropped.append(Drop(rows.names[features[feature]], contribution, float(left.mean())))
    return Narrowing(predictor, tuple(dropped), float(left.mean()), float(1.0 - left[best].mean()))


def binary_columns(rows: Encoding) -> Int[np.ndarray, " k"]:
    """Positions of the columns that are 0 in some rows and one positive value in the others."""
    values = rows.values
    highest = np.max(values, axis=0, initial=0.0)
    two = ((values == 0.0) | (values == highest)).all(axis=0)
    return np.flatnonzero(two & (highest > 0) & (values == 0.0).any(axis=0))


def _worst(
    worth: Float[np.ndarray, "n k"],
    present: Bool[np.ndarray, "n k"],
    best: Bool[np.ndarray, " n"],
    least: tuple[float, float],
) -> tuple[int, float] | None:
    """The feature with the lowest mean contribution of those that may go, if that is negative.

    A feature may go if at least so many candidates stay, and so many of the best.
    """
    count = present.sum(axis=0)
    mean = np.where(present, worth, 0.0).sum(axis=0) / np.maximum(count, 1)
    stays = (len(present) - count >= least[0]) & (best.sum() - present[best].sum(axis=0) >= least[1] - 1e-9)
    mean = np.where((count > 0) & stays, mean, np.inf)
    feature = int(np.argmin(mean))
    return (feature, float(mean[feature])) if mean[feature] < 0 else None
