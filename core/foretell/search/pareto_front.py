"""The networks of which none is both better and cheaper: the front of predicted accuracy against FLOPs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged(Generic[T]):
    """A network with what a search knows of it.

    Attributes:
        item: The network, a graph or what stands for one.
        digest: Name that isomorphic networks share.
        flops: Floating point operations of one forward pass; smaller is better.
        score: Predicted accuracy less penalties; larger is better.
        move: What made it, in words.
        parent: Digest of the network that was edited, empty for a start.
    """

    item: T
    digest: str
    flops: float
    score: float
    move: str = "start"
    parent: str = ""

    def dominates(self, other: Judged[T]) -> bool:
        """Whether it is no worse in both and better in one."""
        no_worse = self.score >= other.score and self.flops <= other.flops
        return no_worse and (self.score > other.score or self.flops < other.flops)


def pareto_front(judged: Iterable[Judged[T]]) -> list[Judged[T]]:
    """Those that no other dominates, cheapest first; of equal ones the first.

    >>> found = pareto_front([Judged("a", "a", 2, 0.9), Judged("b", "b", 1, 0.8), Judged("c", "c", 3, 0.85)])
    >>> [one.item for one in found]
    ['b', 'a']
    """
    front: list[Judged[T]] = []
    for one in sorted(judged, key=lambda j: (j.flops, -j.score)):  # stable: the first of equal ones
        if not front or one.score > front[-1].score:
            front.append(one)
    return front
