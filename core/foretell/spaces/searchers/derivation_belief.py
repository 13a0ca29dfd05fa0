"""What is believed of a network from the decisions that made it.

A Gaussian process as in `SearchProcess`: local similarity of whole derivations plus straight effects of how often a
decision occurs. Its scale of targets is the one under which it predicts each observation best from the others. What
columns do not tell of a network is part of the belief: one that differs from the best in a trifle is trained from other
weights, and may be better by chance. So a search must leave out networks that it knows, see `ModelSearch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.encoders import ColumnScaler
from foretell.posterior import GaussianPosterior
from foretell.search_warps import SCALES, warped
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta, spread_rows

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.encoders import Encoding

_UNIT = 0.174  # of standardised columns, as in `NetworkView`
_ROWS = 200


@dataclass(frozen=True, eq=False)
class DerivationBelief:
    """The process given what was observed.

    Args:
        scaler: Standardises columns.
        centre: What is taken off them.
        process: The process.
    """

    scaler: ColumnScaler
    centre: Float[np.ndarray, " c"]
    process: SearchProcess

    @classmethod
    def fit(cls, columns: Encoding, y: Float[np.ndarray, " n"]) -> DerivationBelief:
        """Learn from columns of `Derivation` and targets, larger being better."""
        kept = spread_rows(y, _ROWS, recent=_ROWS // 8)
        columns, y = columns.rows(kept), y[kept]
        scaler = ColumnScaler.fit(columns)
        X = scaler.transform(columns) * _UNIT
        centre = X.mean(axis=0)
        X = X - centre
        layout = _layout(scaler)
        found, best = None, -np.inf
        for share in SCALES:
            z, slope = warped(y, share)
            process = SearchProcess.condition_on(X, z, layout, fit_theta(X, z, layout))
            density = process.log_pseudo_likelihood() + float(slope.sum())
            if found is None or density > best:
                found, best = process, density
        assert found is not None
        return cls(scaler, centre, found)

    def score(self, columns: Encoding) -> Float[np.ndarray, " m"]:
        """Logarithm of the expected improvement of a trial on the best observation, on the scale of the process."""
        belief = self.process.predict(self.scaler.transform(columns) * _UNIT - self.centre)
        trial = GaussianPosterior(belief.mean, np.sqrt(belief.std**2 + self.process.t2))
        return log_expected_improvement(trial, float(self.process.y.max()))


def _layout(scaler: ColumnScaler) -> Layout:
    """A length scale a block; straight effects of single decisions, and of decisions with the one above."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(scaler.groups))}
    groups = np.array([numbers[g] for g in scaler.groups], dtype=np.int64)
    straight = {"derivation 1": 0, "derivation 2": 1}
    blocks = np.array([straight.get(g, -1) for g in scaler.groups], dtype=np.int64)
    return Layout(groups, blocks, len(numbers), 2)
