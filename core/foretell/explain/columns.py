"""What each column, or group of columns, adds to the prediction of one candidate: Shapley values against other ones.

For any fitted predictor. Lundberg and Lee, 2017, "A Unified Approach to Interpreting Model Predictions",
https://arxiv.org/abs/1705.07874; a coalition of groups is worth the mean prediction of the background's candidates when
they have these groups' columns from the candidate in question (interventional, Janzing, Minorics and Bloebaum, 2020,
https://arxiv.org/abs/1910.13413). That tells what the predictor makes of the columns, not what would happen to a
trained network. `explain_trees` is exact and much faster for gradient-boosted trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders import Encoding
from foretell.errors import InvalidDataError
from foretell.explain.shapley import exact_shapley, sampled_shapley

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Bool, Float

    from foretell.candidate import Candidate
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor

TARGET, NORMAL_SCORE = "target", "normal score"
"""Units of contributions: those of the target, or of its normal score, which has standard deviation 1."""

_ENUMERATED = 8  # players up to which all coalitions are asked: 256, about as many as 18 pairs of orders
_CHUNK = 4096  # rows predicted at once


@dataclass(frozen=True, eq=False)
class Contributions:
    """Parts of one prediction; larger raises it.

    Args:
        names: What contributes.
        values: By how much.
        base: Prediction where nothing is known of the candidate.
        unit: `TARGET` or `NORMAL_SCORE`.
        errors: Standard errors of the values, 0 where they are exact.

    >>> Contributions(("width", "depth"), np.array([0.5, -1.0]), 3.0, TARGET, np.zeros(2))
    Contributions(2.5 = 3 - 1 depth + 0.5 width)
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, " k"]
    base: float
    unit: str
    errors: Float[np.ndarray, " k"]

    @property
    def prediction(self) -> float:
        """What the candidate is predicted: the base and all contributions."""
        return float(self.base + self.values.sum())

    def largest(self, most: int = 10) -> list[tuple[str, float]]:
        """Names and values of the contributions that are not 0, the largest first, whatever their sign."""
        order = np.argsort(-np.abs(self.values), kind="stable")[:most]
        return [(self.names[i], float(self.values[i])) for i in order.tolist() if self.values[i]]

    def __repr__(self) -> str:
        shown = self.largest(3)
        parts = "".join(f" {'+' if value > 0 else '-'} {abs(value):.4g} {name}" for name, value in shown)
        rest = np.count_nonzero(self.values) - len(shown)
        return f"Contributions({self.prediction:.4g} = {self.base:.4g}{parts}{f' + {rest} more' if rest else ''})"


def explain_columns(
    predictor: Predictor,
    item: Candidate | ComputationGraph | Mapping[str, Value],
    background: Sequence[Candidate | ComputationGraph | Mapping[str, Value]],
    *,
    players: Callable[[Encoding], Sequence[str]] = lambda encoding: encoding.groups,
    pairs: int = 8,
    seed: int = 0,
) -> Contributions:
    """Shapley values of groups of columns, in units of the target.

    They sum to the prediction less the mean prediction of the background, however many orders are drawn. Groups whose
    columns are the same in all of the background contribute 0 and cost nothing. Up to 8 others are exact; more are
    estimated from random orders, `2 pairs (groups - 1)` times the background's size predictions in all.

    Args:
        predictor: A fitted predictor.
        item: The candidate in question.
        background: What it is compared with, such as 30 random candidates of its space.
        players: What belongs together: gives each column's label. The default is the encoders' groups; for single
            columns `lambda encoding: encoding.names`.
        pairs: Orders drawn, each with its reverse.
        seed: Seed of the orders.

    Raises:
        InvalidDataError: If the background is empty, or there is not one label a column.
        NotFittedError: If the predictor is not fitted.

    >>> from foretell import FloatDistribution, Hyperparameters, Predictor, SearchSpace
    >>> space = SearchSpace({"lr": FloatDistribution(0, 1), "noise": FloatDistribution(0, 1)})
    >>> configs = [space.quasi_random(i, seed=0) for i in range(30)]
    >>> predictor = Predictor((Hyperparameters(space),)).fit(configs, [c["lr"] for c in configs])
    >>> found = explain_columns(predictor, {"lr": 0.9, "noise": 0.9}, configs)
    >>> [(name, round(value, 1)) for name, value in found.largest()[:1]]
    [('lr', 0.4)]
    """
    if not background:
        msg = "an explanation needs a background to compare with, but got no candidate: give some of the same space"
        raise InvalidDataError(msg)
    rows = predictor.encode([item, *background])
    labels = list(players(rows))
    if len(labels) != len(rows.names):
        msg = f"`players` must give one label a column, but got {len(labels)} for {len(rows.names)}: check it"
        raise InvalidDataError(msg)
    names = tuple(dict.fromkeys(labels))
    number = {name: i for i, name in enumerate(names)}
    owner = np.array([number[label] for label in labels], dtype=np.int64)
    own, others = rows.values[0], rows.values[1:]
    differs = ~((others == own) | (np.isnan(others) & np.isnan(own))).all(axis=0)
    active = np.unique(owner[differs])
    values, errors = np.zeros(len(names)), np.zeros(len(names))

    def worth(who: Bool[np.ndarray, "c players"]) -> Float[np.ndarray, " c"]:
        everyone = np.zeros((len(who), len(names)), dtype=bool)
        everyone[:, active] = who
        return _mean_prediction(predictor, rows, everyone[:, owner])

    if len(active) <= _ENUMERATED:
        values[active] = exact_shapley(worth, len(active))
    else:
        values[active], errors[active] = sampled_shapley(worth, len(active), pairs=pairs, seed=seed)
    base = float(worth(np.zeros((1, len(active)), dtype=bool))[0])
    return Contributions(names, values, base, TARGET, errors)


def _mean_prediction(predictor: Predictor, rows: Encoding, taken: Bool[np.ndarray, "c d"]) -> Float[np.ndarray, " c"]:
    """Mean over the background of predictions with the columns taken from the first row."""
    own, others = rows.values[0], rows.values[1:]
    found = np.empty(len(taken))
    step = max(_CHUNK // len(others), 1)
    for low in range(0, len(taken), step):
        part = taken[low : low + step]
        mixed = np.where(part[:, None, :], own, others)  # (c, B, d)
        block = Encoding(mixed.reshape(-1, len(own)), rows.names, rows.groups, rows.scaled, rows.verbatim)
        mean = predictor.predict_encoding(block).mean
        found[low : low + step] = mean.reshape(len(part), len(others)).mean(axis=1)
    return found
