"""Which parameters were seen beside which values, counted one configuration at a time.

What decides whether a parameter is there shows in these counts, so that a study that grows by one configuration has no
need to look at all the others again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Bool, Int

    from foretell.distributions import Distribution, Value

_MOST_VALUES = 64  # a parent with more distinct values explains anything by chance
_ROOM = 64


class PresenceCounts:
    """Counts of configurations, by value and parameter.

    Notation: d parameters, v values of those that have few, in the order in which they were seen.

    Args:
        distributions: Everything that was ever suggested, by name.

    >>> from foretell.distributions import CategoricalDistribution, IntDistribution
    >>> counts = PresenceCounts({"op": CategoricalDistribution(("conv", "pool")), "k": IntDistribution(1, 7)})
    >>> for config in ({"op": "conv", "k": 3}, {"op": "pool"}, {"op": "conv", "k": 5}):
    ...     counts.add(config)
    >>> counts.present.tolist(), counts.decides.tolist()
    ([3, 2], [[False, True], [False, False]])
    """

    def __init__(self, distributions: Mapping[str, Distribution]) -> None:
        self.names = list(distributions)
        self.n = 0
        d = len(self.names)
        sizes = [distribution.size for distribution in distributions.values()]
        self._numbers: list[dict[Value, int] | None] = [
            {} if size is not None and size <= _MOST_VALUES else None for size in sizes
        ]
        self.present: Int[np.ndarray, " d"] = np.zeros(d, dtype=np.int64)
        self._owner = np.zeros(_ROOM, dtype=np.int64)
        self._together = np.zeros((_ROOM, d), dtype=np.int64)
        self._n_values = 0

    def add(self, config: Mapping[str, Value]) -> None:
        """Count one more configuration; parameters that are not known are left aside."""
        there, values = [], []
        for j, name in enumerate(self.names):
            if name in config:
                there.append(j)
                numbers = self._numbers[j]
                if numbers is not None:
                    value = config[name]
                    if value not in numbers:
                        numbers[value] = self._new_value(j)
                    values.append(numbers[value])
        self.present[there] += 1
        self._together[np.array(values, dtype=np.int64)[:, None], there] += 1
        self.n += 1

    def _new_value(self, parameter: int) -> int:
        number = self._n_values
        if number == len(self._owner):
            self._owner = np.concatenate([self._owner, np.zeros_like(self._owner)])
            self._together = np.concatenate([self._together, np.zeros_like(self._together)])
        self._owner[number] = parameter
        self._n_values += 1
        return number

    @property
    def always(self) -> Bool[np.ndarray, "v d"]:
        """Whether with a value (row) every configuration had the parameter (column)."""
        together = self._together[: self._n_values]
        own = self._owner[: self._n_values]
        return np.asarray(together == together[np.arange(len(own)), own][:, None])

    @property
    def decides(self) -> Bool[np.ndarray, "d d"]:
        """Whether a parameter's values (row) decide the presence of another (column).

        Each value was seen only with it or only without it, both occur, and it never comes without the parent.
        """
        d, v = len(self.names), self._n_values
        together, own, always = self._together[:v], self._owner[:v], self.always
        of = (own == np.arange(d)[:, None]).astype(np.float64)  # (parameters, values)
        never = together == 0
        clear = of @ ~(always | never) == 0
        both = (of @ always > 0) & (of @ never > 0)
        return np.asarray(clear & both & (of @ together == self.present))

    def values(self, parent: str, child: str) -> tuple[set[Value], set[Value]]:
        """The parent's values with and without the child, where the first decides the second."""
        numbers = self._numbers[self.names.index(parent)]
        assert numbers is not None
        always = self._together[: self._n_values, self.names.index(child)] > 0
        with_it = {value for value, number in numbers.items() if always[number]}
        return with_it, set(numbers) - with_it

    @property
    def evidence(self) -> bytes:
        """The same as long as the same parameters hang on the same values, as far as these counts tell."""
        order = self.present[:, None] > self.present
        return b"".join((bytes(f"{self._n_values} ", "ascii"), self.always.tobytes(), self.decides.tobytes(),
                         order.tobytes()))  # fmt: skip
