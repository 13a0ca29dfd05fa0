"""When to stop a training run: the probability that its end beats the best run so far, from its learning curve.

Baker, Gupta, Raskar and Naik, 2017, "Accelerating Neural Architecture Search using Performance Prediction",
https://arxiv.org/abs/1705.10823, section 3.3: stop when a regression from the first part of the curve says that the
final value exceeds the best one with a probability below a threshold. Theirs is fitted on a hundred full curves, and
its threshold is fixed; ours also stops where the same steps are better spent on a fresh run, which is the best of all n
with probability 1 / n before anything is known of it. The probability is one learnt from other tasks
(`foretell.overtaking`), which needs one finished run, or, as theirs, comes from a regression on this study's curves:
what is predicted is not the final value but what the curve still gains, by a linear regression in three features that
counts runs by their likeness to this one, with a prior, so that its belief has a closed form and heavy tails while
little is known. It serves where a value is asked for, not only who will be the best.

Notation: n finished runs, t the last step of the run in question; y_i(t) run i's value at that step, g_i = final_i -
y_i(t) what it gained after; z_i features of run i relative to the run in question, w_i weights.

    w_i = floor + (1 - floor) exp(-|z_i|^2 / 2)                 likeness; z = 0 is the run in question itself
    H = A'WA + Lambda, beta = H^-1 A'Wg, A = [1, z]             Bayesian linear regression (Bishop, 2006, "Pattern
    s^2 = (r'Wr + nu_0 s_0^2) / (nu_0 + sum w), r = g - A beta  Recognition and Machine Learning", section 3.3)
    final ~ y(t) + Student t with nu_0 + sum w degrees of freedom, location beta_0, scale^2 s^2 (1 + (H^-1)_00)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from foretell.errors import InvalidDataError
from foretell.learning_curve import LARGEST, Curve, FinishedRun, finite_points, read_curve
from foretell.overtaking import overtaking

if TYPE_CHECKING:
    from jaxtyping import Float

_POINTS = 16  # at which curves are read
_FLOOR = 0.01  # likeness of a run that is unlike this one in everything
_RIDGE, _NU_0 = 1.0, 2.0
_OUTLYING = 0.3  # spreads below the median beyond which one value is as bad as another


@dataclass(frozen=True, slots=True)
class FinalValue:
    """Belief about a run's final value: a Student t distribution, in the unit of the curve.

    Args:
        location: Its centre.
        scale: Its width, positive.
        degrees: Its degrees of freedom, positive.
    """

    location: float
    scale: float
    degrees: float

    def exceeds(self, value: float) -> float:
        """Probability that the final value is larger.

        >>> FinalValue(1.0, 2.0, 3.0).exceeds(1.0)
        0.5
        """
        from scipy.special import stdtr

        return float(stdtr(self.degrees, (self.location - value) / self.scale))

    def quantile(self, q: float) -> float:
        """Value below which the final value lies with probability `q`, in (0, 1)."""
        from scipy.special import stdtrit

        return float(self.location + self.scale * stdtrit(self.degrees, q))


class Belief(Protocol):
    """Says how probably a run ends above the best finished one; arguments as those of `overtaking`."""

    def __call__(self, finished: Sequence[FinishedRun], curve: Curve, others: Sequence[Curve] = ()) -> float:
        """The probability; there are two finished runs or more wherever `CurveRule.n_finished` says so."""
        ...


def regression(finished: Sequence[FinishedRun], curve: Curve, others: Sequence[Curve] = ()) -> float:
    """Probability that a run ends above the best finished one, by a regression on the finished curves alone.

    Needs three finished runs or more to say much. Arguments, errors: as `foretell.overtaking.overtaking`; the other
    curves are not looked at.
    """
    del others
    best = max((run.final for run in finished if _usable(run)), default=-math.inf)
    return CurveRule().final_value(finished, curve).exceeds(best)


@dataclass(frozen=True)
class CurveRule:
    """Stops runs that will not be the best.

    All numbers were chosen on three of TaskSet's tasks (those whose names come first, third and fifth) and on networks
    for handwritten digits that are not those of the tables, see `docs/search.md`.

    Args:
        threshold: A run is stopped when its probability of beating the best falls below this.
        n_finished: Finished runs before any is stopped.
        patience: Share of a whole run that is always seen.
        pace: A run is stopped as well when that probability, by what is left of the run, is less than so many times
            what a fresh run offers for a whole one; 0 stops none for that.
        belief: Where the probability comes from: `overtaking`, or `regression` (Baker et al.; then let three runs end).

    Raises:
        InvalidDataError: If threshold or patience lie outside [0, 1), pace is no number from 0 on, or no finished run
            would do.

    >>> finished = [FinishedRun(((1, a / 2), (2, a * 0.8), (3, a)), a) for a in (0.5, 0.6, 0.7, 0.8, 0.9)]
    >>> rule = CurveRule()
    >>> [rule.hopeless(finished, ((1, a / 2), (2, a * 0.8))) for a in (0.2, 0.88)]
    [True, False]
    """

    threshold: float = 0.005
    n_finished: int = 1
    patience: float = 0.03
    pace: float = 0.75
    belief: Belief = overtaking

    def __post_init__(self) -> None:
        sound = 0 <= self.threshold < 1 and 0 <= self.patience < 1 and 0 <= self.pace < math.inf
        if not sound or self.n_finished < 1:
            msg = (
                "`0 <= threshold < 1`, `0 <= patience < 1`, `0 <= pace` and `n_finished >= 1` must hold, but got "
                f"{self}: see the defaults"
            )
            raise InvalidDataError(msg)

    def hopeless(
        self,
        finished: Sequence[FinishedRun],
        curve: Curve,
        begun: int | None = None,
        others: Sequence[Curve] = (),
    ) -> bool:
        """Whether a run is to be stopped.

        Args:
            finished: Runs that were not stopped, in any order; those without a finite final value are passed over.
            curve: Pairs (step, value) of the run in question so far, steps increasing; larger values are better. A last
                value that is not a finite number is hopeless.
            begun: How many runs were begun, this one and those that were stopped or failed among them; None counts
                those given.
            others: Curves of runs that were stopped, have failed or are running; the more there are at this step, the
                more it says to be ahead of them.
        """
        usable = [run for run in finished if _usable(run)]
        if not curve or len(usable) < self.n_finished:
            return False
        if not abs(curve[-1][1]) <= LARGEST:
            return True
        starts, ends = zip(*((run.curve[0][0], run.curve[-1][0]) for run in usable), strict=True)
        seen = curve[-1][0] - float(np.median(starts))
        whole = float(np.median(ends)) - float(np.median(starts))
        if seen <= self.patience * whole or curve[-1][0] >= float(np.median(ends)):
            return False
        tried = begun if begun is not None else len(finished) + len(others) + 1
        fresh = self.pace * (1.0 - seen / whole) / max(tried, 1)
        return self.belief(usable, curve, others) < max(self.threshold, fresh)

    def final_value(self, finished: Sequence[FinishedRun], curve: Curve) -> FinalValue:
        """What the run will come to.

        Args:
            finished: As in `hopeless`.
            curve: As in `hopeless`; points that are not finite numbers are left out.

        Raises:
            InvalidDataError: If there is no usable finished run, or no finite point of the curve.
        """
        usable = [run for run in finished if _usable(run)]
        points = finite_points(curve)
        if not usable or not points:
            msg = (
                f"a belief needs a finished run and a point of the curve, but got {len(usable)} and {len(points)}: "
                "ask later"
            )
            raise InvalidDataError(msg)
        at = np.linspace(points[0][0], points[-1][0], _POINTS)
        known = [*(finite_points(run.curve) for run in usable), points]
        curves = np.stack([read_curve(each, at) for each in known])  # (n + 1, 16)
        now = float(curves[-1, -1])
        curves = np.maximum(curves, _floor(curves))
        final = np.array([run.final for run in usable])
        final = np.maximum(final, _floor(final))
        features = _features(curves)
        z = (features[:-1] - features[-1]) / _spread(features)
        z = np.sign(z) * np.log1p(np.abs(z))  # far is far
        w = _FLOOR + (1.0 - _FLOOR) * np.exp(-0.5 * (z**2).sum(axis=1))
        gain = final - curves[:-1, -1]
        A = np.column_stack([np.ones(len(z)), z])
        H = A.T @ (w[:, None] * A) + np.diag([1e-3, *[_RIDGE] * z.shape[1]])
        inverse = np.linalg.inv(H)
        beta = inverse @ (A.T @ (w * gain))
        residual = gain - A @ beta
        s_0 = max(float(gain.std()), 1e-9 * float(np.abs(final).max()), 1e-300)
        degrees = _NU_0 + float(w.sum())
        variance = (float(w @ residual**2) + _NU_0 * s_0**2) / degrees * (1.0 + float(inverse[0, 0]))
        return FinalValue(now + float(beta[0]), math.sqrt(variance), degrees)


def _usable(run: FinishedRun) -> bool:
    return abs(run.final) <= LARGEST and any(abs(v) <= LARGEST for _, v in run.curve)


def _floor(values: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, ...]:
    """What is so bad that worse is the same, by column."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return np.asarray(middle - _OUTLYING * np.maximum(high - low, 0.1 * (values.max(axis=0) - middle)))


def _features(curves: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n 3"]:
    """Last value, mean over the last quarter, gain over the later half."""
    k = curves.shape[1]
    last = curves[:, -1]
    return np.column_stack([last, curves[:, -k // 4 :].mean(axis=1), last - curves[:, k // 2]])


def _spread(features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """Median deviation, but not much less than the standard deviation, and positive."""
    deviation = 1.4826 * np.median(np.abs(features - np.median(features, axis=0)), axis=0)
    return np.asarray(np.maximum(deviation, 0.1 * features.std(axis=0)) + 1e-300)
