"""TransNAS-Bench-101 from its own file, `transnas-bench_v10141024.pth`: the micro cells.

Duan et al., 2021, https://arxiv.org/abs/2105.11871. Nothing foreign is unpickled, see `plain_pickle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.official.torch_file import read_torch
from foretell.benchmarks.tables import Table
from foretell.capture import transnasbench101
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from pathlib import Path

_METRICS = {
    "class_scene": "valid_top1", "class_object": "valid_top1", "room_layout": "valid_neg_loss", "jigsaw": "valid_top1",
    "segmentsemantic": "valid_mIoU", "normal": "valid_ssim", "autoencoder": "valid_ssim",
}  # fmt: skip


def load_transnasbench101(path: Path) -> Table:
    """All micro cells in the file's order: for each task that it holds, the best validation metric of all epochs.

    Raises:
        InvalidDataError: If it is no such file, is damaged, or holds more than plain data.
    """
    stored = read_torch(path)
    try:
        cells = stored["data"]["micro"]
        specs = [transnasbench101.parse(arch) for arch in cells]
        tasks = [task for task in _METRICS if task in next(iter(cells.values()))]
        targets = {
            task: np.array([max(cell[task]["metrics"][_METRICS[task]]) for cell in cells.values()], dtype=np.float64)
            for task in tasks
        }
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration, InvalidArchitectureError) as e:
        msg = f"a table of TransNAS-Bench-101 must hold micro cells and their metrics, but {path} does not ({e!r})"
        raise InvalidDataError(f"{msg}: get it again") from e
    return Table("transnasbench101", specs, transnasbench101.graph, targets, transnasbench101.cells)
