"""Any surrogate with intervals that hold: its standard deviations rescaled by its own leave-one-out errors.

Conformal prediction with normalised residuals (Papadopoulos, Vovk and Gammerman, 2011, "Regression Conformal Prediction
with Nearest Neighbours", https://doi.org/10.1613/jair.3198, section 4, there with nearest neighbours; the leave-one-out
residuals are those of the jackknife, see `CrossFitted`). One factor for all, fitted to the central 90 % interval, so
that the posterior stays normal and everything downstream can go on using it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.surrogates.stack import FittedMember
    from foretell.surrogates.surrogate import Surrogate

_INSIDE = 0.9
_BOUNDS = (0.25, 4.0)
_FITTED, _MOST = 150.0, 0.5  # share by which leaving one out falls short: 150 / n^2, at most a half; see `Calibrated`


@dataclass(frozen=True)
class Calibrated:
    """A surrogate whose fitted form has `leave_one_out`.

    Length scales, weights and the scale of the targets stay when one observation is left out, so that its error comes
    out too small: the factor grows by 150 / n^2, at most by half, as was chosen on TransNAS-Bench-101.

    Args:
        surrogate: What is fitted.
        prior: Observations by which a factor of 1 counts as if it had been measured; more for a surrogate that is known
            to tell its own spread well.

    Raises:
        InvalidDataError: If `prior` is negative.
    """

    name: ClassVar[str] = "calibrated"
    surrogate: Surrogate
    prior: float = 10.0

    def __post_init__(self) -> None:
        if not self.prior >= 0:
            msg = f"`prior >= 0` must hold, but got {self.prior=}: the default is 10"
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedCalibrated:
        """See `Surrogate.fit`.

        Raises:
            InvalidDataError: If the surrogate cannot leave one out.
        """
        fitted = self.surrogate.fit(X, y, groups)
        if not hasattr(fitted, "leave_one_out"):
            msg = f"what is calibrated must be able to leave one out, but {self.surrogate.name} cannot: CrossFitted can"
            raise InvalidDataError(msg)
        left_out = fitted.leave_one_out()
        factor = conformal_factor(np.abs(y - left_out.mean) / left_out.std, self.prior)
        return FittedCalibrated(cast("FittedMember", fitted), factor)

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedCalibrated:
        """See `Surrogate.from_arrays`."""
        inner = {name: array for name, array in arrays.items() if name != "factor"}
        return FittedCalibrated(self.surrogate.from_arrays(inner), float(arrays["factor"][0]))  # type: ignore[arg-type]

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return {"surrogate": {"name": self.surrogate.name, "config": self.surrogate.to_config()}, "prior": self.prior}


@dataclass(frozen=True, eq=False)
class FittedCalibrated:
    """A fitted surrogate and the factor of its standard deviations.

    Args:
        surrogate: The surrogate.
        factor: The factor.
    """

    surrogate: FittedMember
    factor: float

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        found = self.surrogate.predict(X)
        return GaussianPosterior(found.mean, found.std * self.factor)

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given the others."""
        found = self.surrogate.leave_one_out()
        return GaussianPosterior(found.mean, found.std * self.factor)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {**self.surrogate.to_arrays(), "factor": np.array([self.factor])}


def conformal_factor(errors: Float[np.ndarray, " n"], prior: float = 10.0) -> float:
    """The factor of standard deviations with which nine in ten errors lie inside the 90 % interval.

    Args:
        errors: Absolute errors divided by their standard deviations.
        prior: Observations by which a factor of 1 counts.

    Returns:
        The smallest error that at least 0.9 (n + 1) of them do not exceed, over 1.645, drawn towards 1 while there are
        few, between 1/4 and 4, times 1 + min(150 / n^2, 1/2).

    >>> round(conformal_factor(np.full(90, 3.29)), 3)  # all errors are twice as large as they should be at most
    1.935
    """
    n = len(errors)
    rank = min(int(np.ceil(_INSIDE * (n + 1))), n)
    needed = float(np.sort(errors)[rank - 1] / normal_quantile(0.5 + _INSIDE / 2))
    return float(np.clip((n * needed + prior) / (n + prior), *_BOUNDS)) * (1.0 + min(_FITTED / n**2, _MOST))
