"""`foretell bench spaces`: is 50 networks enough to judge a space, and what does a predictor say of one?

Digits: networks of two spaces (`foretell.benchmarks.small_spaces`) are trained, 500 of each (`train-plain`,
`train-normed`; a cell is 25 networks, `n` its number, `error` the share of mistakes of each). The report compares the
two spaces by the first 50 of each, by all, and by 50 others each, twenty times.

NAS-Bench-101: `predicted` fits the preset `foretell` on 50 labels and predicts the distribution of errors of 2,000
other cells; `trained` takes the 50 labels themselves. `within` is the share of a grid (the truth's percentiles 5 to 95)
where they lie in the bootstrap band of 50 true errors, `within-500` in that of 500; `distance` is the largest gap to
the true distribution of all cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.judging import ErrorDistribution, compare_spaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.benchmarks.runner import Measurement
    from foretell.benchmarks.tables import Table

_LABELS, _POOL = 50, 2000
_OF_EACH, _AT_A_TIME = 500, 25
_FEW, _AGAIN = 50, 20


@dataclass
class Spaces:
    """Distributions of errors."""

    name: str = "spaces"
    methods: Sequence[str] = ("predicted", "trained", "train-plain", "train-normed")
    _table: list[Table] = field(default_factory=list)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means 50 trained networks of each space, and no more seeds than one."""
        known = [m for m in methods if not m.startswith("train-")]
        trained = [m for m in methods if m.startswith("train-")]
        found = [Cell(m, "nasbench101", "test_acc", _LABELS, s) for s in range(1 if quick else seeds) for m in known]
        blocks = (_FEW if quick else _OF_EACH) // _AT_A_TIME
        return found + [Cell(m, "digits", "error", i) for i in range(blocks) for m in trained]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        if cell.family == "digits":
            return self._train(cell)
        return self._distribution(cell)

    def _train(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        import torch

        from foretell.benchmarks.small_spaces import SPACES
        from foretell.benchmarks.small_tasks import digits, trained

        assert cell.n is not None
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            space, found = SPACES[cell.method.removeprefix("train-")](), {}
            for i in range(cell.n * _AT_A_TIME, (cell.n + 1) * _AT_A_TIME):
                trace = space.draw(np.random.default_rng([5, i]))
                found[f"error {i}"] = 1.0 - trained(space, trace.config, digits(), seed=i)[1], ""
        finally:
            torch.set_num_threads(threads)
        return found

    def _distribution(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        from foretell.benchmarks.protocol import split
        from foretell.benchmarks.tables import TABLES, some_rows
        from foretell.predictor import Predictor

        if not self._table:
            self._table.append(TABLES["nasbench101"]())
        table = self._table[0]
        errors = 1.0 - table.targets["test_acc"]
        at = np.quantile(errors, np.linspace(0.05, 0.95, 91))
        truth = (errors[:, None] <= at).mean(axis=0)
        train = split("nasbench101", len(table), _LABELS, cell.seed).train
        if cell.method == "trained":
            found = ErrorDistribution.of(errors[train], at)
        else:
            pool = some_rows(len(table), _POOL, seed=1000 + cell.seed)
            known, others = ([table.candidate(i) for i in rows.tolist()] for rows in (train, pool))
            belief = Predictor.preset("foretell").fit(known, 1.0 - errors[train]).predict(others)
            found = ErrorDistribution.predicted(belief, at)
        bands = {n: _band(errors, at, n, cell.seed) for n in (_LABELS, 500)}
        return {
            "within": (float(found.within(bands[_LABELS]).mean()), ""),
            "within-500": (float(found.within(bands[500]).mean()), ""),
            "distance": (float(np.abs(found.share - truth).max()), ""),
        }

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`."""
        lines = [f"{'nasbench101, 50 labels':24} {'seeds':>5} {'within':>7} {'within-500':>10} {'distance':>9}"]
        for method in ("predicted", "trained"):
            of = {m: [r.value for r in rows if (r.method, r.metric) == (method, m)] for m in ("within", "within-500",
                                                                                            "distance")}  # fmt: skip
            if of["within"]:
                means = [float(np.mean(v)) for v in of.values()]
                lines.append(f"{method:24} {len(of['within']):5} {means[0]:7.2f} {means[1]:10.2f} {means[2]:9.3f}")
        errors = {m: _errors(rows, f"train-{m}") for m in ("plain", "normed")}
        if min(map(len, errors.values())) >= _FEW:
            lines += ["", *_agreement(errors["normed"], errors["plain"])]
        return lines


def _band(errors: Float[np.ndarray, " n"], at: Float[np.ndarray, " m"], n: int, seed: int) -> ErrorDistribution:
    """The band of so many true errors, drawn evenly so that its middle is the truth."""
    rng = np.random.default_rng([seed, n])
    sample = np.sort(errors)[((np.arange(n) + rng.random(n)) * len(errors) / n).astype(np.int64)]
    return ErrorDistribution.of(sample, at)


def _errors(rows: Sequence[Measurement], method: str) -> Float[np.ndarray, " n"]:
    found = {int(r.metric.split()[1]): r.value for r in rows if r.method == method and r.metric.startswith("error ")}
    return np.array([found[i] for i in sorted(found)])


def _agreement(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> list[str]:
    """What few networks say of two spaces beside what all say."""
    whole = compare_spaces(first, second)
    lines = [_said(f"{len(first)} and {len(second)}", whole.ahead, whole.low, whole.high, whole.verdict)]
    few = compare_spaces(first[:_FEW], second[:_FEW])
    lines.append(_said(f"first {_FEW} of each", few.ahead, few.low, few.high, few.verdict))
    rng = np.random.default_rng(0)
    drawn = [
        compare_spaces(rng.choice(first, _FEW, replace=False), rng.choice(second, _FEW, replace=False), seed=k)
        for k in range(_AGAIN)
    ]
    same = sum(c.verdict == whole.verdict for c in drawn)
    held = sum(c.low <= whole.ahead <= c.high for c in drawn)
    lines.append(
        f"{_FEW} others of each: {same} of {_AGAIN} with the same verdict, {held} whose interval holds the whole"
    )
    return lines


def _said(which: str, ahead: float, low: float, high: float, verdict: str) -> str:
    return f"digits, {which}: normed ahead in {ahead:.3f} of pairs ({low:.3f} to {high:.3f}), verdict: {verdict}"
