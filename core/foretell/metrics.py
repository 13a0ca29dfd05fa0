"""How well a ranking agrees with the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def kendall_tau(truth: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"]) -> float:
    """Kendall's tau-b in [-1, 1], larger is better; 0 where either side is constant or a single value."""
    from scipy.stats import kendalltau

    if len(truth) < 2:
        return 0.0
    value = float(kendalltau(truth, predicted).statistic)
    return 0.0 if np.isnan(value) else value


def spearman_rho(truth: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"]) -> float:
    """Spearman's rank correlation in [-1, 1], larger is better; 0 where either side is constant."""
    from scipy.stats import rankdata

    a, b = rankdata(truth), rankdata(predicted)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
