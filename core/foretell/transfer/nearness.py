"""How near earlier tasks are to the present one by what is known of them before anything is tried.

Notation: k tasks; d^2: their squared distances, nan where two descriptions share nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.errors import InvalidDataError
from foretell.metrics import spearman_rho

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

TaskDescription: TypeAlias = Mapping[str, "float | str"]
"""What is known of a task beforehand, by name: numbers such as rows, columns and classes, words such as `vision`."""
NOTHING: TaskDescription = MappingProxyType({})
_BEFORE, _PAIRS = 0.5, 3.0  # how far descriptions count before there is evidence, which counts as so many pairs


def task_distances(tasks: Sequence[TaskDescription]) -> Float[np.ndarray, "k k"]:
    """Squared distances of tasks: mean squared difference over what both descriptions have.

    Numbers are compared as signed logarithms, log(1 + |x|), in units of their deviation among all tasks that have them;
    words are alike or one unit apart.

    Args:
        tasks: Their descriptions.

    Returns:
        Symmetric; `nan` where two have nothing in common.

    Raises:
        InvalidDataError: If a number is not finite, or an item is a number here and a word there.

    >>> task_distances([{"rows": 1000}, {"rows": 1000, "kind": "text"}, {"kind": "vision"}]).tolist()
    [[0.0, 0.0, nan], [0.0, 0.0, 1.0], [nan, 1.0, 0.0]]
    """
    total, shared = np.zeros((len(tasks), len(tasks))), np.zeros((len(tasks), len(tasks)))
    for name in sorted({name for task in tasks for name in task}):
        have = [k for k, task in enumerate(tasks) if name in task]
        column = [tasks[k][name] for k in have]
        words = [isinstance(v, str) for v in column]
        if any(words) != all(words) or not all(isinstance(v, str) or np.isfinite(v) for v in column):
            msg = (
                f"an item of a task's description must be a finite number for all tasks or a word for all, but "
                f"{name!r} is {column}: describe all tasks alike"
            )
            raise InvalidDataError(msg)
        if all(words):
            away = np.array([[float(a != b) for b in column] for a in column])
        else:
            x = np.array(column, dtype=np.float64)
            x = np.sign(x) * np.log1p(np.abs(x))
            away = ((x[:, None] - x) / max(float(x.std()), 1e-9)) ** 2
        total[np.ix_(have, have)] += away
        shared[np.ix_(have, have)] += 1.0
    found = np.where(shared > 0, total / np.maximum(shared, 1.0), np.nan)
    np.fill_diagonal(found, 0.0)
    return found


def nearness(distances: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """How near each of some tasks is to one's own, in (0, 1]: exp(-d^2 / 2) over that of the nearest.

    A task that has nothing in common with one's own is as near as the others in the mean, as far as anybody knows.

    Args:
        distances: Squared distances from one's own, see `task_distances`.

    >>> nearness(np.array([0.0, 2.0, np.nan])).round(2).tolist()
    [1.0, 0.37, 0.68]
    """
    known = ~np.isnan(distances)
    if not known.any():
        return np.ones(len(distances))
    near = np.exp(-0.5 * (np.where(known, distances, 0.0) - distances[known].min()))
    near[~known] = near[known].mean()
    return np.asarray(near)


def worth_of_descriptions(distances: Float[np.ndarray, "k k"], agreements: Float[np.ndarray, "k k"]) -> float:
    """How far descriptions count: whether earlier tasks that are nearer to each other also agree more.

    The rank correlation of nearness and agreement over all pairs, drawn towards 1/2 while there are few.

    Args:
        distances: Squared distances between earlier tasks.
        agreements: How far what was found on each agrees with the other.

    Returns:
        Power of nearness, in [0, 1].

    >>> far = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 4.0], [9.0, 4.0, 0.0]])
    >>> worth_of_descriptions(far, -far), worth_of_descriptions(far, far)
    (0.75, 0.0)
    """
    pairs = [(i, j) for i, j in combinations(range(len(distances)), 2) if not np.isnan(distances[i, j])]
    if len(pairs) < _PAIRS:
        return _BEFORE
    rows, columns = np.array(pairs).T
    rho = spearman_rho(-distances[rows, columns], agreements[rows, columns])
    share = len(pairs) / (len(pairs) + _PAIRS)
    return float(np.clip(share * (rho if np.isfinite(rho) else 0.0) + (1.0 - share) * _BEFORE, 0.0, 1.0))
