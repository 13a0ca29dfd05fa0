"""How good samplers get for what they spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.visualization.chart import COLOURS, Axis, Band, Chart, Layer, Line
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class SpentAndReached:
    """The best so far of one sampler, over its runs.

    Attributes:
        name: The sampler.
        cost: What was spent, k, rising.
        median: The best so far there, median over runs, k, in the unit and direction that readers know.
        low: Lower end of the middle half of the runs, k.
        high: Upper end, k.
        runs: How many runs there were.
    """

    name: str
    cost: Float[np.ndarray, " k"]
    median: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    runs: int


@dataclass(frozen=True, eq=False)
class CostComparison:
    """Samplers side by side.

    Attributes:
        samplers: One each.
        label: Name of the target.
        unit: What the cost is counted in.
        log: Whether the target is drawn on a logarithmic scale.
    """

    samplers: tuple[SpentAndReached, ...]
    label: str = "target"
    unit: str = "trials"
    log: bool = False

    @classmethod
    def of(
        cls,
        runs: Mapping[str, Sequence[Sequence[tuple[float, float]]]],
        *,
        sign: float = 1.0,
        label: str = "target",
        unit: str = "trials",
    ) -> CostComparison:
        """From runs by sampler; the median begins where all runs of a sampler have a value, and ends with the shortest.

        Args:
            runs: Of each sampler its runs, such as one a seed; of each run its trials in order as pairs (cost, value),
                larger values are better, those that are not finite cost and give nothing. Costs are not negative.
            sign: -1 where readers know the target as smaller is better.
            label: Name of the target.
            unit: What the cost is counted in.

        Raises:
            InvalidDataError: If a cost is negative or not finite.

        >>> found = CostComparison.of({"a": [[(1, 0.5), (2, 0.9)], [(2, 0.7), (2, 0.1)]]})
        >>> [one.tolist() for one in (found.samplers[0].cost, found.samplers[0].median)]
        [[2.0, 3.0], [0.6, 0.8]]
        """
        return cls(tuple(_over_runs(name, trials, sign) for name, trials in runs.items()), label, unit)

    def chart(self) -> Chart:
        """The picture."""
        layers: list[Layer] = []
        shown = [(c, s) for c, s in zip(COLOURS * len(self.samplers), self.samplers, strict=False) if len(s.cost)]
        for colour, one in shown:
            if one.runs > 1:
                x, low, high = _stairs(one.cost, one.low, one.high)
                layers.append(Band(x, low, high, colour=colour, opacity=0.15))
        layers += [
            Line(s.cost, s.median, name=s.name, colour=c, steps=True, dashed=i % 2 == 1)
            for i, (c, s) in enumerate(shown)
        ]
        reached = "; ".join(f"{s.name} {s.median[-1]:.4g} after {s.cost[-1]:.4g}" for _, s in shown)
        return Chart(
            f"{self.label} against {self.unit}",
            f"Best {self.label} so far against {self.unit} spent, median and middle half of the runs: {reached}."
            if shown
            else "No run yet.",
            Axis(f"spent ({self.unit})"),
            Axis(f"best {self.label} so far", log=self.log),
            tuple(layers),
            note="" if shown else "no trial is finished yet",
        )


def _over_runs(name: str, runs: Sequence[Sequence[tuple[float, float]]], sign: float) -> SpentAndReached:
    curves = [np.array(run, dtype=np.float64).reshape(-1, 2) for run in runs]
    if any(not (np.isfinite(c[:, 0]) & (c[:, 0] >= 0)).all() for c in curves):
        msg = f"a cost must be finite and not negative, but {name!r} has another: leave such trials out"
        raise InvalidDataError(msg)
    spent = [np.cumsum(c[:, 0]) for c in curves]
    best = [np.maximum.accumulate(np.where(np.isfinite(c[:, 1]), c[:, 1], -np.inf)) for c in curves]
    begun = [s[np.isfinite(b)] for s, b in zip(spent, best, strict=True)]
    none = np.zeros(0)
    if not begun or not all(len(b) for b in begun):
        return SpentAndReached(name, none, none, none, none, len(curves))
    start, end = max(b[0] for b in begun), min(s[-1] for s in spent)
    grid = np.unique(np.concatenate([s[(s >= start) & (s <= end)] for s in spent]))
    rows = np.stack([b[np.searchsorted(s, grid, side="right") - 1] for s, b in zip(spent, best, strict=True)])
    low, median, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
    low, high = np.sort(sign * np.stack([low, high]), axis=0)
    return SpentAndReached(name, grid, sign * median, low, high, len(curves))


def _stairs(x: np.ndarray, *ys: np.ndarray) -> tuple[np.ndarray, ...]:
    """Corners of values that hold until the next one."""
    return np.repeat(x, 2)[1:], *(np.repeat(y, 2)[:-1] for y in ys)


def plot_cost(data: CostComparison) -> go.Figure:
    """The best so far against what was spent: median of each sampler's runs, with the middle half as a band.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
