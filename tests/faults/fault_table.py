"""What was injected and what was lost, counted over a whole run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Counted:
    """One row.

    Attributes:
        injected: Faults that were injected.
        results: Results that a storage or a file had acknowledged.
        lost: Of these, how many are not there afterwards, or not as they were.
        duplicated: Results that are there more than once, or that nobody ever gave.
        unreadable: Studies or files that could not be read afterwards.
        stuck: Workers that were still there when their time was up.
    """

    injected: int = 0
    results: int = 0
    lost: int = 0
    duplicated: int = 0
    unreadable: int = 0
    stuck: int = 0

    def add(self, **counts: int) -> None:
        for name, n in counts.items():
            setattr(self, name, getattr(self, name) + n)

    @property
    def harm(self) -> int:
        return self.lost + self.duplicated + self.unreadable + self.stuck


class FaultTable:
    """Rows by fault and by where it was injected."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Counted] = defaultdict(Counted)

    def count(self, fault: str, where: str, **counts: int) -> None:
        self._rows[fault, where].add(**counts)

    @property
    def rows(self) -> Mapping[tuple[str, str], Counted]:
        return self._rows

    def total(self) -> Counted:
        total = Counted()
        for row in self._rows.values():
            total.add(**vars(row))
        return total

    def lines(self) -> list[str]:
        """The table in markdown."""
        names = list(vars(Counted()))
        lines = [f"| fault | where | {' | '.join(names)} |", f"|{'---|' * (len(names) + 2)}"]
        for (fault, where), row in [*sorted(self._rows.items()), (("**all**", ""), self.total())]:
            lines.append(f"| {fault} | {where} | {' | '.join(str(n) for n in vars(row).values())} |")
        return lines
