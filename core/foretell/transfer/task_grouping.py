"""Into which groups earlier tasks fall, and whether that is worth anything: decided by leaving each of them out.

Notation: k tasks; m configurations that might serve as a default; M: k x m, what each task's surrogate expects of each,
in normal scores of its own study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.transfer.trust import uncontradicted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, Int

Groups: TypeAlias = tuple[tuple[int, ...], ...]
"""Tasks by number; each is in one group."""
_FEWEST, _MOST = 4, 8  # tasks from which on there is evidence, and groups at most
_SURE = 2.0  # standard errors; more than one, since the best of a dozen ways to group is looked at


@dataclass(frozen=True, eq=False)
class TaskEvidence:
    """What is known of earlier tasks and their studies.

    Args:
        described: k x k, squared distances of descriptions, `nan` where two share nothing; see `task_distances`.
        own: How well each study foretells itself, see `own_agreements`.
        between: k x k, how far what was found on each transfers to each other, see `mutual_agreements`.
        expected: M.
        origin: Of which task's study a configuration was among the best; -1 if of none.
    """

    described: Float[np.ndarray, "k k"]
    own: Float[np.ndarray, " k"]
    between: Float[np.ndarray, "k k"]
    expected: Float[np.ndarray, "k m"]
    origin: Int[np.ndarray, " m"]

    def groups(self) -> tuple[Groups, float]:
        """The groups whose defaults served tasks best that were left out, and what they gained.

        Tasks are grouped (average linkage, scikit-learn's `AgglomerativeClustering`) by their descriptions or by how
        far what was found on one transfers to the other, into any number of groups up to half the tasks. Each task in
        turn is left out, the others are grouped anew, its description says to which group it belongs, and the default
        of that group is asked of its own study. All tasks are one group unless others are ahead by more than two
        standard errors of the difference.

        Returns:
            The groups, and their lead over one default for all: normal scores of a study, 0 for a single group.
        """
        k = len(self.own)
        best: tuple[Groups, float] = ((tuple(range(k)),), 0.0)
        if k < _FEWEST:
            return best
        one = [self._served(h, tuple(i for i in range(k) if i != h)) for h in range(k)]
        for distances in (self.described, 1.0 - self.between):
            for n in range(2, min(k // 2, _MOST) + 1):
                lead = np.array([self._left_out(distances, n, h) for h in range(k)]) - one
                mean, error = float(lead.mean()), float(lead.std(ddof=1)) / np.sqrt(k)
                if mean > max(_SURE * error, best[1]):
                    best = linked(distances, range(k), n), mean
        return best

    def _left_out(self, distances: Float[np.ndarray, "k k"], n: int, h: int) -> float:
        others = [i for i in range(len(self.own)) if i != h]
        groups = linked(distances, others, n)
        home = nearest_group(self.described[h], groups)
        return self._served(h, tuple(others) if home is None else groups[home])

    def _served(self, h: int, members: tuple[int, ...]) -> float:
        """What task h makes of the default of some others."""
        rows = list(members)
        weights = uncontradicted(self.own[rows], self.between[np.ix_(rows, rows)])
        score = (weights if weights.any() else np.ones(len(rows))) @ self.expected[rows]
        return float(self.expected[h, np.argmax(np.where(self.origin == h, -np.inf, score))])


def linked(distances: Float[np.ndarray, "k k"], tasks: Sequence[int], n: int) -> Groups:
    """Tasks in n groups by average linkage; a distance that is not known counts as the largest.

    Args:
        distances: Between all tasks.
        tasks: Those to be grouped.
        n: How many groups.

    >>> linked(np.abs(np.subtract.outer([0.0, 5.0, 1.0, 6.0], [0.0, 5.0, 1.0, 6.0])), [0, 1, 2, 3], 2)
    ((0, 2), (1, 3))
    """
    from sklearn.cluster import AgglomerativeClustering

    rows = list(tasks)
    D = distances[np.ix_(rows, rows)]
    known = D[~np.isnan(D)]
    D = np.where(np.isnan(D), known.max() if len(known) else 1.0, D)
    np.fill_diagonal(D, 0.0)
    labels = AgglomerativeClustering(n, metric="precomputed", linkage="average").fit_predict(D)
    return tuple(sorted(_grouped(rows, labels.tolist())))


def _grouped(rows: Sequence[int], labels: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for label in set(labels):
        yield tuple(row for row, own in zip(rows, labels, strict=True) if own == label)


def nearest_group(distances: Float[np.ndarray, " k"], groups: Groups) -> int | None:
    """The group whose tasks are nearest in the mean; None if nothing is known of any distance.

    Args:
        distances: Squared distances from one's own task, `nan` where they are not known.
        groups: By number of task.

    >>> nearest_group(np.array([4.0, 1.0, np.nan]), ((0, 2), (1,))), nearest_group(np.array([np.nan]), ((0,),))
    (1, None)
    """
    known = [[d for i in group if not np.isnan(d := float(distances[i]))] for group in groups]
    means = [float(np.mean(d)) if d else np.inf for d in known]
    return int(np.argmin(means)) if any(known) else None
