"""A search space made ready for thousands of positions at once.

`SearchSpace` says what is allowed, one parameter at a time; a search that judges a thousand proposals in a millisecond
needs the same answers for whole matrices. Positions are those of `SearchSpace.to_unit`; `nan` marks what is inactive.

Notation: n rows, d parameters, c columns of the encoding. Attributes `groups` and `blocks` say of each column which
group it belongs to (parameters first, then families; -1 for none) and whether it speaks of one parameter (0), of a
family (1), or of how far a number lies from its middle (2). `hops` says of which parameters any other value is as near
as the next, `slotted` names them; `n_moves` is the number of changes of one choice, 0 where not all are free choices.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foretell.distributions import CategoricalDistribution, IntDistribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, Int

    from foretell.distributions import Distribution
    from foretell.search_space import SearchSpace

_PRESENT = np.sqrt(0.5)  # column that says that a parameter is there: absent lies as far off as another choice
_HOT = np.sqrt(2.0)
_FEW = 3  # values of a number that are as good as choices
_MOST_VALUES = 2**53  # a position has no more digits
_FAMILY = 3  # parameters of one distribution, named alike but for a number, of which counts are worth a column


class UnitCube:
    """Snapping, sampling and encoding of whole matrices.

    Args:
        space: The search space.
        optional: Parameters that may be absent without a condition that says when.
        bends: Whether every number has a column of its squared distance from the middle, too, for straight effects.
            Where most of what objectives do is due to one parameter, a process takes what others do to it for noise;
            a straight effect is found all the same, and with this column one that turns round.
    """

    def __init__(
        self, space: SearchSpace, optional: Bool[np.ndarray, " d"] | None = None, *, bends: bool = False
    ) -> None:
        self.space = space
        found = list(space.distributions.values())
        self.d = len(found)
        self.sizes = np.array([_countable(v) for v in found], dtype=np.int64)
        self.categorical = np.array([isinstance(v, CategoricalDistribution) for v in found], dtype=bool)
        log = np.array([not isinstance(v, CategoricalDistribution) and v.log for v in found], dtype=bool)
        self._even = np.flatnonzero((self.sizes > 0) & ~log)
        self._even_sizes = self.sizes[self._even].astype(np.float64)
        self._all_even = len(self._even) == self.d
        whole = [j for j, v in enumerate(found) if isinstance(v, IntDistribution) and v.log]
        self._log_ints = np.array(whole, dtype=np.int64)
        self._low = np.array([found[j].low for j in whole], dtype=np.float64)  # type: ignore[union-attr]
        self._high = np.array([found[j].high for j in whole], dtype=np.float64)  # type: ignore[union-attr]
        lowest = np.maximum(self._low - 0.5, self._low / 2)
        self._log_low, self._log_high = np.log(lowest), np.log(self._high + 0.5)
        self._fixed = [(j, 0.5) for j, v in enumerate(found) if not isinstance(v, CategoricalDistribution)
                       and v.log and not isinstance(v, IntDistribution) and v.size == 1]  # fmt: skip
        self.free = self.sizes != 1
        # choices, and so few even values that any other is as near as the next
        self.hops = (self.categorical | ((self.sizes > 0) & (self.sizes <= _FEW) & ~log)) & self.free
        self.slotted = np.flatnonzero(self.hops)
        self.least_step = np.where(self.sizes > 0, 1.0 / np.maximum(self.sizes, 1), 0.0)  # a smaller one goes nowhere
        self._levels = self._compile_conditions()
        self.independent_choices = bool(self.categorical.all()) and not self._levels
        self._count = np.inf if self._levels else float(np.prod(self.sizes.astype(np.float64))) or np.inf
        self.n_moves = int((self.sizes - 1).sum()) if self.independent_choices else 0
        conditional = np.array([name in space.conditions for name in space.names], dtype=bool)
        numbers = ~self.categorical & self.free & ((self.sizes == 0) | (self.sizes > _FEW))
        self._bent = np.flatnonzero(numbers & bends)
        self._compile_columns(found, conditional if optional is None else conditional | optional)

    def _compile_conditions(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Batches of (child, parent, allowed table) whose parents are decided before, each child once a batch."""
        names = {name: j for j, name in enumerate(self.space.names)}
        depth = np.zeros(self.d, dtype=np.int64)
        batches: dict[tuple[int, int], list[tuple[int, int, np.ndarray]]] = defaultdict(list)
        for child, conditions in self.space.conditions.items():
            j = names[child]
            depth[j] = 1 + max(depth[names[c.parent]] for c in conditions)
            for slot, condition in enumerate(conditions):
                parent = self.space.distributions[condition.parent]
                table = np.zeros(max(int(self.sizes[names[condition.parent]]), 1), dtype=bool)
                for value in condition.values:
                    if parent.contains(value):
                        unit = np.array([[parent.to_unit(value)]])
                        table[int(self._codes(unit, np.array([names[condition.parent]]))[0, 0])] = True
                batches[int(depth[j]), slot].append((j, names[condition.parent], table))
        levels = []
        for key in sorted(batches):
            rows = batches[key]
            allowed = np.zeros((len(rows), max(len(t) for _, _, t in rows)), dtype=bool)
            for i, (_, _, table) in enumerate(rows):
                allowed[i, : len(table)] = table
            levels.append((np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), allowed))
        return levels

    def _codes(self, units: Float[np.ndarray, "n k"], which: Int[np.ndarray, " k"]) -> Int[np.ndarray, "n k"]:
        """Numbers of the values of discrete parameters at allowed positions; of continuous ones 0."""
        codes = (units * self.sizes[which]).astype(np.int64)
        if len(self._log_ints):
            for i in np.flatnonzero(np.isin(which, self._log_ints)).tolist():
                k = int(np.flatnonzero(self._log_ints == which[i])[0])
                scale = self._log_high[k] - self._log_low[k]
                codes[:, i] = np.rint(np.exp(self._log_low[k] + units[:, i] * scale)) - self._low[k]
        return np.asarray(codes)

    def snap(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Move every row to the nearest allowed configuration, inactive parameters to `nan`; `units` has no `nan`."""
        out = np.clip(units, 0.0, 1.0)
        if len(self._even):
            even = out if self._all_even else out[:, self._even]
            even = np.minimum(np.floor(even * self._even_sizes), self._even_sizes - 1)
            even = (even + 0.5) / self._even_sizes
            if self._all_even:
                out = even
            else:
                out[:, self._even] = even
        if len(self._log_ints):
            scale = self._log_high - self._log_low
            value = np.rint(np.exp(self._log_low + out[:, self._log_ints] * scale))
            out[:, self._log_ints] = (np.log(np.clip(value, self._low, self._high)) - self._log_low) / scale
        for j, unit in self._fixed:
            out[:, j] = unit
        if self._levels:
            active = np.ones(out.shape, dtype=bool)
            for children, parents, allowed in self._levels:
                holds = allowed[np.arange(len(children)), self._codes(out[:, parents], parents)]
                active[:, children] &= holds & active[:, parents]
            out[~active] = np.nan
        return np.asarray(out)

    def sample(self, n: int, rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """Uniform random positions of allowed configurations."""
        return self.snap(rng.random((n, self.d)))

    @cached_property
    def moves(self) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """Changes of one choice: its parameter, how many choices further on, and of how many."""
        columns = np.repeat(np.arange(self.d), self.sizes - 1)
        by = np.concatenate([np.arange(1, size) for size in self.sizes.tolist()])
        return columns, by, self.sizes[columns].astype(np.float64)

    def everything(self, most: int) -> Float[np.ndarray, "n d"] | None:
        """All configurations, None if there may be more than `most`."""
        if self._count > most:
            return None
        grids = [(np.arange(s) + 0.5) / s for s in self.sizes]
        for k, j in enumerate(self._log_ints.tolist()):
            values = np.log(np.arange(self._low[k], self._high[k] + 1))
            grids[j] = (values - self._log_low[k]) / (self._log_high[k] - self._log_low[k])
        return np.asarray(np.stack([np.ravel(g) for g in np.meshgrid(*grids, indexing="ij")], axis=1))

    def _compile_columns(self, found: Sequence[Distribution], optional: np.ndarray) -> None:
        several = self.categorical & (self.sizes > 2)
        parameter = np.repeat(np.arange(self.d), np.where(several, self.sizes, 1))
        first = np.searchsorted(parameter, np.arange(self.d))
        hot = several[parameter]
        self._column_of = parameter
        self._all_hot = bool(hot.all())
        self._hot_choice = np.where(hot, np.arange(len(parameter)) - first[parameter], -9.0)
        self._hot = hot
        self._two = np.flatnonzero(self.categorical & (self.sizes == 2))
        self._two_columns = first[self._two]
        self._code_sizes = np.where(self.categorical, self.sizes, 0).astype(np.float64)
        self._optional = np.flatnonzero(optional)
        families = _families(self.space, found)
        width = sum(_width(distribution) for _, distribution in families)
        self._counts, self._offset = np.zeros((len(parameter), width)), np.zeros(width)
        groups, blocks = [*parameter.tolist(), *self._optional.tolist()], [0] * (len(parameter) + len(self._optional))
        at = 0
        for g, (members, distribution) in enumerate(families):
            k = _width(distribution)
            for choice in range(k):
                # sums over members: of one-hot columns, sqrt(1/2) where hot, or of positions less their middle
                self._counts[first[members] + (choice if k > 1 else 0), at + choice] = (
                    _HOT if k > 1 else 1.0
                ) / np.sqrt(len(members))
                self._offset[at + choice] = 0.0 if k > 1 else -0.5 * np.sqrt(len(members))
            groups += [self.d + g] * k
            blocks += [1] * k
            at += k
        groups += [-1] * len(self._bent)
        blocks += [2] * len(self._bent)
        self.n_groups = self.d + len(families)
        self.n_blocks = 3 if len(self._bent) else 2
        self.groups = np.array(groups, dtype=np.int64)
        self.blocks = np.array(blocks, dtype=np.int64)

    def encode(self, units: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """Columns without gaps: numbers at their position, choices one-hot at distance 1, presence, counts, bends."""
        c, o = len(self._column_of), len(self._optional)
        f = c + o + len(self._offset)
        out = np.empty((len(units), len(self.groups)))
        body = out[:, :c]
        if self._all_hot:
            codes = np.floor(units * self._code_sizes)  # nan equals no choice
            np.multiply(codes[:, self._column_of] == self._hot_choice, _PRESENT, out=body)
        else:
            given = units if not len(self._two) else units.copy()
            if len(self._two):
                given[:, self._two] = np.floor(units[:, self._two] * 2)
            body[:] = given[:, self._column_of]
            body[np.isnan(body)] = 0.5
            if self._hot.any():
                codes = np.floor(units * self._code_sizes)[:, self._column_of]
                np.copyto(body, (codes == self._hot_choice) * _PRESENT, where=self._hot)
        if o:
            np.multiply(units[:, self._optional] == units[:, self._optional], _PRESENT, out=out[:, c : c + o])
        if len(self._offset):
            np.matmul(body, self._counts, out=out[:, c + o : f])
            out[:, c + o : f] += self._offset
        if len(self._bent):
            away = 2.0 * np.nan_to_num(units[:, self._bent], nan=0.5) - 1.0
            np.multiply(away, away, out=out[:, f:])
        return out


def _countable(distribution: Distribution) -> int:
    """How many values; 0 if there are more than positions between which to choose."""
    size = distribution.size
    return size if size is not None and size <= _MOST_VALUES else 0


def _width(distribution: Distribution) -> int:
    """Columns of a family: one a choice, or the sum of its numbers."""
    return distribution.size if isinstance(distribution, CategoricalDistribution) and distribution.size > 2 else 1


def _families(space: SearchSpace, found: Sequence[Distribution]) -> list[tuple[np.ndarray, Distribution]]:
    """Parameters of one distribution whose names differ only in numbers, three or more of them."""
    alike: dict[tuple[str, Distribution], list[int]] = defaultdict(list)
    for j, (name, distribution) in enumerate(zip(space.names, found, strict=True)):
        if re.search(r"\d", name):
            alike[re.sub(r"\d+", "#", name), distribution].append(j)
    return [
        (np.array(members), distribution)
        for (_, distribution), members in alike.items()
        if len(members) >= _FAMILY and distribution.size != 1
    ]
