"""Scales on which a search may see its targets, and how to tell which suits.

Where most of what was tried is near-best, what matters is squeezed into the top and a plain scale sees noise; where it
is not, a scale that stretches the top makes noise of the rest. No scale is right for both, but the data tell: under the
right one the process predicts each target from the others with the higher density, measured on the target's own scale
(Snelson, Rasmussen and Ghahramani, 2003, "Warped Gaussian Processes", https://papers.nips.cc/paper/2481, equation 3).
"""

from __future__ import annotations

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
    finite = np.isfinite(y)
    known = y if finite.all() else y[finite]
    z, slope = _of_finite(known, share) if len(known) else (known, known)
    if len(known) == len(y):
        return z, slope
    ends = (float(z.max()), float(z.min())) if len(known) else (0.0, 0.0)
    out, slopes = np.where(y > 0, ends[0] + 0.5, ends[1] - 0.5), np.zeros(len(y))
    out[finite], slopes[finite] = z, slope
    return out, slopes


def _of_finite(y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    unit = float(np.abs(y).max()) or 1.0  # keeps differences of huge values finite
    y = y / unit
    ordered = np.sort(y)
    low, middle, high = (_at(ordered, q) for q in (0.25, 0.5, 0.75))
    if not ordered[-1] > ordered[0]:
        return np.zeros(len(y)), np.zeros(len(y))
    if np.isinf(share):
        spread = max((high - low) / 1.349, _LEAST_SPREAD) if high > low else float(y.std())
        z = (y - middle) / spread
        away = np.where(z < 0, -z, np.maximum(z - 2.0, 0.0))
        log = np.log1p(away)
        squeezed = log / (1.0 + log / 4.0)
        slope = np.where((z < 0) | (z > 2.0), 1.0 / ((1.0 + away) * (1.0 + log / 4.0) ** 2), 1.0) / spread
        z = np.where(z < 0, -squeezed, np.minimum(z, 2.0) + squeezed)
    else:
        missing = ordered[-1] - y
        typical = max(share * ((ordered[-1] - middle) or float(missing.mean())), _FLOOR)
        z = -np.log(missing + typical)
        slope = 1.0 / (missing + typical)
    deviation = float(z.std())
    return (z - z.mean()) / deviation, np.log(slope / deviation) - np.log(unit)


def _at(ordered: np.ndarray, q: float) -> float:
    """A quantile of sorted values."""
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))
