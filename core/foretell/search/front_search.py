"""Search by small edits: keep what is judged, edit members of the front, judge the edited, until the budget is spent.

It knows nothing of graphs: `propose` edits one item, `judge` gives score, FLOPs and digest of many. The same search
serves computation graphs (`foretell.search.graph_search`) and cells of a benchmark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.search.pareto_front import Judged, pareto_front

T = TypeVar("T")
_PATIENCE = 20  # proposals in vain, for each one wanted, before parents come from all of the judged


Propose = Callable[[T, np.random.Generator], tuple[str, T] | None]
"""Edits one item: the edit in words and the edited item, None where the edit that it drew is impossible."""
Judge = Callable[[Sequence[T]], Sequence[Judged[T]]]


@dataclass(frozen=True)
class FrontSearch(Generic[T]):
    """Settings of a search.

    Args:
        propose: Edits one item.
        judge: Digest, FLOPs and score of items.
        queries: How many items are judged, the starts not counted.
        least: Lowest FLOPs allowed, as a share of the first start's.
        most: Highest FLOPs allowed, likewise.
        batch: Items judged at a time.

    Raises:
        InvalidDataError: If the band is empty, or the budget is not positive.
    """

    propose: Propose[T]
    judge: Judge[T]
    queries: int = 500
    least: float = 0.5
    most: float = 1.0
    batch: int = 32
    digest: Callable[[T], str] = field(kw_only=True)
    flops: Callable[[T], float] = field(kw_only=True)

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.most or self.queries < 1 or self.batch < 1:
            msg = (
                "`0 <= least < most`, `queries >= 1` and `batch >= 1` must hold, but got "
                f"{self.least=}, {self.most=}, {self.queries=}, {self.batch=}: widen the band or the budget"
            )
            raise InvalidDataError(msg)

    def run(self, starts: Sequence[T], rng: np.random.Generator) -> Iterator[list[Judged[T]]]:
        """Search from some items; yields what was judged, batch by batch, the starts first.

        Isomorphic items are judged once. The search ends early where nothing new can be found.

        Args:
            starts: Where to begin; the band is relative to the first one.
            rng: Source of all chance; the same one gives the same search.
        """
        judged = list(self.judge(starts))
        yield list(judged)
        base = judged[0].flops
        seen = {one.digest for one in judged}
        used: Counter[str] = Counter()
        while (left := self.queries + len(starts) - len(judged)) > 0:
            found = self._batch(judged, base, seen, used, min(left, self.batch), rng)
            if not found:
                return
            results = self.judge([item for _, _, item in found])
            fresh = [
                replace(one, move=move, parent=parent)
                for (move, parent, _), one in zip(found, results, strict=True)
            ]  # fmt: skip
            judged += fresh
            yield fresh

    def _batch(
        self, judged: list[Judged[T]], base: float, seen: set[str], used: Counter[str], size: int,
        rng: np.random.Generator,
    ) -> list[tuple[str, str, T]]:  # fmt: skip
        """New items as (move, digest of the parent, item); adds them to `seen`."""
        found: list[tuple[str, str, T]] = []
        front = pareto_front(judged)
        for parents in (front, judged):
            for _ in range(_PATIENCE * size):
                if len(found) == size:
                    return found
                parent = _drawn(parents, used, rng)
                used[parent.digest] += 1
                made = self.propose(parent.item, rng)
                if made is None or not self.least * base <= self.flops(made[1]) <= self.most * base:
                    continue
                digest = self.digest(made[1])
                if digest not in seen:
                    seen.add(digest)
                    found.append((made[0], parent.digest, made[1]))
        return found


def _drawn(parents: Sequence[Judged[T]], used: Counter[str], rng: np.random.Generator) -> Judged[T]:
    """The least used of three drawn with equal chance."""
    three = [parents[i] for i in rng.integers(len(parents), size=3).tolist()]
    return min(three, key=lambda one: used[one.digest])
