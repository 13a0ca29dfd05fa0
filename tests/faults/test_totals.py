"""Runs last: what all others injected and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fault_table import FaultTable


def test_nothing_is_lost_or_counted_twice_or_unreadable_or_stuck(table: FaultTable) -> None:
    assert {where: vars(row) for where, row in table.rows.items() if row.harm} == {}


def test_two_hundred_faults_were_injected(table: FaultTable, request: pytest.FixtureRequest) -> None:
    if len({item.path for item in request.session.items}) < 6:
        pytest.skip("only a part of the matrix was asked for")
    assert table.total().injected >= 200
    assert table.total().results >= 200
