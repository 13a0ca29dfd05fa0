"""Encoder of learning curves: what the first epochs of a training say of its end.

Baker et al., 2017, "Accelerating Neural Architecture Search using Performance Prediction",
https://arxiv.org/abs/1705.10823, section 3: the values y_1..y_t, their first differences y'_t = y_t - y_(t-1) and
second differences y''_t = y'_t - y'_(t-1), beside the network's own columns. There one model is fitted for each t;
here a curve of any length gives the same columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate

_SUMMARY = ("last", "best", "mean", "std", "slope", "late_slope", "best_at", "lost")
_LARGEST = 1e100  # values beyond count as lost, so that their squares stay finite
_LENGTH = ("log_points", "log_steps")


@dataclass(frozen=True)
class LearningCurve:
    """The curve at evenly spaced fractions of what has been seen of it, its differences, and a summary.

    Columns, in four groups:

    - `curve values`: linear interpolation at `points` steps from the first one seen to the last.
    - `curve differences`: first, then second differences of these.
    - `curve summary`: last and best value; mean and standard deviation over the values seen; slope of the least
      squares line over all of them, and over those in the later half of the steps, in units of the value for the
      whole span; where the best lies, 0 the first step and 1 the last; the share of points that are not finite.
    - `curve length`: log10(1 + points seen), and log10(1 + the last step) for steps from 0.

    A point that is not finite or beyond 1e100, as a diverging training gives, counts as lost and as nothing
    else. A curve of such points only is absent in all columns. One point has differences, deviation and slopes 0.

    Args:
        points: Steps at which the curve is read.

    Raises:
        InvalidDataError: If there are fewer than 3 points, too few for a second difference.

    >>> from foretell.candidate import Candidate
    >>> curve = ((1, 0.1), (2, 0.5), (3, 0.6), (5, 0.7))
    >>> encoding = LearningCurve(points=3).encode([Candidate(curve=curve)])
    >>> dict(zip(encoding.names[:6], encoding.values[0, :6].round(3).tolist(), strict=True))
    {'y0': 0.1, 'y1': 0.6, 'y2': 0.7, 'dy0': 0.5, 'dy1': 0.1, 'ddy0': -0.4}
    """

    name: ClassVar[str] = "learning_curve"
    points: int = 8

    def __post_init__(self) -> None:
        if self.points < 3:
            msg = f"`points >= 3` must hold for a learning curve, but got {self.points=}: 8 suit most"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode curves, see `Encoder.encode`; a candidate without one is absent in all columns."""
        n = self.points
        values = [f"y{i}" for i in range(n)]
        differences = [*(f"dy{i}" for i in range(n - 1)), *(f"ddy{i}" for i in range(n - 2))]
        groups = (
            *["curve values"] * len(values),
            *["curve differences"] * len(differences),
            *["curve summary"] * len(_SUMMARY),
            *["curve length"] * len(_LENGTH),
        )
        rows = np.full((len(candidates), len(groups)), np.nan)
        for i, candidate in enumerate(candidates):
            curve = np.array(candidate.curve, dtype=np.float64).reshape(-1, 2)
            seen = curve[np.abs(curve[:, 1]) <= _LARGEST]
            if len(seen):
                rows[i] = self._row(seen, 1.0 - len(seen) / len(curve))
        return Encoding(rows, (*values, *differences, *_SUMMARY, *_LENGTH), groups, np.zeros(len(groups), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """How many points."""
        return {"points": self.points}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> LearningCurve:
        """Inverse of `to_config`."""
        return cls(int(config["points"]))

    def _row(self, seen: Float[np.ndarray, "t 2"], lost: float) -> Float[np.ndarray, " d"]:
        steps, y = seen.T
        span = steps[-1] - steps[0]
        at = (steps - steps[0]) / span if span > 0 else np.zeros(1)
        read = np.interp(np.linspace(0.0, 1.0, self.points), at, y)
        first = np.diff(read)
        late = at >= 0.5
        summary = (y[-1], y.max(), y.mean(), y.std(), _slope(at, y), _slope(at[late], y[late]), at[y.argmax()])
        length = (math.log10(1.0 + len(seen)), math.log10(1.0 + max(steps[-1], 0.0)))
        return np.array([*read, *first, *np.diff(first), *summary, lost, *length])


def _slope(x: Float[np.ndarray, " t"], y: Float[np.ndarray, " t"]) -> float:
    """Of the least squares line; 0 where no two x differ."""
    if len(x) < 2:
        return 0.0
    apart = x - x.mean()
    spread = float(apart @ apart)
    return float(apart @ y) / spread if spread > 0 else 0.0
