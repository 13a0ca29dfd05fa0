"""What an earlier study says about positions of the present one: a process over the parameters that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders import ColumnScaler, Hyperparameters
from foretell.surrogates import GaussianProcess
from foretell.surrogates.gaussian_process import fit_rows
from foretell.target_warp import TargetWarp
from foretell.transfer.shared_parameters import SharedParameters

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.search_space import SearchSpace
    from foretell.surrogates.gaussian_process import FittedGaussianProcess
    from foretell.transfer.source import Source

_MOST_ROWS = 300
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class SourceSurrogate:
    """A Gaussian process on the normal scores of a source's values, so that scales of studies do not matter.

    Parameters that only the source had count as noise; those that only the target has make no difference.

    Args:
        name: Name of the source.
        shared: Parameters that source and target share.
        scaler: Fitted to the source's columns.
        process: Fitted to the source's normal scores.
        units: The source's observations, in the order of the process, in the target's cube: the nearest values that
            the target allows, `nan` where it has a parameter that the source lacks.
    """

    name: str
    shared: SharedParameters
    scaler: ColumnScaler
    process: FittedGaussianProcess
    units: Float[np.ndarray, "n d"]

    @classmethod
    def fit(cls, source: Source, target: SearchSpace, y: Float[np.ndarray, " n"]) -> SourceSurrogate | None:
        """Learn from a source; None if it shares nothing that varies, or has fewer than four distinct observations.

        Of more than 300 observations the best 75 and an even share of the others count.

        Args:
            source: What to learn from.
            target: The space on whose positions the surrogate will be asked.
            y: The source's targets, see `Source.targets`.
        """
        shared = SharedParameters.between(target, source.space)
        if not len(shared):
            return None
        rows = fit_rows(y, _MOST_ROWS)
        configs = [source.observations[i].config for i in rows]
        encoding = Hyperparameters(shared.space).encode_units(shared.of_source(configs))
        scaler = ColumnScaler.fit(encoding)
        X, scores = scaler.transform(encoding), TargetWarp.fit(y).forward(y)[rows]
        if len(np.unique(scores)) < _FEWEST or not X.shape[1]:
            return None
        process = GaussianProcess().fit(X, scores, scaler.groups)
        return cls(source.name, shared, scaler, process, target.to_unit([shared.to_target(c) for c in configs]))

    def mean(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Expected normal score within the source, at positions in the target's cube."""
        return self.process.mean_at(self.columns(units))

    def best(self, n: int) -> Float[np.ndarray, "n d"]:
        """The best observations, in the target's cube, see `units`."""
        return self.units[np.argsort(-self.process.y, kind="stable")[:n]]

    def columns(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """What the process sees of positions in the target's cube."""
        return self.scaler.transform(self.shared.encode(units))
