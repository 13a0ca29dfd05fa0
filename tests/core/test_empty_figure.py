"""Figures, and what is said without matplotlib."""

from __future__ import annotations

import sys

import pytest

from foretell.empty_figure import empty_figure
from foretell.errors import MissingDependencyError


def test_size_is_in_inches() -> None:
    pytest.importorskip("matplotlib")
    assert empty_figure(6.0, 3.5).get_size_inches().tolist() == [6.0, 3.5]


def test_without_matplotlib_the_remedy_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"a plot needs matplotlib: pip install 'foretell\[plot\]'"):
        empty_figure(1.0, 1.0)
