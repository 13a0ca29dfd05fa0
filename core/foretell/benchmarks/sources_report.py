"""The tables of `foretell bench sources`, in markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.source_tasks import CHOSEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.benchmarks.runner import Measurement

CHECKPOINTS = (5, 10, 20, 40)


def sources_tables(rows: Sequence[Measurement]) -> list[str]:
    """Share of configurations better than the best one found, in percent: mean (median) over data sets and seeds.

    Args:
        rows: Measurements.
    """
    methods = list(dict.fromkeys(m.method for m in rows))
    families = list(dict.fromkeys(str(m.family) for m in rows))
    lines = ["Share of configurations better than the best found, %: mean (median)"]
    for half, members in (("reported", [f for f in families if f not in CHOSEN]), ("chosen on", CHOSEN)):
        present = [f for f in families if f in members]
        if not present:
            continue
        lines += ["", f"### {half}: {', '.join(present)}", ""]
        lines += [f"| family | after | {' | '.join(methods)} |", "|---" * (len(methods) + 2) + "|"]
        for family in present:
            for k in CHECKPOINTS:
                cells = [_cell([m.value for m in rows if _is(m, family, method, k)]) for method in methods]
                lines.append(f"| {family} | {k} | {' | '.join(cells)} |")
    studies = {(m.family, m.task, m.seed) for m in rows}
    return [*lines, "", f"{len(studies)} data sets and seeds."]


def _is(m: Measurement, family: str, method: str, k: int) -> bool:
    return m.family == family and m.method == method and m.metric == f"share@{k}"


def _cell(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ({np.median(values):.2f})" if values else ""
