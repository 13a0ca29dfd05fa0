"""Every named predictor on cells of NAS-Bench-201: fits, predicts, saves, loads, and learns."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.errors import InvalidArchitectureError, InvalidDataError
from foretell.metrics import kendall_tau
from foretell.predictor import Predictor
from foretell.presets import PRESETS
from foretell.surrogates import Calibrated, Stack

NETWORKS = ("neural-predictor", "flan", "brp-nas")  # half a minute each on a hundred cells
MATRICES = (*NETWORKS, "gbdt-nas", "nars")  # see the cell as a matrix of fixed size
EACH = pytest.mark.parametrize("name", [name for name in PRESETS if name not in NETWORKS])


pytestmark = pytest.mark.filterwarnings("ignore:some networks lie outside")  # a cell without a path does


def items(n: int, seed: int = 0) -> tuple[list[Candidate], np.ndarray]:
    """Networks with their cells, and a target that counts operators."""
    rng = np.random.default_rng(seed)
    specs = [nasbench201.sample(rng) for _ in range(n)]
    y = [sum((0.3, -1.0, 3.0, 2.0, 0.0)[op] for op in s) for s in specs]
    return [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in specs], np.array(y)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fits_predicts_saves_and_loads(name: str, tmp_path: Path) -> None:
    known, y = items(6 if name in NETWORKS else 12)
    new, _ = items(5, seed=1)
    predictor = PRESETS[name]().fit(known, y)
    predictor.save(tmp_path)
    again = Predictor.load(tmp_path)
    assert (again.encoders, again.surrogate) == (predictor.encoders, predictor.surrogate)
    for here, there in ((predictor.predict(new), again.predict(new)), (predictor.predict(known), again.predict(known))):
        np.testing.assert_array_equal(here.mean, there.mean)
        np.testing.assert_array_equal(here.std, there.std)
        assert np.isfinite(here.mean).all()
        assert (here.std > 0).all()
    singly = [predictor.predict([c]).mean[0] for c in new]
    np.testing.assert_allclose(predictor.predict(new).mean, singly, rtol=1e-4)  # networks compute in float32


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in {*NETWORKS, "baker"}])
def test_a_preset_ranks_unseen_networks(name: str) -> None:
    known, y = items(40)
    new, truth = items(40, seed=1)
    assert kendall_tau(truth, PRESETS[name]().fit(known, y).predict(new).mean) > 0.25


@EACH
def test_fitting_again_gives_the_same(name: str) -> None:
    known, y = items(12)
    a, b = (PRESETS[name]().fit(known, y).predict(known).mean for _ in range(2))
    np.testing.assert_array_equal(a, b)


@EACH
@pytest.mark.parametrize("n", [1, 2])
def test_a_preset_takes_one_or_two_networks(name: str, n: int) -> None:
    known, y = items(n)
    new, _ = items(3, seed=1)
    assert np.isfinite(PRESETS[name]().fit(known, y).predict(new).mean).all()


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in MATRICES])
def test_bare_graphs_and_nothing_at_all_can_be_asked(name: str) -> None:
    known, y = items(12)
    predictor = PRESETS[name]().fit([c.graph if i % 2 else c for i, c in enumerate(known)], y)  # type: ignore[misc]
    asked = predictor.predict([known[0].graph, Candidate(), known[1]])  # type: ignore[list-item]
    assert np.isfinite(asked.mean).all()
    assert (asked.std > 0).all()


@pytest.mark.parametrize("name", MATRICES)
def test_a_whole_network_is_no_matrix(name: str) -> None:
    known, y = items(6)
    with pytest.raises(InvalidArchitectureError, match=r"at most 11 nodes .* use the cell alone"):
        PRESETS[name]().fit([c.graph for c in known], y)  # type: ignore[misc]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"must be one of \[.*'graf'.*\], but got 'oracle'"):
        Predictor.preset("oracle")


def test_every_pattern_of_ours_names_groups_that_there_are() -> None:
    """A misspelt pattern would quietly see nothing, or everything."""
    predictor = PRESETS["foretell"]()
    groups = set(predictor.encode(items(1)[0]).groups)
    assert isinstance(predictor.surrogate, Calibrated)
    stack = predictor.surrogate.surrogate
    assert isinstance(stack, Stack)
    for member in stack.members:
        unmatched = [p for p in member.groups if not any(fnmatchcase(g, p) for g in groups)]  # type: ignore[attr-defined]
        assert not unmatched
    assert groups == {
        g
        for g in groups
        for m in stack.members
        if any(fnmatchcase(g, p) for p in m.groups)  # type: ignore[attr-defined]
    }
