"""What the cheaper fidelities say of any position: one process each, on its own scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.study_belief import Trend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.search_memory import SearchMemory
    from foretell.unit_cube import UnitCube

_FEWEST = 4
_PLAIN = (np.inf,)
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class CheapLevels:
    """A trend a level, None where too little is known.

    Args:
        cube: The space.
        trends: From the cheapest.
    """

    cube: UnitCube
    trends: tuple[Trend | None, ...]

    @classmethod
    def fit(
        cls, cube: UnitCube, known: Sequence[tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]],
        memory: SearchMemory,
    ) -> CheapLevels:  # fmt: skip
        """Fit to positions and values of each level, in the order in which they became known."""
        return cls(
            cube,
            tuple(
                Trend.fit(cube, units, y, memory, scales=_PLAIN)
                if len(y) >= _FEWEST and len(np.unique(y)) > 1
                else None
                for units, y in known
            ),
        )

    def columns(self, units: Float[np.ndarray, "n d"]) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
        """Mean and deviation of what each level would give at positions, in units of its warped values.

        A level that says nothing has 0 everywhere.
        """
        mean, std = np.zeros((len(units), len(self.trends))), np.full((len(units), len(self.trends)), _LEAST)
        X = self.cube.encode(units)
        for j, trend in enumerate(self.trends):
            if trend is not None:
                belief = trend.predict(X)
                mean[:, j], std[:, j] = belief.mean, belief.std
        return mean, std

    @property
    def noise(self) -> Float[np.ndarray, " k"]:
        """Variance of each level's noise, in units of its warped values."""
        return np.array([1.0 if trend is None else trend.process.t2 for trend in self.trends])
