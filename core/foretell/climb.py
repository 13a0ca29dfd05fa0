"""The most promising positions of a space: random ones, edits of the best, and edits of what these show to be best."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from foretell.proposals import all_changes, local_edits

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.study_state import StudyState
    from foretell.unit_cube import UnitCube

Score: TypeAlias = "Callable[[Float[np.ndarray, 'k d']], Float[np.ndarray, ' k']]"
"""How much is expected of each position, larger is better."""
_N_RANDOM, _N_LOCAL = 48, 80
_N_REFINED, _ROUNDS = 32, 2
_FEW_MOVES, _MOVED = 32, 3  # of so few changes of one choice all are tried, those of the best so many
_COPIED = 2  # trials with exactly the best value: many a change changes nothing, and several are tried at once
_ENUMERABLE = 512  # a space of no more configurations is judged whole


def climb(
    state: StudyState, score: Score, elite: Float[np.ndarray, "e d"], wanted: int, rng: np.random.Generator
) -> Float[np.ndarray, "k d"]:
    """The most promising positions that are new and admissible, best first; where none is, one that is not.

    Args:
        state: The study.
        score: How much is expected of each position.
        elite: Positions to look around, best first.
        wanted: How many, at most.
        rng: Source of randomness.
    """
    cube = state.cube
    rows = cube.everything(_ENUMERABLE)
    if rows is not None:
        scores = score(rows)
    elif state.on_plateau:
        rows = cube.sample(_N_RANDOM + _N_LOCAL, rng)
        scores = score(rows)
    else:
        few = 0 < cube.n_moves <= _FEW_MOVES and not np.isnan(elite).any() and state.n_best < _COPIED
        rows, scores = (_by_changes if few else _by_edits)(cube, score, elite, rng)
    order = np.argsort(-scores, kind="stable")
    chosen = state.first(rows[order], wanted)
    if chosen:
        return np.asarray(rows[order[chosen]])
    fresh = cube.sample(64, rng)
    new = state.first(fresh)
    if not new and state.elusive is not None:  # nothing is surely new
        fresh = rows[order]
        new = state.first(fresh, wanted, surely_new=False)
    return fresh[new] if new else np.asarray(rows[order[:1]])  # a small space, used up: its best point again


def _by_changes(
    cube: UnitCube, score: Score, elite: Float[np.ndarray, "e d"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, " k"]]:
    """All changes of one choice of the best, and then of the best of these."""
    most = _MOVED * _FEW_MOVES
    rows = np.concatenate([cube.sample(_N_RANDOM // 2, rng), all_changes(cube, elite[:_MOVED], most)])
    scores = score(rows)
    near = all_changes(cube, rows[np.argmax(scores)][None], most)
    return np.concatenate([rows, near]), np.concatenate([scores, score(near)])


def _by_edits(
    cube: UnitCube, score: Score, elite: Float[np.ndarray, "e d"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, " k"]]:
    """Random edits of the best, of one parameter or several, and then of the best of these."""
    rows = np.concatenate([cube.sample(_N_RANDOM, rng), local_edits(cube, elite, _N_LOCAL, rng)])
    scores = score(rows)
    for _ in range(_ROUNDS):
        near = local_edits(cube, rows[np.argsort(-scores, kind="stable")[:5]], _N_REFINED, rng)
        rows, scores = np.concatenate([rows, near]), np.concatenate([scores, score(near)])
    return rows, scores
