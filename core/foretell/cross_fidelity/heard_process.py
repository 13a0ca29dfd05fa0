"""The dear fidelity as a search believes it: with the cheap ones, without them, and which of the two to believe.

y_dear(x) = sum_j w_j m_j(x) + r(x): m_j is what level j is expected to give at x, w_j has a normal prior and any sign,
r is a process of the dear level's own. That is the autoregression of Kennedy and O'Hagan, 2000, "Predicting the Output
from a Complex Computer Code When Fast Approximations Are Available", https://doi.org/10.1093/biomet/87.1.1, equation 2,
with weights that are learnt together with r. Beside it stands a process that hears no level; the two are mixed by how
well each predicts every dear result from the others, so that levels whose rankings cross are outvoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.early_fit import refit_size
from foretell.search_warps import warped
from foretell.study_belief import Trend
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.cross_fidelity.cheap_levels import CheapLevels
    from foretell.search_memory import SearchMemory

_NODES = (-1.2247, 0.0, 1.2247)  # Gauss-Hermite quadrature with three nodes, for a standard normal variable
_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)
_BEFORE = np.log(4.0)  # log odds, before there is evidence, that cheap levels help


@dataclass(frozen=True, eq=False)
class HeardProcess:
    """Two beliefs about the dear fidelity.

    Args:
        levels: What the cheap fidelities say.
        alone: The belief that does not hear them.
        hearing: The one that does; its last columns are theirs.
        share: Weight of the second, in [0, 1].
    """

    levels: CheapLevels
    alone: Trend
    hearing: SearchProcess
    share: float

    @classmethod
    def fit(
        cls, levels: CheapLevels, before: CheapLevels, units: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"],
        memory: SearchMemory,
    ) -> HeardProcess:  # fmt: skip
        """Fit both to the dear results.

        Args:
            levels: What the cheap fidelities say now.
            before: What they said when theta was fitted last, see `refit_size`.
            units: Positions that were evaluated in full, in the order in which their values became known.
            y: Their values.
            memory: Where fits are found again.
        """
        alone = Trend.fit(levels.cube, units, y, memory)
        layout = _layout(levels)
        k = refit_size(len(y))
        early = _encoded(before, units[:k])
        z_early, _ = warped(y[:k], alone.scale)
        key = ("heard", early.tobytes(), z_early.tobytes())
        theta = memory.fit(key, lambda: fit_theta(early - early.mean(axis=0), z_early, layout))
        z, _ = warped(y, alone.scale)
        hearing = SearchProcess.condition_on(_centred(levels, units, alone), z, layout, theta)
        kept = len(alone.which) == len(y)
        evidence = hearing.log_pseudo_likelihood() - alone.process.log_pseudo_likelihood() if kept else np.inf
        return cls(levels, alone, hearing, float(1.0 / (1.0 + np.exp(-np.clip(evidence + _BEFORE, -500.0, 500.0)))))

    @property
    def weights(self) -> Float[np.ndarray, " k"]:
        """Most probable w: slope of the dear results, deviation 1, against what each level is expected to give."""
        if self.hearing.slope is None or self.hearing.far is None:
            return np.zeros(len(self.levels.trends))
        own = slice(-len(self.levels.trends), None)
        return np.asarray(self.hearing.slope[own] * (self.hearing.far[:, own].T @ self.hearing.alpha))

    def informative(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m levels"]:
        """Variance of the dear value that an evaluation at each level would take away, the dear one last.

        Of a cheap level it is what one noisy result takes from the variance of that level, times its weight squared.
        """
        _, std = self.levels.columns(units)
        each = self.weights**2 * std**4 / (std**2 + self.levels.noise)
        own = self.hearing.predict(_centred(self.levels, units, self.alone)).std ** 2
        whole = own + ((self.weights * std) ** 2).sum(axis=1)
        dear = whole**2 / (whole + self.hearing.t2)
        return np.concatenate([each, dear[:, None]], axis=1)

    def score(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Logarithm of the improvement that each position is expected to bring in full, whatever the cheap ones give.

        Where these are not known, the improvement is averaged over what they may turn out to be.
        """
        silent = log_expected_improvement(
            self.alone.predict(self.levels.cube.encode(units)), float(self.alone.process.smoothed.max())
        )
        if self.share < 0.01:
            return silent
        X, (_, std) = _centred(self.levels, units, self.alone), self.levels.columns(units)
        best, k, found = float(self.hearing.smoothed.max()), std.shape[1], []
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            moved = X.copy()
            moved[:, -k:] += node * std
            found.append(np.log(weight) + log_expected_improvement(self.hearing.predict(moved), best))
        heard = np.logaddexp.reduce(found, axis=0) + np.log(self.share)
        return np.asarray(np.logaddexp(heard, silent + np.log1p(-min(self.share, 1.0 - 1e-9))))


def _layout(levels: CheapLevels) -> Layout:
    cube, k = levels.cube, len(levels.trends)
    groups, blocks = np.append(cube.groups, np.full(k, -1)), np.append(cube.blocks, np.full(k, cube.n_blocks))
    return Layout(groups, blocks, cube.n_groups, cube.n_blocks + 1)


def _encoded(levels: CheapLevels, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
    return np.concatenate([levels.cube.encode(units), levels.columns(units)[0]], axis=1)


def _centred(levels: CheapLevels, units: Float[np.ndarray, "n d"], alone: Trend) -> Float[np.ndarray, "n c"]:
    """Columns as `alone` centres them; those of levels have mean 0 by their scale."""
    X = _encoded(levels, units)
    X[:, : len(alone.centre)] -= alone.centre
    return X
