"""`foretell bench coverage`: which networks of PyTorch's libraries can be captured, and whether the counts are right.

A cell is one model: `method` is its library, `task` its name. Parameters are held against the module's trainable ones,
FLOPs against `torch.utils.flop_counter` for one example.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from foretell.benchmarks import coverage_timm, coverage_torch, coverage_transformers
from foretell.benchmarks.coverage_example import FAILED, Example, measure_example
from foretell.benchmarks.runner import Cell, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BUILD: Mapping[str, Callable[[str, str], Example]] = {
    "torch": coverage_torch.build,
    "transformers": coverage_transformers.build,
    "timm": coverage_timm.build,
}


class Coverage:
    """Shares of models; larger is better."""

    name = "coverage"
    methods: Sequence[str] = tuple(_BUILD)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; nothing here is random, so that one seed does."""
        del seeds
        return [Cell(method, None, name) for method in methods for name in _names(method, quick=quick)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        return measure_example(partial(_BUILD[cell.method], cell.task))

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `coverage_report`."""
        return coverage_report(rows)


def coverage_report(rows: Sequence[Measurement]) -> list[str]:
    """A table of shares by library, then each model that failed or whose counts differ, with what is known of it."""
    models: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        models.setdefault((row.method, row.task or ""), {})[row.metric] = row.value
    lines = [f"{'library':16} {'models':>7} {'captured':>9} {'params =':>9} {'FLOPs =':>9} {'Unknown':>9} {'ms':>7}"]
    for library in dict.fromkeys(library for library, _ in models):
        of = [found for (owner, _), found in models.items() if owner == library]
        shares = [sum(found.get(key, 0.0) for found in of) / len(of) for key in _EQUAL]
        unknown = sum(found.get("unknown", 0.0) > 0 for found in of) / len(of)
        times = sorted(found["time"] for found in of if "time" in found)
        median = f"{times[len(times) // 2]:7.0f}" if times else f"{'-':>7}"
        columns = " ".join(f"{share:>9.1%}" for share in (*shares, unknown))
        lines.append(f"{library:16} {len(of):>7} {columns} {median}")
    for (library, name), found in sorted(models.items()):
        remarks = [metric.removeprefix(FAILED) for metric in found if metric.startswith(FAILED)]
        remarks += [f"{kind} x {found[f'{kind}_ratio']:.6f}" for kind in ("params", "flops")
                    if f"{kind}_ratio" in found and not found[f"{kind}_equal"]]  # fmt: skip
        if found.get("unknown"):
            remarks.append(f"{found['unknown']:.0f} of {found['nodes']:.0f} nodes Unknown")
        if remarks:
            lines.append(f"{library} {name}: {'; '.join(remarks)}")
    return lines


_EQUAL = ("captured", "params_equal", "flops_equal")


def _names(method: str, *, quick: bool) -> Sequence[str]:
    if method == "torch":
        return list(coverage_torch.MODULES)[:3] if quick else list(coverage_torch.MODULES)
    if method == "transformers":
        return coverage_transformers.QUICK if quick else list(coverage_transformers.ARCHITECTURES)
    return coverage_timm.QUICK if quick else coverage_timm.names()
