"""The cheap baselines as NASLib predictors: the more operations or weights, the better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foretell_adapters.naslib.predictor import ForetellPredictor
from foretell_adapters.naslib.space import graph_of

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTED = ("params", "flops")
"""What can be counted."""


class Counting(ForetellPredictor):
    """Counts parameters or FLOPs of the whole network; learns nothing.

    Args:
        what: One of `COUNTED`.
        ss_type: Name of the search space.
    """

    def __init__(self, what: str, ss_type: str) -> None:
        super().__init__(ss_type)
        self._what = what

    def prepare(self, archs: Sequence[Any]) -> None:
        """Nothing to compute ahead."""

    def fit(self, xtrain: Sequence[Any], ytrain: Sequence[float], train_info: Any = None) -> None:
        """Nothing to learn."""

    def query(self, xtest: Sequence[Any], info: Any = None) -> np.ndarray:
        """The number of each network, in place of an accuracy."""
        del info
        return np.array([getattr(graph_of(arch, self.ss_type), self._what) for arch in xtest], dtype=np.float64)
