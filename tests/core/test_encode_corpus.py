"""Encoding in parallel equals encoding at once; what fails is absent."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import Candidate, GraphStatistics
from foretell.capture import nasbench201
from foretell.encode_corpus import encode_corpus
from foretell.errors import CaptureWarning, InvalidArchitectureError

CELLS = [tuple(row) for row in np.random.default_rng(0).integers(0, 5, (1100, 6)).tolist()]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_equals_encoding_at_once(n_jobs: int) -> None:
    found = encode_corpus(iter(CELLS), nasbench201.graph, [GraphStatistics()], n_jobs=n_jobs)
    at_once = GraphStatistics().encode([Candidate(nasbench201.graph(c)) for c in CELLS])
    assert found.names == at_once.names
    np.testing.assert_array_equal(found.values, at_once.values.astype(np.float32))


def test_what_fails_is_absent_and_said_once() -> None:
    with pytest.warns(CaptureWarning, match=r"nonsense has no graph \(InvalidArchitectureError: .*absent") as said:
        found = encode_corpus(["nonsense", CELLS[0], "more"], nasbench201.graph, [GraphStatistics()])
    assert len(said) == 1
    assert found.mask.all(axis=1).tolist() == [False, True, False]


def test_nothing_is_refused() -> None:
    with pytest.raises(InvalidArchitectureError, match="at least one specification"):
        encode_corpus([], nasbench201.graph, [GraphStatistics()])
