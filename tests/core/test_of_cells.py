"""Columns of cells beside those of the inner encoder on each cell alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foretell.candidate import Candidate
from foretell.capture import nasbench201, nasbench301
from foretell.encoders import ENCODERS, Adjacency, Encoder, Flow, OfCells, OperatorStatistics
from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph

INNER = OperatorStatistics(("counts", "walks"))
ONE = [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in ((2, 2, 2, 2, 2, 2), (0, 1, 4, 1, 3, 2))]
TWO = [
    Candidate(nasbench301.graph(s, cells=5), cells=nasbench301.cells(s))
    for s in (nasbench301.sample(np.random.default_rng(seed)) for seed in range(3))
]


def alone(encoder: Encoder, *graphs: ComputationGraph | None) -> np.ndarray:
    return encoder.encode([Candidate(g) for g in graphs]).values


@pytest.mark.parametrize("inner", [INNER, Flow(4)], ids=lambda e: e.name)
def test_each_cell_is_encoded_as_it_would_be_alone(inner: Encoder) -> None:
    found = OfCells(inner).encode(TWO).values
    expected = [alone(inner, *(c.cells[k] for c in TWO)) for k in range(2)]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))
    assert not np.array_equal(*expected)


def test_a_network_of_unknown_cells_is_its_own_first_cell() -> None:
    whole = Candidate(ONE[0].graph)
    first, second = np.split(OfCells(INNER).encode([whole]).values, 2, axis=1)
    np.testing.assert_array_equal(first, alone(INNER, whole.graph))
    assert np.isnan(second).all()


def test_what_there_is_not_is_absent_and_further_cells_are_left_out() -> None:
    found = OfCells(INNER, 3).encode([*ONE, TWO[0], Candidate()]).values
    absent = [np.isnan(block).all(axis=1).tolist() for block in np.split(found, 3, axis=1)]
    assert absent == [[False, False, False, True], [True, True, False, True], [True] * 4]
    assert np.isfinite(found[~np.isnan(found).all(axis=1)][:, : found.shape[1] // 3]).all()
    single = OfCells(INNER, 1).encode(TWO).values
    np.testing.assert_array_equal(single, alone(INNER, *(c.cells[0] for c in TWO)))


def test_only_cells_count_where_they_are_known() -> None:
    bare = [Candidate(cells=c.cells) for c in ONE]
    np.testing.assert_array_equal(OfCells(INNER).encode(bare).values, OfCells(INNER).encode(ONE).values)


def test_names_groups_and_units_are_those_of_each_cell() -> None:
    inner = Adjacency(6, ("AvgPool3x3", "Conv1x1", "Conv3x3", "Identity", "Input", "Output")).encode([])
    found = OfCells(Adjacency(6, ("AvgPool3x3", "Conv1x1", "Conv3x3", "Identity", "Input", "Output"))).encode([])
    assert found.names == tuple(f"cell {k}: {name}" for k in range(2) for name in inner.names)
    assert found.groups == tuple(f"cell {k}: {group}" for k in range(2) for group in inner.groups)
    assert found.scaled.tolist() == inner.scaled.tolist() * 2
    assert found.verbatim.tolist() == inner.verbatim.tolist() * 2 == [True] * len(found.names)
    assert len(set(found.names)) == len(found.names)


@pytest.mark.parametrize("encoder", [OfCells(INNER), OfCells(Flow(3, 0.5, 7), 4), OfCells(OfCells(INNER, 1), 3)])
def test_settings_survive_json(encoder: OfCells) -> None:
    again = ENCODERS.make(encoder.name, json.loads(json.dumps(encoder.to_config())))
    assert again == encoder
    np.testing.assert_array_equal(again.encode(ONE).values, encoder.encode(ONE).values)


@pytest.mark.parametrize("number", [0, -1])
def test_no_cells_at_all_are_refused(number: int) -> None:
    with pytest.raises(InvalidDataError, match=rf"`number >= 1` must hold, but got self.number={number}: the default"):
        OfCells(INNER, number)
