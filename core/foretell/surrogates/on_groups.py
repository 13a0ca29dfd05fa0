"""A surrogate that sees only some groups of columns."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

    from foretell.posterior import GaussianPosterior
    from foretell.surrogates.surrogate import FittedSurrogate, Surrogate


@dataclass(frozen=True)
class OnGroups:
    """A surrogate and the groups that it gets; all of them where none of these is there.

    Args:
        surrogate: What is fitted.
        groups: Patterns of names of groups, `*` for anything.
    """

    name: ClassVar[str] = "on_groups"
    surrogate: Surrogate
    groups: tuple[str, ...]

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedOnGroups:
        """See `Surrogate.fit`."""
        seen = [j for j, group in enumerate(groups) if any(fnmatchcase(group, pattern) for pattern in self.groups)]
        columns = np.array(seen or range(len(groups)), dtype=np.int64)
        return FittedOnGroups(self.surrogate.fit(X[:, columns], y, [groups[j] for j in columns.tolist()]), columns)

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedOnGroups:
        """See `Surrogate.from_arrays`."""
        inner = {name: array for name, array in arrays.items() if name != "columns"}
        return FittedOnGroups(self.surrogate.from_arrays(inner), arrays["columns"])

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        inner = {"name": self.surrogate.name, "config": self.surrogate.to_config()}
        return {"surrogate": inner, "groups": list(self.groups)}


@dataclass(frozen=True, eq=False)
class FittedOnGroups:
    """A fitted surrogate and the columns that it sees.

    Args:
        surrogate: The surrogate.
        columns: Positions of its columns.
    """

    surrogate: FittedSurrogate
    columns: Int[np.ndarray, " k"]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`."""
        return self.surrogate.predict(X[:, self.columns])

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given the others, where the surrogate has it."""
        return self.surrogate.leave_one_out()  # type: ignore[attr-defined, no-any-return]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {**self.surrogate.to_arrays(), "columns": self.columns}
