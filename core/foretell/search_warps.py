"""Scales on which a search may see its targets, and how to tell which suits.

Where most of what was tried is near-best, what matters is squeezed into the top and a plain scale sees noise; where it
is not, a scale that stretches the top makes noise of the rest. No scale is right for both, but the data tell: under the
right one the process predicts each target from the others with the higher density, measured on the target's own scale
(Snelson, Rasmussen and Ghahramani, 2003, "Warped Gaussian Processes", https://papers.nips.cc/paper/2481, equation 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

_FLOOR = 1e-9  # of the targets' largest size: regrets nearer are not told apart
_LEAST_SPREAD = 1e-150  # of the targets' largest size: keeps what lies far beyond it finite, and its slope
SCALES: tuple[float, ...] = (np.inf, 0.3, 0.03)
"""Shares of the median's regret up to which regret counts in proportion; infinite: see `TargetWarp.fit_top_linear`."""


def warped(y: Float[np.ndarray, " n"], share: float) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Targets on a scale of mean 0 and deviation 1, and the logarithm of the scale's slope at each.

    Args:
        y: Targets, larger is better; infinite ones come out half a unit beyond the ends, with slope 1.
        share: Infinite for the linear upper half; else the targets are -log(regret + share * median regret).

    >>> y = np.array([0.0, 0.5, 0.9, 0.99, 1.0])
    >>> [warped(y, share)[0].round(2).tolist() for share in SCALES[:2]]
    [[-1.5, -0.84, 0.43, 0.93, 0.99], [-1.37, -0.89, 0.12, 0.97, 1.17]]
    """
    scale = _Scale.of(y, share)
    slopes = scale.log_slopes()
    if len(slopes) == len(y):
        return scale.targets(y), slopes
    out = np.zeros(len(y))
    out[np.isfinite(y)] = slopes
    return scale.targets(y), out


def on_scale(y: Float[np.ndarray, " n"], share: float) -> Float[np.ndarray, " n"]:
    """The first of what `warped` gives."""
    return _Scale.of(y, share).targets(y)


@dataclass(frozen=True, eq=False)
class _Scale:
    """What finite targets become.

    Args:
        unit: Largest size among them.
        rest: What is transformed: distance from the median in spreads, or regret and its typical share together.
        spread: Between quartiles; of regrets 0.
        centred: Transformed targets less their mean.
        deviation: Of these; 0 where all targets are equal.
    """

    unit: float
    rest: Float[np.ndarray, " k"]
    spread: float
    centred: Float[np.ndarray, " k"]
    deviation: float

    @classmethod
    def of(cls, y: np.ndarray, share: float) -> _Scale:
        unit = float(np.maximum.reduce(np.abs(y), initial=0.0))
        if not unit < np.inf:
            y = y[np.isfinite(y)]
            unit = float(np.maximum.reduce(np.abs(y), initial=0.0))
        unit = unit or 1.0  # keeps differences of huge values finite
        y = y / unit
        ordered = np.sort(y)
        if not len(y) or not ordered[-1] > ordered[0]:
            return cls(unit, y, 0.0, np.zeros(len(y)), 0.0)
        low, middle, high = (_at(ordered, q) for q in (0.25, 0.5, 0.75))
        if np.isinf(share):
            spread = max((high - low) / 1.349, _LEAST_SPREAD) if high > low else float(y.std())
            rest = (y - middle) / spread
            log = np.log1p(_away(rest))
            squeezed = log / (1.0 + log / 4.0)
            z = np.where(rest < 0, -squeezed, np.minimum(rest, 2.0) + squeezed)
        else:
            rest, spread = ordered[-1] - y, 0.0
            rest += max(share * ((ordered[-1] - middle) or float(rest.mean())), _FLOOR)
            z = -np.log(rest)
        z -= np.add.reduce(z) / len(z)
        return cls(unit, rest, spread, z, math.sqrt(float(z @ z) / len(z)))

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Of deviation 1; of all targets, infinite ones too."""
        z = self.centred / self.deviation if self.deviation else self.centred
        if len(z) == len(y):
            return z
        ends = (float(z.max()), float(z.min())) if len(z) else (0.0, 0.0)
        out = np.where(y > 0, ends[0] + 0.5, ends[1] - 0.5)
        out[np.isfinite(y)] = z
        return out

    def log_slopes(self) -> np.ndarray:
        """Logarithms of the slopes at the finite targets."""
        if not self.deviation:
            return np.zeros(len(self.centred))
        if self.spread:
            z, away = self.rest, _away(self.rest)
            bent = 1.0 / ((1.0 + away) * (1.0 + np.log1p(away) / 4.0) ** 2)
            slope = np.where((z < 0) | (z > 2.0), bent, 1.0) / self.spread
        else:
            slope = 1.0 / self.rest
        return np.asarray(np.log(slope / self.deviation) - np.log(self.unit))


def _away(z: np.ndarray) -> np.ndarray:
    """How far beyond the straight part of the plain scale."""
    return np.where(z < 0, -z, np.maximum(z - 2.0, 0.0))


def _at(ordered: np.ndarray, q: float) -> float:
    """A quantile of sorted values."""
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))
