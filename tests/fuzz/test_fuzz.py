"""A few damaged files of each kind, and every file that once broke something; `make test-fuzz` reads 10,000."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import run
from readers import READERS, Reader

FEW = 6
ONCE_BROKEN: dict[str, list[int]] = {}
"""By reader, the numbers of files that something else than an error of ours came of, when they were first read."""


@pytest.mark.parametrize("reader", READERS, ids=[reader.name for reader in READERS])
def test_damaged_files_are_refused_or_read(reader: Reader, tmp_path: Path) -> None:
    if reader.needs is not None:
        pytest.importorskip(reader.needs)
    found = run.run(reader, [*range(FEW), *ONCE_BROKEN.get(reader.name, [])], tmp_path)
    assert found.failures == []
    assert 0 <= found.refused <= found.files
