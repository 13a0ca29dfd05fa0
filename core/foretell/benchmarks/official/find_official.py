"""Finds a benchmark's own file under the name that its authors gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.benchmarks.official.nasbench101_file import load_nasbench101
from foretell.benchmarks.official.nasbench201_file import load_nasbench201
from foretell.benchmarks.official.nasbench301_file import load_nasbench301
from foretell.benchmarks.official.transnasbench101_file import load_transnasbench101

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from foretell.benchmarks.tables import Table

_KNOWN: Mapping[str, tuple[tuple[str, ...], Callable[[Path], Table]]] = {
    "nasbench101": (("nasbench_only108.tfrecord", "nasbench_full.tfrecord"), load_nasbench101),
    "nasbench201": (
        ("NATS-tss-v1_0-3ffb9-simple", "NAS-Bench-201-v1_1-096897.pth", "NAS-Bench-201-v1_0-e61699.pth"),
        load_nasbench201,
    ),
    "nasbench301": (("results",), load_nasbench301),
    "transnasbench101": (("transnas-bench_v10141024.pth",), load_transnasbench101),
}


def find_official(folder: Path, family: str) -> Table | None:
    """The table of the first such file in a folder, None if there is none.

    Of NAS-Bench-301, whose authors name no folder, `results` with the `results_*.json` files somewhere below.

    Raises:
        InvalidDataError: If the file is damaged, incomplete, or holds more than plain data.
    """
    names, load = _KNOWN[family]
    return next((load(folder / name) for name in names if (folder / name).exists()), None)
