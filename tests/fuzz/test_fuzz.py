"""A few damaged files of each kind, and every file that once broke something; `make test-fuzz` reads 10,000."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import run
from readers import READERS, Reader

FEW = 6
ONCE_BROKEN: dict[str, list[int]] = {
    "a stored predictor, `foretell`": [19, 25],
    "a shipped predictor": [7, 10, 21, 47, 61, 64],
    "a Gaussian process of cells": [3, 16, 20, 31, 45, 61],
    "a random forest": [11, 17, 39],
    "hyperparameters": [4, 20, 23, 30, 44],
    "GENNAPE": [35],
    "AIO-P": [8, 13],
    "a released graph": [100, 271],
    "a corpus for pretraining": [16, 25, 30, 58],
    "a file of results": [0, 7, 16, 21, 41],
    "the log of a search": [10, 29],
    "a search space in a checkpoint": [9, 34, 47],
    "records of NNI's trials": [2, 4, 8, 10, 25, 26],
    "an .npz file": [159],
    "a specification of a cell": [354],
    "NNI's own checkpoint": [8, 246],
    "a training that stopped": [245],
    "text of boosted trees": [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
}
"""By reader, the numbers of files that something else than an error of ours came of, when they were first read."""


@pytest.mark.parametrize("reader", READERS, ids=[reader.name for reader in READERS])
def test_damaged_files_are_refused_or_read(reader: Reader, tmp_path: Path) -> None:
    if reader.needs is not None:
        pytest.importorskip(reader.needs)
    found = run.run(reader, [*range(FEW), *ONCE_BROKEN.get(reader.name, [])], tmp_path)
    assert found.failures == []
    assert 0 <= found.refused <= found.files
