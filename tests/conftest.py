"""What all tests share: one torch thread, and where the benchmark tables are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)  # a failure seen once is seen again
settings.load_profile("repeatable")
torch.set_num_threads(1)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Injected faults and whole experiments take minutes: they run where they are asked for, by their marker."""
    name, asked = collection_path.name, config.option.markexpr or ""
    return True if name in {"faults", "experiments"} and collection_path.is_dir() and name not in asked else None


@pytest.fixture(scope="session")
def foretell_data() -> Path:
    """The folder of real benchmark tables; the test is skipped where it is absent."""
    given = os.environ.get("FORETELL_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the benchmark tables, and {folder} is absent: set FORETELL_DATA")
    return folder
