"""What a search on a known problem is worth, from the values of its trials in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.benchmarks.search_spaces.problem import SearchProblem

CHECKPOINTS = (10, 20, 40, 60)
"""Numbers of trials after which a search is judged."""


def search_scores(values: Sequence[float], problem: SearchProblem) -> dict[str, tuple[float, str]]:
    """Score a search; metric -> (value, unit).

    Args:
        values: Values of the trials, larger is better.
        problem: What was searched.

    Returns:
        For each checkpoint that was reached `best@k`, the best of the first k values, and `share@k`, the percentage of
        all configurations that are better; where the problem says what is near, `trials_to_near`, the number of trials
        up to the first one that near to the best of all, 0 standing for none.
    """
    best = np.maximum.accumulate(np.asarray(values, dtype=np.float64))
    result: dict[str, tuple[float, str]] = {}
    for k in CHECKPOINTS:
        if k <= len(best):
            result[f"best@{k}"] = (float(best[k - 1]), "target")
            result[f"share@{k}"] = (100 * problem.share_better(float(best[k - 1])), "%")
    if problem.near is not None:
        near = [problem.found(value) for value in best.tolist()]
        result["trials_to_near"] = (float(near.index(True) + 1 if any(near) else 0), "")
    return result
