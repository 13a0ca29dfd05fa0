"""What every surrogate offers: fit columns to targets, then give a posterior for other columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from jaxtyping import Float

    from foretell.posterior import GaussianPosterior


class FittedSurrogate(Protocol):
    """A surrogate that has seen data."""

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """Belief about the target at m rows, observation noise included."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, as arrays; `Surrogate.from_arrays` is the inverse."""
        ...


class Surrogate(Protocol):
    """The settings of a surrogate; immutable, so one value can be fitted many times.

    Targets come normal-scored (see `TargetWarp`): mean about 0, standard deviation about 1, larger is better.
    """

    name: ClassVar[str]
    """Name under which the registry rebuilds it."""

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedSurrogate:
        """Fit n rows of d columns; `groups` names the group of each column."""
        ...

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedSurrogate:
        """Rebuild what `FittedSurrogate.to_arrays` gave."""
        ...

    def to_config(self) -> dict[str, object]:
        """Settings as JSON values, from which the registered factory rebuilds the surrogate."""
        ...


@runtime_checkable
class SemiSupervised(Protocol):
    """A surrogate that learns from rows without targets too."""

    def fit_with_unlabelled(
        self,
        X: Float[np.ndarray, "n d"],
        y: Float[np.ndarray, " n"],
        groups: Sequence[str],
        unlabelled: Float[np.ndarray, "u d"],
    ) -> FittedSurrogate:
        """As `Surrogate.fit`, with u more rows of the same columns."""
        ...
