"""What a search works out once and needs again before every trial; it can be forgotten at any time.

A study asks for the positions of all its finished trials before every trial, under a space that hardly changes and with
length scales that change now and then. Everything here follows from the arguments alone: with or without a memory,
suggestions are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import replace
from hashlib import blake2b
from operator import is_
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from foretell.errors import InvalidDataError
from foretell.search_space import SearchSpace
from foretell.unit_cube import UnitCube

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Bool, Float

    from foretell.distributions import Distribution, Value
    from foretell.encoders import Encoding
    from foretell.observation import Observation

_SPARE = 256
_MOST_THETAS = 32
_MOST_OF_CUBES = 8
_Made = TypeVar("_Made")
_MOST_NETWORKS = 8192  # far more than one suggestion asks for


class SearchMemory:
    """Remembers positions of configurations that are the same objects, the space made ready, and fits.

    Safe for threads. Pickling leaves what was remembered behind.

    >>> from foretell.distributions import FloatDistribution
    >>> memory, config = SearchMemory(), {"x": 0.25}
    >>> memory.units(SearchSpace({"x": FloatDistribution(0.0, 1.0)}), [config, config]).tolist()
    [[0.25], [0.25]]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cube: tuple[SearchSpace, tuple[bytes, bool], UnitCube] | None = None
        self._fits: dict[Hashable, np.ndarray] = {}
        self._made: list[tuple[object, tuple[Hashable, ...], object]] = []
        self.networks: dict[str, np.ndarray] = {}
        self._form: Encoding | None = None
        self._told: dict[int, int] = {}
        self._observations: list[Observation] = []
        self._outcomes = np.empty((0, 0))
        self._space: SearchSpace | None = None
        self._order: list[int] | None = None  # columns of the space among those that are kept, None where the same
        self._start({})

    def _start(self, distributions: Mapping[str, Distribution]) -> None:
        self._distributions = dict(distributions)
        self._column = {name: j for j, name in enumerate(self._distributions)}
        self._kept: list[Mapping[str, Value]] = []  # so that no other object gets an id that is in use
        self._at: dict[int, int] = {}
        self._rows = np.empty((_SPARE, len(self._distributions)))
        self._asked: tuple[list[Mapping[str, Value]], np.ndarray] = ([], np.empty(0, dtype=np.int64))

    def units(self, space: SearchSpace, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, "n d"]:
        """Positions in the space; parameters may come in any order, conditions play no part."""
        with self._lock:
            if not self._has(space) or len(self._kept) > 4 * len(configs) + _SPARE:
                self._start(space.distributions)
                self._space, self._order = space, None
            last, index = self._asked
            same = len(last)
            if len(configs) < same or not all(map(is_, configs, last)):  # as a rule, those of the last time come first
                same, index = 0, np.empty(0, dtype=np.int64)
            if same < len(configs):
                at, new = self._at, configs[same:]
                if any(id(c) not in at for c in new):
                    self._add([c for c in new if id(c) not in at])
                index = np.concatenate([index, [at[id(c)] for c in new]])
                self._asked = list(configs), index
            found = self._rows[index]
            order = self._order
        return np.asarray(found if order is None else found[:, order])

    def _has(self, space: SearchSpace) -> bool:
        """Whether positions are those of this space; compares it once."""
        if space is not self._space:
            if space.distributions != self._distributions:
                return False
            self._space = space
            order = [self._column[name] for name in space.distributions]
            self._order = None if order == list(range(len(order))) else order
        return True

    def _add(self, configs: Sequence[Mapping[str, Value]]) -> None:
        units = SearchSpace(self._distributions).to_unit(configs)
        first = len(self._kept)
        while first + len(configs) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[first : first + len(configs)] = units
        for i, config in enumerate(configs):
            self._at[id(config)] = first + i
            self._kept.append(config)

    def outcomes(
        self, observations: Sequence[Observation]
    ) -> tuple[Float[np.ndarray, "n m"], Bool[np.ndarray, " n"], Float[np.ndarray, "n c"]]:
        """Objectives, which were stopped early, and constraints, `nan` where there are none.

        Raises:
            InvalidDataError: If observations differ in their number of objectives.
        """
        if not observations:
            return np.empty((0, 1)), np.empty(0, dtype=bool), np.empty((0, 0))
        with self._lock:
            told = self._told
            try:
                index = [told[id(o)] for o in observations]
            except KeyError:
                self._tell(observations)
                index = [self._told[id(o)] for o in observations]
            m = len(self._observations[0].values)
            found = self._outcomes[index]
        return found[:, :m], found[:, m] > 0, found[:, m + 1 :]

    def _tell(self, observations: Sequence[Observation]) -> None:
        """All anew now and then, and when their form changes, else those that came."""
        new = [o for o in observations if id(o) not in self._told]
        kept = [*self._observations, *new]
        forms = {(len(o.values), len(o.constraints)) for o in new}
        form = {(len(o.values), len(o.constraints)) for o in self._observations[:1]}
        if len(forms | form) > 1 or len(kept) > 4 * len(observations) + _SPARE:
            kept, self._outcomes = list(observations), np.empty((0, 0))
        if len({len(o.values) for o in kept}) > 1:
            self._observations, self._told = [], {}
            msg = "observations must agree in their number of objectives, but differ: keep studies apart"
            raise InvalidDataError(msg)
        width = max(len(o.constraints) for o in kept)
        rows = [
            (*o.values, float(o.partial), *o.constraints, *(np.nan,) * (width - len(o.constraints)))
            for o in kept[len(self._outcomes) :]
        ]
        made = np.array(rows, dtype=np.float64)
        self._outcomes = np.concatenate([self._outcomes, made]) if len(self._outcomes) else made
        self._observations = kept
        self._told = {id(o): i for i, o in enumerate(kept)}

    def cube(self, space: SearchSpace, optional: np.ndarray, *, bends: bool = False) -> UnitCube:
        """The space made ready for matrices; `optional` and `bends` as in `UnitCube`."""
        key, last = (optional.tobytes(), bends), self._cube
        if last is not None and last[1] == key and (last[0] is space or last[0] == space):
            return last[2]
        cube = UnitCube(space, optional, bends=bends)
        self._cube = (space, key, cube)
        return cube

    def fit(self, key: tuple[Hashable, ...], work: Callable[[], np.ndarray]) -> np.ndarray:
        """What `work` gives, which `key` must decide; of long keys only a digest is kept."""
        key = tuple(blake2b(part, digest_size=16).digest() if isinstance(part, bytes) else part for part in key)
        found = self._fits.get(key)
        if found is None:
            found = work()
            with self._lock:
                while len(self._fits) >= _MOST_THETAS:
                    del self._fits[next(iter(self._fits))]
                self._fits[key] = found
        return found

    def of_cube(self, cube: object, key: tuple[Hashable, ...], work: Callable[[], _Made]) -> _Made:
        """What `work` gives for this very cube, which cube and key must decide; the last few are kept."""
        for at, known, made in self._made:
            if at is cube and known == key:
                return cast("_Made", made)
        found = work()
        with self._lock:
            self._made = [(cube, key, found), *self._made[: _MOST_OF_CUBES - 1]]
        return found

    def remember_networks(self, digests: Sequence[str], encoding: Encoding) -> None:
        """Keep the columns of networks by their digest; those that were not asked for the longest make room."""
        with self._lock:
            self._form = encoding.rows(slice(0))
            for digest, row in zip(digests, encoding.values, strict=True):
                self.networks[digest] = row
            while len(self.networks) > _MOST_NETWORKS:
                del self.networks[next(iter(self.networks))]

    def network_columns(self, digests: Sequence[str]) -> Encoding:
        """Columns of networks that were remembered."""
        assert self._form is not None
        with self._lock:
            rows = {d: self.networks[d] for d in digests}
            for digest, row in rows.items():  # asked for last
                del self.networks[digest]
                self.networks[digest] = row
        return replace(self._form, values=np.stack([rows[d] for d in digests]))

    def unknown_networks(self, digests: Sequence[str]) -> set[str]:
        """Those of which there are no columns; the others count as asked for, so that new ones do not push them out."""
        with self._lock:
            for digest in digests:
                if digest in self.networks:
                    self.networks[digest] = self.networks.pop(digest)
            return {d for d in digests if d not in self.networks}

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        del state
        SearchMemory.__init__(self)
