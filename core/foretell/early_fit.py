"""What a search fits to the first of all positions, and finds again until enough has come to fit it anew.

Length scales change little once there are some dozen results, and the scale of the targets less. So theta is fitted
anew when a tenth has come, starting from where it was; on which scale the targets are best seen is asked when a third
has come. Either way what is fitted is a function of the results alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.held_down import held_down
from foretell.search_warps import warped
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta, spread_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from foretell.search_memory import SearchMemory
    from foretell.transfer.informed_cube import InformedCube
    from foretell.unit_cube import UnitCube

_FIT_ROWS = 120
_SETTLED = 12  # results from which on theta is followed; before, all is fitted with every one


@dataclass(frozen=True, eq=False)
class EarlyFit:
    """What is fitted, with the columns of all positions that came before.

    Args:
        rows: Their columns.
        layout: What the columns mean.
        centre: What is taken off them.
        scale: On which the targets are seen, one of `SCALES`.
        theta: Of the process, see `SearchProcess`.
    """

    rows: Float[np.ndarray, "k c"]
    layout: Layout
    centre: Float[np.ndarray, " c"]
    scale: float
    theta: Float[np.ndarray, " G_plus_2_plus_B"]

    @classmethod
    def of(
        cls,
        cube: UnitCube | InformedCube,
        units: Float[np.ndarray, "k d"],
        y: Float[np.ndarray, " k"],
        partial: Bool[np.ndarray, " k"] | None,
        memory: SearchMemory,
        scales: Sequence[float],
    ) -> EarlyFit:
        """Fit, or find again.

        Args:
            cube: The space.
            units: Positions, in the order in which they became known; so many as `refit_size` says.
            y: Targets, any scale, infinite allowed.
            partial: Which were stopped early, see `held_down`; None if none was.
            memory: Where fits are found again.
            scales: Scales on which the targets may be seen.
        """
        held = y if partial is None else held_down(y, partial)

        def work() -> EarlyFit:
            k = _settled_size(len(y))
            if k == len(y):
                return cls._fit(cube, units, held, memory, scales, None)
            before = cls.of(cube, units[:k], y[:k], None if partial is None else partial[:k], memory, scales)
            return cls._fit(cube, units, held, memory, (before.scale,), before.theta)

        return memory.of_cube(cube, (units.tobytes(), held.tobytes(), *scales), work)

    @classmethod
    def _fit(
        cls,
        cube: UnitCube | InformedCube,
        units: Float[np.ndarray, "k d"],
        y: Float[np.ndarray, " k"],
        memory: SearchMemory,
        scales: Sequence[float],
        start: Float[np.ndarray, " G_plus_2_plus_B"] | None,
    ) -> EarlyFit:
        layout = Layout(cube.groups, cube.blocks, cube.n_groups, cube.n_blocks)
        which, rows = spread_rows(y, _FIT_ROWS), cube.encode(units)
        first = rows if len(which) == len(rows) else cube.encode(units[which])

        def work() -> np.ndarray:
            centre = first.mean(axis=0)
            return np.concatenate([centre, *_best_scale(first - centre, y, which, layout, scales, start)])

        # by what is fitted, not by the cube: conditions that are found to be others change no column
        begun = b"" if start is None else start.tobytes()
        fitted = memory.fit((layout.key, first.tobytes(), y.tobytes(), begun, *scales), work)
        c = first.shape[1]
        return cls(rows, layout, fitted[:c], float(fitted[c]), fitted[c + 1 :])


def _best_scale(
    X: Float[np.ndarray, "k c"],
    y: Float[np.ndarray, " n"],
    rows: np.ndarray,
    layout: Layout,
    scales: Sequence[float],
    start: Float[np.ndarray, " G_plus_2_plus_B"] | None,
) -> tuple[list[float], Float[np.ndarray, " G_plus_2_plus_B"]]:
    """The scale under which each target is best predicted from the others, and theta there."""
    best, found = -np.inf, None
    for share in scales:
        z, log_slope = warped(y, share)
        z, log_slope = z[rows], log_slope[rows]
        start = fit_theta(X, z, layout, start)
        if len(scales) == 1:
            return [share], start
        process = SearchProcess.condition_on(X, z, layout, start)
        density = process.log_pseudo_likelihood() + float(log_slope.sum())
        if density > best:
            best, found = density, ([share], start)
    assert found is not None
    return found


def _settled_size(n: int) -> int:
    """The size up to n at which everything is fitted from the beginning."""
    return n if n < _SETTLED else max(_SETTLED, n - n % max(9, 3 * (n // 10)))


def refit_size(n: int) -> int:
    """The largest size up to n at which theta is fitted, so that its cost is shared by several suggestions."""
    step = max(1 if n < 12 else 3, n // 10)
    return n - n % step
