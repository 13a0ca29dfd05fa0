"""Keeping the architecture that is expected under a limit on parameters or FLOPs.

Notation: alpha strengths, p = softmax(alpha) shares of operators on each edge, c their costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from foretell.capture.nasbench201 import EDGES, OPERATIONS
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.one_shot.supernet import Supernet

_CALM = 1e-9  # of the limit, within which it counts as kept
_SINGLE = OPERATIONS.index("skip_connect")
_NOWHERE = OPERATIONS.index("none")


@dataclass(frozen=True, eq=False)
class ResourceLimit:
    """Projects strengths so that the expected cost of a cell is within a limit, as RC-DARTS does after each step.

    Jin et al., 2019, "RC-DARTS: Resource Constrained Differentiable Architecture Search",
    https://arxiv.org/abs/1912.12814, move alpha along the gradient of the cost until the limit holds. Ours takes the
    shares that are nearest in the Kullback-Leibler divergence: p_o proportional to exp(alpha_o - t c_o) with the
    smallest t >= 0 that suffices. That is the exact projection, a single number to be found, and reaches any limit
    that can be kept at all. Their search at several depths is left out: all cells are alike here.

    Args:
        costs: Of each operator on each edge, in any unit, at least 0.
        at_most: The largest expected sum over the edges.

    Raises:
        InvalidDataError: If the cheapest operators are beyond the limit, or a cost is negative.

    >>> limit = ResourceLimit(np.array([[0.0, 4.0]]), at_most=1.0)
    >>> shares = np.exp(limit.project(np.log([[0.5, 0.5]])))
    >>> (shares / shares.sum()).round(3)
    array([[0.75, 0.25]])
    """

    costs: Float[np.ndarray, "edges operators"]
    at_most: float

    def __post_init__(self) -> None:
        least = float(self.costs.min(axis=1).sum())
        if not (self.costs.min() >= 0.0 and self.at_most >= least):
            msg = (
                f"costs must not be negative and the limit not below the cheapest cell's, but got {self.at_most} and a "
                f"cheapest of {least}: raise the limit"
            )
            raise InvalidDataError(msg)

    @classmethod
    def of(cls, supernet: Supernet, measure: str, at_most: float) -> ResourceLimit:
        """A limit on the whole network, of which cells are what can be chosen.

        Args:
            supernet: Whose cells are counted.
            measure: `params` or `flops` (a multiply-add counted as two, for one image).
            at_most: The limit.

        Raises:
            InvalidDataError: If the measure is another, or no cell is within the limit.
        """
        if measure not in {"params", "flops"}:
            msg = f"a limit is on 'params' or 'flops', but got {measure!r}: choose one"
            raise InvalidDataError(msg)

        def counted(operator: int) -> float:
            cell = [_NOWHERE] * len(EDGES)
            cell[EDGES.index((0, 3))] = operator
            return float(getattr(supernet.graph(cell), measure))

        rest = counted(_SINGLE)
        each = [0.0 if k == _NOWHERE else counted(k) - rest for k in range(len(OPERATIONS))]
        return cls(np.tile(each, (len(EDGES), 1)), at_most - rest)

    def expected(self, alpha: Float[np.ndarray, "edges operators"]) -> float:
        """Expected cost of a cell whose operators are drawn by their shares, edges that lead nowhere included."""
        return float((_shares(alpha) * self.costs).sum())

    def project(self, alpha: Float[np.ndarray, "edges operators"]) -> Float[np.ndarray, "edges operators"]:
        """Strengths within the limit; those that are come back as they are."""
        if self.expected(alpha) <= self.at_most * (1.0 + _CALM):
            return alpha
        low, high = 0.0, 1.0 / max(float(self.costs.max()), 1e-300)
        while self.expected(alpha - high * self.costs) > self.at_most * (1.0 + _CALM) and high < 1e12:
            low, high = high, 2.0 * high
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.expected(alpha - middle * self.costs) > self.at_most else (low, middle)
        return np.asarray(alpha - high * self.costs)

    def best(self, alpha: Float[np.ndarray, "edges operators"]) -> tuple[int, ...]:
        """The most probable cell whose cost is within the limit, by trying all."""
        likely = np.log(np.maximum(_shares(alpha), 1e-300))
        cells = np.array(list(product(range(alpha.shape[1]), repeat=len(alpha))))
        edges = np.arange(len(alpha))
        found = np.where(
            self.costs[edges, cells].sum(axis=1) <= self.at_most * (1.0 + _CALM),
            likely[edges, cells].sum(axis=1),
            -np.inf,
        )
        return tuple(cells[int(found.argmax())].tolist())


def _shares(alpha: Float[np.ndarray, "edges operators"]) -> Float[np.ndarray, "edges operators"]:
    raised = np.exp(alpha - alpha.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
