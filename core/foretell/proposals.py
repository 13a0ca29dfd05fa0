"""Where proposals come from: edits of good positions.

All functions work on positions in the unit cube (see `SearchSpace.to_unit`) and give allowed ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from foretell.unit_cube import UnitCube

_WIDTHS = np.array([0.02, 0.1, 0.3])
_ABSENT = -1.0


def local_edits(
    cube: UnitCube, parents: Float[np.ndarray, "k d"], n: int, rng: np.random.Generator
) -> Float[np.ndarray, "n d"]:
    """Change one parameter or a few of each parent: numbers by a step of random size, choices to any other.

    Args:
        cube: The search space.
        parents: Positions to start from, used in turn.
        n: How many edits.
        rng: Source of randomness.
    """
    d = cube.d
    children = parents[np.arange(n) % len(parents)]
    gaps = np.isnan(children)
    some_gaps = bool(gaps.any())
    if some_gaps:
        children[gaps] = rng.random(int(gaps.sum()))
    chance = rng.random((n, d + 2))
    share = np.array([0.0, 1.0 / d, 2.0 / d, 0.3])[(chance[:, 0] * 4).astype(np.int64)]
    change = chance[:, 2:] < share[:, None]
    if some_gaps or not cube.free.all():  # one that is there and may change does so for certain
        certain = np.argmax(np.where(gaps | ~cube.free, -1.0, rng.random((n, d))), axis=1)
    else:
        certain = (chance[:, 1] * d).astype(np.int64)
    change[np.arange(n), certain] = True
    rows, columns = np.nonzero(change)
    before = children[rows, columns]
    if len(cube.slotted) == d:
        children[rows, columns] = _other_slot(before, rng.random(len(rows)), cube.sizes[columns])
        return cube.snap(children) if some_gaps or not cube.independent_choices else children
    width = np.maximum(_WIDTHS[rng.integers(0, 3, n)[rows]], cube.least_step[columns])
    moved = np.abs(before + width * rng.standard_normal(len(rows)))  # reflect, so that edges are not favoured
    moved = np.where(moved > 1.0, np.clip(2.0 - moved, 0.0, 1.0), moved)
    if len(cube.slotted):
        hops = np.flatnonzero(cube.hops[columns])
        moved[hops] = _other_slot(before[hops], rng.random(len(hops)), cube.sizes[columns[hops]])
    children[rows, columns] = moved
    return cube.snap(children)


def all_changes(cube: UnitCube, parents: Float[np.ndarray, "k d"], most: int) -> Float[np.ndarray, "n d"]:
    """All positions that differ from a first parent in one choice; none where there are numbers or conditions.

    The same parent has the same children every time, so that what is known of them is found again.

    Args:
        cube: The search space.
        parents: Allowed positions; as many are used as have all their children among the most.
        most: How many children, at most.
    """
    if not cube.n_moves or np.isnan(parents).any():
        return parents[:0]
    columns, by, sizes = cube.moves
    parents = parents[: most // cube.n_moves]
    children = np.repeat(parents, cube.n_moves, axis=0)
    moved = ((np.floor(parents[:, columns] * sizes) + by) % sizes + 0.5) / sizes
    children[np.arange(len(children)), np.tile(columns, len(parents))] = moved.ravel()
    return children


def _other_slot(units: np.ndarray, chance: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The middle of any slot but the one that holds a position, all equally likely."""
    other = np.floor(units * sizes) + 1 + np.floor(chance * np.maximum(sizes - 1, 1))
    return np.asarray((other % sizes + 0.5) / sizes)


def unseen(rows: Float[np.ndarray, "n d"], seen: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " n"]:
    """Which rows differ from all seen ones and from the rows before them; inactive equals inactive."""
    taken = {row.tobytes() for row in _canonical(seen)}
    fresh = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(_canonical(rows)):
        key = row.tobytes()
        fresh[i] = key not in taken
        taken.add(key)
    return fresh


def first_unseen(
    rows: Float[np.ndarray, "n d"],
    seen: Float[np.ndarray, "m d"],
    wanted: int = 1,
    elusive: Bool[np.ndarray, " d"] | None = None,
) -> list[int]:
    """The first rows that differ from all seen ones and from each other, at most `wanted` of them.

    Args:
        rows: Positions.
        seen: Positions that are known.
        wanted: How many, at most.
        elusive: Parameters that may turn out not to be there, see `elusive_parameters`. Of two rows that agree where
            both have a parameter, one that has some of these besides is no news: evaluated, it may be a copy.
    """
    if elusive is not None and elusive.any():
        return _first_that_stay_unseen(rows, seen, wanted, elusive)
    if wanted > 1:
        return [int(i) for i in np.flatnonzero(unseen(rows, seen))[:wanted]]
    table = _canonical(seen)
    if len(rows) and not (len(table) and bool((table == _canonical(rows[:1])).all(axis=1).any())):
        return [0]
    taken = {row.tobytes() for row in table}
    return next(([i] for i, row in enumerate(_canonical(rows)) if row.tobytes() not in taken), [])


def _first_that_stay_unseen(rows: np.ndarray, seen: np.ndarray, wanted: int, elusive: np.ndarray) -> list[int]:
    new, found, firm = _canonical(rows), list[int](), ~elusive
    table = np.concatenate([_canonical(seen), np.empty_like(new[:wanted])])  # room for what is found
    for i, row in enumerate(new):
        if len(found) == wanted:
            break
        alike = table[: len(seen) + len(found)]
        alike = alike[(alike[:, firm] == row[firm]).all(axis=1)]
        same, theirs, ours = alike == row, alike != _ABSENT, row != _ABSENT
        if not ((same | (elusive & ~theirs)).all(axis=1) | (same | (elusive & theirs & ~ours)).all(axis=1)).any():
            table[len(seen) + len(found)] = row
            found.append(i)
    return found


def elusive_parameters(known: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " d"] | None:
    """Parameters that one position has and a later one has not; None if there are none.

    One that is missing only before it first came may have been added to the study since, which says nothing about
    when it is there.

    Args:
        known: Positions in the order in which they became known.
    """
    gaps = np.isnan(known)
    if not gaps.any():
        return None
    found = (gaps & np.logical_or.accumulate(~gaps, axis=0)).any(axis=0)
    return np.asarray(found) if found.any() else None


def _canonical(rows: np.ndarray) -> np.ndarray:
    found = np.round(rows, 9)
    found += 0.0
    gaps = np.isnan(found)
    if gaps.any():
        found[gaps] = _ABSENT
    return np.ascontiguousarray(found)
