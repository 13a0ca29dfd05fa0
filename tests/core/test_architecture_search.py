"""Search among architectures: proposals by hand, the whole loop on a small space, columns computed once."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from foretell import Candidate, CategoricalDistribution, GaussianProcess, Hyperparameters, Predictor, SearchSpace
from foretell.architecture_search import ArchitectureSearch, LocalEdits, Pool, unobserved
from foretell.encoders import Encoding
from foretell.errors import InvalidDataError
from foretell.known_columns import KnownColumns

Cell = tuple[int, ...]
SPACE = SearchSpace({f"edge{k}": CategoricalDistribution((0, 1, 2)) for k in range(6)})
CELLS: list[Cell] = list(product(range(3), repeat=6))


def candidate(cell: Cell) -> Candidate:
    return Candidate(config={f"edge{k}": op for k, op in enumerate(cell)})


def neighbours(cell: Cell) -> list[Cell]:
    return [(*cell[:k], op, *cell[k + 1 :]) for k in range(6) for op in range(3) if op != cell[k]]


def sample(rng: np.random.Generator) -> Cell:
    return tuple(rng.integers(0, 3, 6).tolist())


def predictor() -> Predictor:
    return Predictor((Hyperparameters(SPACE),), GaussianProcess())


def worth(cell: Cell) -> float:
    return -float(sum((op - k % 3) ** 2 for k, op in enumerate(cell))) + 0.3 * (cell[0] == cell[3])


@pytest.mark.parametrize("proposals", [Pool(CELLS), LocalEdits(sample, neighbours, random=16)], ids=["pool", "edits"])
def test_a_search_finds_the_best_of_729_in_40_and_repeats_itself(proposals: Pool[Cell] | LocalEdits[Cell]) -> None:
    search = ArchitectureSearch(candidate, proposals, sample, predictor)
    known: dict[Cell, float] = {}
    while len(known) < 40 and max(known.values(), default=-9.0) < worth((0, 1, 2, 0, 1, 2)):
        found = search.suggest(known, seed=3)
        assert found.architecture not in known
        assert (found.posterior is None) == (len(known) < 10)
        known[found.architecture] = worth(found.architecture)
    assert (0, 1, 2, 0, 1, 2) in known
    again = ArchitectureSearch(candidate, proposals, sample, predictor)
    first = dict(list(known.items())[:15])
    assert again.suggest(first, seed=3).architecture == list(known)[15]


def test_edits_climb_beyond_the_neighbours_of_what_is_known() -> None:
    def score(given: object) -> np.ndarray:
        return np.array(given, dtype=float)

    rng = np.random.default_rng(0)
    for climbs, reached in ((0, 6), (1, 7), (3, 9)):
        edits = LocalEdits(lambda _: 5, lambda a: (a - 1, a + 1), random=2, climbs=climbs, width=1)
        assert edits.best({5: 1.0, 2: 0.0}, score, rng) == reached
    alone = LocalEdits(lambda g: int(g.integers(9)), lambda _: (), random=0)
    assert alone.best({0: 0.0}, score, rng) != 0  # nothing to edit and nothing drawn: a random one


def test_a_pool_gives_the_first_of_equals_that_is_left() -> None:
    rng = np.random.default_rng(0)
    assert Pool("abcd").best({"a": 1.0, "b": 0.0}, lambda given: np.zeros(len(given)), rng) == "c"
    with pytest.raises(InvalidDataError, match="needs an architecture that was not tried, but all 2 were: stop it"):
        Pool("ab").best({"a": 1.0, "b": 0.0}, lambda given: np.zeros(len(given)), rng)


def test_errors() -> None:
    with pytest.raises(InvalidDataError, match=r"`n_startup >= 1` must hold, but got self.n_startup=0"):
        ArchitectureSearch(candidate, Pool(CELLS), sample, predictor, n_startup=0)
    with pytest.raises(InvalidDataError, match="a thousand draws gave none beside 1: stop it"):
        unobserved(lambda _: 0, {0: 0.0}, np.random.default_rng(0))


def test_columns_are_computed_once_while_they_are_kept() -> None:
    asked: list[list[object]] = []

    def encode(given: list[Candidate]) -> Encoding:
        asked.append([c.config["x"] for c in given])
        return Encoding(np.array([[float(c.config["x"])] for c in given]), ("x",), ("x",), np.zeros(1, dtype=bool))

    columns = KnownColumns(encode, lambda x: Candidate(config={"x": x}), most=3)
    assert columns.rows([2, 1, 2]).values.ravel().tolist() == [2.0, 1.0, 2.0]
    assert columns.rows([1, 3, 4]).values.ravel().tolist() == [1.0, 3.0, 4.0]  # 2 goes
    assert columns.rows([3, 2]).values.ravel().tolist() == [3.0, 2.0]
    assert asked == [[2, 1], [3, 4], [2]]


def test_equal_columns_are_one_row() -> None:
    def encode(given: list[Candidate]) -> Encoding:
        values = np.array([[float(c.config["x"]) % 2 + 1e-12 * float(c.config["x"])] for c in given])
        return Encoding(values, ("x",), ("x",), np.zeros(1, dtype=bool))

    columns = KnownColumns(encode, lambda x: Candidate(config={"x": x}))
    found, position = columns.distinct([3, 2, 5, 3, 4])
    assert found.values.round(6).ravel().tolist() == [1.0, 0.0]
    assert position.tolist() == [0, 1, 0, 0, 1]
