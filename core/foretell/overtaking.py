"""Whether a training run will overtake the best one: what other tasks' curves teach about runs that are behind.

A study's own finished runs say next to nothing while there are one or two of them (`foretell.curve_rule`). Here the
belief is made beforehand: a logistic regression on how far a run is behind at the same step, how fast it and the best
one gain, whether it draws nearer, and how many runs are ahead of it; all of them ratios, so that units and numbers of
steps do not matter. Learning beforehand from whole curves, to be applied where there are few, is the idea of
Adriaensen, Rakotoarison, Mueller and Hutter, 2023, "Efficient Bayesian Learning Curve Extrapolation using Prior-Data
Fitted Networks", https://arxiv.org/abs/2310.20447, who learn from invented curves and predict the curve; ours are real
ones, and the answer is the one probability that is needed. To compare runs at the same step is what successive halving
does (Jamieson and Talwalkar, 2016, https://arxiv.org/abs/1502.07943).

Notation: s the share of a whole run that was seen; x features (`NAMES`); w, u weights (`WEIGHTS`).

    logit P(final value above the best) = w_0 + u_0 s + sum_j (w_j + u_j s) x_j
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.learning_curve import LARGEST, finite_points, read_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.learning_curve import Curve, FinishedRun

_POINTS = 50  # to which a longer run is thinned out, as those learnt from
_RESOLUTION = 1e-3  # of the best run's way from its median to its end: what is less counts as nothing
_FAR = 6.0  # logarithm beyond which ratios are the same
WEIGHTS: dict[str, tuple[float, float]] = {
    "1": (0.061, 0.599),
    "lacks / best lacks": (0.283, 0.062),
    "mean lacks / best's": (-0.218, -0.599),
    "lacks / gains": (-0.148, -1.406),
    "tied": (1.691, -0.114),
    "gap / earlier gap": (-0.186, 1.002),
    "ahead": (-0.762, 0.080),
    "compared": (-1.068, 0.026),
    "finished": (-0.230, -0.251),
    "seen": (-0.177, 2.658),
}
"""Weights w and u of a constant and of every feature, learnt by `foretell.benchmarks.overtaking_fit`."""


def overtaking(finished: Sequence[FinishedRun], curve: Curve, others: Sequence[Curve] = ()) -> float:
    """Probability that a run ends above the best finished one.

    Args:
        finished: Runs that were not stopped, in any order; those without a finite final value are passed over.
        curve: Pairs (step, value) of the run in question so far, steps increasing; larger values are better. Points
            that are not finite numbers are left out.
        others: Curves of runs that were stopped, have failed or are running; they only tell how many are ahead.

    Returns:
        Between 0 and 1.

    Raises:
        InvalidDataError: If there is no usable finished run, or no finite point of the curve.

    >>> from foretell.learning_curve import FinishedRun
    >>> def run(end, steps):
    ...     return tuple((t, end * (1 - 0.8**t)) for t in range(1, steps + 1))
    >>> finished = [FinishedRun(run(end, 20), end) for end in (0.5, 0.7)]
    >>> low, high = (overtaking(finished, run(end, 8)) for end in (0.3, 0.9))
    >>> low < 0.05, high > 0.5
    (True, True)
    """
    x, s = overtaking_features(finished, curve, others)
    z = sum((w + u * s) * v for (w, u), v in zip(WEIGHTS.values(), [1.0, *x], strict=True))
    return 1.0 / (1.0 + math.exp(-min(max(z, -50.0), 50.0)))


def overtaking_features(
    finished: Sequence[FinishedRun], curve: Curve, others: Sequence[Curve] = ()
) -> tuple[list[float], float]:
    """What `overtaking` looks at.

    Args:
        finished: As there.
        curve: As there.
        others: As there.

    Returns:
        Features in the order of `WEIGHTS`, without the constant, and the share of a whole run that was seen.

    Raises:
        InvalidDataError: As there.
    """
    whole = [
        (run.final, points) for run in finished if abs(run.final) <= LARGEST and (points := finite_points(run.curve))
    ]
    mine = finite_points(curve)
    if not whole or not mine:
        msg = (
            f"a probability needs a finished run and a point of the curve, but got {len(whole)} and {len(mine)}: "
            "ask later"
        )
        raise InvalidDataError(msg)
    start, end, reports = np.median([(points[0][0], points[-1][0], len(points)) for _, points in whole], axis=0)
    end = max(end, mine[-1][0])
    spacing = (end - start) / max(reports - 1.0, 1.0) or 1.0
    every = math.ceil(reports / _POINTS)
    steps, y = np.array(mine[::-every][::-1], dtype=np.float64).T  # the last one always among them
    now = float(steps[-1])
    s = min((now - start + spacing) / (end - start + spacing), 1.0)
    f, points = max(whole)
    b = read_curve(points, steps)
    path = read_curve(points, np.linspace(start, end, max(round(reports / every), 2)))
    least = _loudness(path[len(path) // 2 :]) + _RESOLUTION * abs(f - float(np.median(path))) + 1e-300

    def ratio(above: float, below: float) -> float:
        logarithm = math.log((max(above, 0.0) + least) / (max(below, 0.0) + least))
        return min(max(logarithm, -_FAR), _FAR)

    t = len(y)
    last, places, halfway = slice(t - max(1, t // 4), t), np.arange(t), max(t / 2 - 1, 0)
    y_half, b_half = float(np.interp(halfway, places, y)), float(np.interp(halfway, places, b))
    doublings = math.log2(1.0 / max(s, 1e-9))  # as much is gained in each by a curve that is a logarithm
    beside = [_value(c, now) for _, c in whole]
    beside += [_value(c, now) for other in others if other and other[-1][0] >= now and (c := finite_points(other))]
    ahead = sum(v > y[-1] for v in beside)
    return [
        ratio(f - y[-1], f - b[-1]),
        ratio(f - float(y[last].mean()), f - float(b[last].mean())),
        ratio(f - y[-1], (float(y.max()) - y_half) * doublings),
        float(y[-1] >= f),
        ratio(b[-1] - y[-1], b_half - y_half),
        math.log((ahead + 0.5) / (len(beside) - ahead + 0.5)),
        math.log(len(beside) + 1.0),
        math.log(len(whole)),
        math.log(max(s, 1e-9)),
    ], float(s)


def _value(points: Curve, step: float) -> float:
    """As `read_curve`, of one step."""
    i = bisect_left(points, step, key=lambda point: point[0])
    if i == len(points) or i == 0 or points[i][0] == step:
        return points[min(i, len(points) - 1)][1]
    (t_0, v_0), (t_1, v_1) = points[i - 1 : i + 1]
    return v_0 + (v_1 - v_0) * (step - t_0) / (t_1 - t_0)


def _loudness(values: Float[np.ndarray, " k"]) -> float:
    """Standard deviation of normal noise about straight lines, by the median of second differences."""
    return float(np.median(np.abs(np.diff(values, 2)))) / 1.65 if len(values) > 2 else 0.0
