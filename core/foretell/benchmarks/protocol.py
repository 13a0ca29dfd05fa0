"""The one protocol of every accuracy figure: which pool, which target, which split, which measures.

- NAS-Bench-201: `n` of all 15,625 architectures for training, all others for testing; test accuracy after 200 epochs.
- NAS-Bench-101: training drawn from all 423,624, testing on 20,000 that are drawn once and never trained on; mean test
  accuracy of three runs.
- TransNAS-Bench-101 micro, NAS-Bench-301 sample: `n` for training, all others for testing.

The draw depends on family, seed and `n` only: methods and tasks share it. Isomorphic architectures stay in the pool, as
in the published tables; where one is trained on and another tested, the test is easier for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.tables import some_rows
from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau, spearman_rho

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from foretell.posterior import Posterior

SIZES: dict[str, tuple[int, ...]] = {
    "nasbench201": (20, 50, 100, 200, 400),
    "nasbench101": (100, 172, 424),
    "transnasbench101": (20, 50, 100),
    "nasbench301": (50, 100),
}
"""Numbers of training architectures, by family."""
_TEST_101, _TEST_SEED = 20_000, 101


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a table.

    Args:
        train: Rows to learn from.
        test: Rows to predict.
    """

    train: Int[np.ndarray, " n"]
    test: Int[np.ndarray, " m"]


def split(family: str, rows: int, n: int, seed: int) -> Split:
    """The split of a family's table with so many rows; a smaller one of the same seed is part of it.

    Raises:
        InvalidDataError: If the table is too small for `n` architectures beside those for testing.

    >>> found = split("nasbench201", 15_625, 20, seed=0)
    >>> len(found.train), len(found.test), len(np.intersect1d(found.train, found.test))
    (20, 15605, 0)
    """
    available = rows - (_TEST_101 if family == "nasbench101" else 1)
    if not 1 <= n <= available:
        msg = (
            f"a split of {rows} architectures of {family} trains on 1 to {available}, but got {n=}: choose another n, "
            "or give the whole table"
        )
        raise InvalidDataError(msg)
    if family == "nasbench101":
        test = np.sort(some_rows(rows, _TEST_101, _TEST_SEED))
        others = np.setdiff1d(np.arange(rows), test, assume_unique=True)
        return Split(others[some_rows(len(others), n, seed)], test)
    order = some_rows(rows, rows, seed)
    return Split(order[:n], np.sort(order[n:]))


def scores(posterior: Posterior, truth: Float[np.ndarray, " m"]) -> dict[str, tuple[float, str]]:
    """Measures of a prediction: rank correlations, what the best-ranked are worth, how honest the intervals are.

    Returns:
        `tau` and `rho`; `precision@1%`, the share of the truly best percent among the percent ranked best; `regret@10`,
        how far the best of the ten ranked best is from the best, in units of the target; `nll`, the mean negative
        logarithm of a normal density with the posterior's mean and standard deviation; `coverage90`, the share of
        truths inside the central 90 % interval.
    """
    mean, std = posterior.mean, posterior.std
    order = np.argsort(-mean, kind="stable")
    top = max(len(truth) // 100, 1)
    best = np.sort(truth)[-top]
    inside = (truth >= posterior.quantile(0.05)) & (truth <= posterior.quantile(0.95))
    nll = 0.5 * np.log(2 * np.pi * std**2) + 0.5 * ((truth - mean) / std) ** 2
    return {
        "tau": (kendall_tau(truth, mean), ""),
        "rho": (spearman_rho(truth, mean), ""),
        "precision@1%": (float(np.mean(truth[order[:top]] >= best)), ""),
        "regret@10": (float(truth.max() - truth[order[:10]].max()), "target"),
        "nll": (float(nll.mean()), "nats"),
        "coverage90": (float(inside.mean()), ""),
    }
