"""Files that are there whole, or as they were: a disk that is full, at any byte."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from foretell.benchmarks.runner import Measurement, read
from foretell.checkpoint import Checkpoint
from foretell.errors import WriteError
from foretell.whole_file import write_whole

sys.path.insert(0, str(Path(__file__).parents[1]))
from full_disk import full_after


def test_a_file_is_replaced(tmp_path: Path) -> None:
    for content in ("old", b"new", "\u00e4\n"):
        write_whole({tmp_path / "a.html": content})
        assert (tmp_path / "a.html").read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("size", [0, 1, 99])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, size: int) -> None:
    write_whole({tmp_path / "a": "old a", tmp_path / "b": "old b"})
    with full_after(size), pytest.raises(WriteError, match=r"written whole, but .*a, .*b cannot be .*File too large"):
        write_whole({tmp_path / "a": "new", tmp_path / "b": "new" * 99})
    assert sorted((p.name, p.read_text()) for p in tmp_path.iterdir()) == [("a", "old a"), ("b", "old b")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"gone/a cannot be .*No such file"):
        write_whole({tmp_path / "gone" / "a": "x"})


@pytest.mark.parametrize("size", [10, 700, 900])
def test_a_checkpoint_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path, size: int) -> None:
    old = Checkpoint({"name": "old"}, {"a": np.arange(9.0)})
    old.write(tmp_path)
    with full_after(size), pytest.raises(WriteError):
        Checkpoint({"name": "new", "long": "x" * 900}, {"a": np.arange(50.0)}).write(tmp_path)
    found = Checkpoint.read(tmp_path)
    assert found.config["name"] == "old"
    np.testing.assert_array_equal(found.arrays["a"], old.arrays["a"])


def test_a_torn_line_of_measurements_is_cut_without_room(tmp_path: Path) -> None:
    out = tmp_path / "m.jsonl"
    line = '{"bench": "b", "method": "m", "family": null, "task": null, "n": 1, "seed": 0, "metric": "t", "value": 1.0, "unit": "ms", "version": "0"}\n'  # noqa: E501
    out.write_text(line + line[:40])
    with full_after(0):
        assert read(out) == [Measurement("b", "m", None, None, 1, 0, "t", 1.0, "ms", "0")]
    assert out.read_text() == line
