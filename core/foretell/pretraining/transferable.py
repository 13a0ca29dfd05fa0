"""Learn from tables what ranks the networks of other families, and store it: the checkpoint `foretell-pretrained`.

One predictor a source. A source with networks of many shapes, NAS-Bench-101, teaches what transfers to any family:
ridge regression on columns that mean the same everywhere, those whose effect is steady (`SignalPropagation`,
`InvariantRidge`). A source of one shape teaches nothing about shapes, but all about its cell: a Gaussian process on
the cell's columns, for families with such a cell, one a task, since tasks differ in what they want of the same cell.
Which of them are worth anything for a new family or task, its own first labels decide (`OnTrend`).
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from foretell.benchmarks.tables import TABLES, some_rows
from foretell.encoders import OfCells, OperatorStatistics, SignalPropagation
from foretell.predictor import Predictor
from foretell.surrogates import GaussianProcess, InvariantRidge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROWS = 6000
"""Architectures of a source from which a predictor of any family learns."""
CELL_ROWS = 1000
"""Architectures of a source from which a predictor of its kind of cell learns."""


def any_family() -> Predictor:
    """What learns from many shapes, for all families."""
    return Predictor((SignalPropagation(), OperatorStatistics(("attributes",))), InvariantRidge())


def one_cell() -> Predictor:
    """What learns from one shape, for families with such a cell."""
    cells = OperatorStatistics(("attributes", "fewest", "soft", "entry", "first"))
    return Predictor((OfCells(cells, number=1),), GaussianProcess(length_scale=1.4, fit_rows=300))


SOURCES: Mapping[str, tuple[Callable[[], Predictor], int]] = MappingProxyType(
    {
        "nasbench101.test_acc": (any_family, ROWS),
        "nasbench201.cifar10": (one_cell, CELL_ROWS),
        "nasbench201.cifar100": (one_cell, CELL_ROWS),
        "transnasbench101.autoencoder": (one_cell, CELL_ROWS),
        "transnasbench101.class_scene": (one_cell, CELL_ROWS),
        "transnasbench101.jigsaw": (one_cell, CELL_ROWS),
        "transnasbench101.room_layout": (one_cell, CELL_ROWS),
    }
)
"""Of each source, `family.target`, what learns from it and from how many architectures."""


def pretrain_transferable(
    folder: str | Path, *, seed: int = 0, sources: Mapping[str, tuple[Callable[[], Predictor], int]] = SOURCES
) -> Path:
    """Fit a predictor to each source and store it; minutes on a CPU. What is stored already stays, so it resumes.

    Args:
        folder: Where the checkpoint goes; `foretell.encoders.Pretrained` reads it.
        seed: Which random architectures are learnt from.
        sources: What is learnt from what.

    Returns:
        The folder.

    Raises:
        InvalidDataError: If a table is missing.
    """
    from tqdm.auto import tqdm

    folder = Path(folder)
    for source in tqdm(sources, desc="sources"):
        if (folder / source / "config.json").is_file():
            continue
        family, target = source.split(".")
        make, n = sources[source]
        table = TABLES[family]()
        rows = some_rows(len(table), n, seed)
        made = make()
        candidates = (table.candidate(int(i)) for i in tqdm(rows, desc=source, leave=False))
        made.fit(list(candidates), table.targets[target][rows]).save(folder / source)
    return folder
