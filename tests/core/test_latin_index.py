"""Indices of one parameter's own order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foretell.latin_index import latin_index


@given(st.integers(0, 10**6), st.integers(0, 2**40))
def test_eight_change_places_and_the_first_stays(block: int, seed: int) -> None:
    first = 8 * block
    found = [latin_index(first + i, seed) for i in range(8)]
    assert sorted(found) == [*range(first, first + 8)]
    assert found[0] == first


def test_parameters_have_orders_of_their_own() -> None:
    assert len({tuple(latin_index(i, seed) for i in range(8)) for seed in range(50)}) > 40
