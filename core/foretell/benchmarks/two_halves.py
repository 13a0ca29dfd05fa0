"""Searches compared on problems in two halves: settings are chosen on one, figures reported on the other."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.win_rates import win_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.benchmarks.runner import Measurement

_OURS, _SLOW = "foretell", "gp"  # the slow one takes a second a suggestion
_Place: TypeAlias = "tuple[str, str]"


@dataclass(frozen=True)
class TwoHalves:
    """The problems, and how what was found on them is told.

    Args:
        reported: Families and tasks on which figures are reported.
        tuned: Those on which settings are chosen.
        metric: What is measured; at checkpoint k its name is `{metric}@{k}`.
        title: What that is, as a sentence begins.
        checkpoints: Where a search is looked at.
        step: What checkpoints count, as a word before them.
        digits: Format of a mean.
        larger_is_better: Whether a larger value wins.
    """

    reported: Sequence[_Place]
    tuned: Sequence[_Place]
    metric: str
    title: str
    checkpoints: Sequence[int]
    step: str = "after"
    digits: str = ".3g"
    larger_is_better: bool = True

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool, length: int, length_of_slow: int) -> list[Cell]:
        """Studies of so long; quick means one problem, and no slow sampler, which leaves the tuned half out.

        Args:
            methods: Names of the searches.
            seeds: How many, from 0.
            quick: See above.
            length: Of a study.
            length_of_slow: Of a study of a sampler that takes a second a suggestion.
        """
        places = self.reported[:1] if quick else (*self.reported, *self.tuned)
        return [
            Cell(m, *place, length_of_slow if m == _SLOW else length, seed)
            for seed in range(seeds)
            for place in places
            for m in methods
            if not (m == _SLOW and (quick or place in self.tuned))
        ]

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """Means, and how often ours is ahead, two tables a half."""
        methods = list(dict.fromkeys(m.method for m in rows))
        lines: list[str] = []
        for half, places in (("reported", self.reported), ("tuned", self.tuned)):
            here = [m for m in rows if (m.family, m.task) in places]
            if not here:
                continue
            lines += ["", f"{self.title}, mean over seeds, the {half} half", ""]
            lines += [f"| problem | {self.step} | {' | '.join(methods)} | studies |", "|---" * (len(methods) + 3) + "|"]
            for place in places:
                for k in self.checkpoints:
                    of = [self._by_seed(here, m, place, k) for m in methods]
                    if any(of):
                        means = [f"{statistics.fmean(v.values()):{self.digits}}" if v else "" for v in of]
                        counts = "/".join(str(len(v)) for v in of)
                        lines.append(f"| {' '.join(place)} | {k} | {' | '.join(means)} | {counts} |")
            lines += ["", f"How often `{_OURS}` is ahead, a tie counting half, the {half} half", ""]
            lines += ["| against | " + " | ".join(f"{self.step} {k}" for k in self.checkpoints) + " |"]
            lines += ["|---" * (len(self.checkpoints) + 1) + "|"]
            for method in methods:
                if method != _OURS:
                    rates = " | ".join(self._rate(here, method, places, k) for k in self.checkpoints)
                    lines.append(f"| {method} | {rates} |")
        return lines

    def _by_seed(self, rows: Sequence[Measurement], method: str, place: _Place, k: int) -> dict[int, float]:
        here = [m for m in rows if (m.family, m.task) == place]
        return {m.seed: m.value for m in here if m.method == method and m.metric == f"{self.metric}@{k}"}

    def _rate(self, rows: Sequence[Measurement], method: str, places: Sequence[_Place], k: int) -> str:
        """The rate with its interval by bootstrap over problems."""
        sign = 1.0 if self.larger_is_better else -1.0
        pairs = []
        for place in places:
            ours, theirs = (self._by_seed(rows, m, place, k) for m in (_OURS, method))
            pairs += [(sign * ours[seed], sign * theirs[seed], place) for seed in ours if seed in theirs]
        if not pairs:
            return ""
        first, second, clusters = zip(*pairs, strict=True)
        found = win_rate(np.array(first), np.array(second), clusters)
        return f"{found.rate:.2f} [{found.low:.2f}, {found.high:.2f}] ({found.pairs})"
