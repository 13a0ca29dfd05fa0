"""A surrogate that sees only some groups of columns."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int

    from foretell.posterior import GaussianPosterior
    from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

_INNER = "inner."  # before the names of the inner surrogate's arrays, which may have `columns` of their own


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
        inner = {name.removeprefix(_INNER): array for name, array in arrays.items() if name.startswith(_INNER)}
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
        """Belief about each observation given the others.

        Raises:
            InvalidDataError: If the surrogate cannot leave one out.
        """
        if not hasattr(self.surrogate, "leave_one_out"):
            inner = type(self.surrogate).__name__
            msg = f"a surrogate must be able to leave one out, but {inner} cannot: put it into CrossFitted"
            raise InvalidDataError(msg)
        found: GaussianPosterior = self.surrogate.leave_one_out()
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {**{f"{_INNER}{name}": a for name, a in self.surrogate.to_arrays().items()}, "columns": self.columns}
