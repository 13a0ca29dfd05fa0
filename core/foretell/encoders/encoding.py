"""Columns: what an encoder makes of candidates, and how a surrogate gets to see them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Bool, Float, Int

    from foretell.candidate import Candidate


@dataclass(frozen=True, eq=False)
class Encoding:
    """A block of columns for n candidates.

    Args:
        values: n x d numbers; `nan` marks what is absent.
        names: Name of each column.
        groups: Group of each column; a group shares one length scale.
        scaled: Whether each column already has a meaningful unit, so that it is not standardised.
        verbatim: Whether each column is handed on as it is, because its place among the others has a meaning:
            neither dropped where constant, nor centred, nor standardised. A gap becomes 0 without a mark, so a
            row of zeros must mean that nothing is there. One truth value stands for all columns.
    """

    values: Float[np.ndarray, "n d"]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    scaled: Bool[np.ndarray, " d"]
    verbatim: Bool[np.ndarray, " d"] = field(default_factory=lambda: np.array(False))

    def __post_init__(self) -> None:
        object.__setattr__(self, "verbatim", np.broadcast_to(self.verbatim, self.scaled.shape))

    @property
    def mask(self) -> Bool[np.ndarray, "n d"]:
        """True where a value is present."""
        return np.asarray(~np.isnan(self.values))

    def rows(self, which: slice | Int[np.ndarray, " k"]) -> Encoding:
        """Some of the rows."""
        return replace(self, values=self.values[which])

    @classmethod
    def side_by_side(cls, blocks: Sequence[Encoding]) -> Encoding:
        """Put blocks of the same candidates next to each other."""
        return cls(
            np.concatenate([b.values for b in blocks], axis=1),
            tuple(n for b in blocks for n in b.names),
            tuple(g for b in blocks for g in b.groups),
            np.concatenate([b.scaled for b in blocks]),
            np.concatenate([b.verbatim for b in blocks]),
        )


class Encoder(Protocol):
    """Turns candidates into columns; pure, and the same columns for any set of candidates."""

    name: ClassVar[str]
    """Name under which the registry rebuilds it."""

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode candidates; what a candidate lacks becomes `nan`."""
        ...

    def to_config(self) -> dict[str, object]:
        """Settings as JSON values, from which the registered factory rebuilds the encoder."""
        ...


@dataclass(frozen=True, eq=False)
class ColumnScaler:
    """Makes columns fit for a surrogate: constant ones dropped, standardised, gaps filled and marked.

    A gap becomes the mean of the column; a column with gaps gets a second column that says where they are.
    Verbatim columns pass as they are, with 0 in the gaps and no second column.

    Args:
        centre: Mean of each input column over present training values.
        scale: Divisor of each input column.
        keep: Input columns that vary in training, and the verbatim ones.
        marked: Input columns whose presence varies in training.
        groups: Group of each output column.
    """

    centre: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    keep: Bool[np.ndarray, " d"]
    marked: Bool[np.ndarray, " d"]
    groups: tuple[str, ...]

    @classmethod
    def fit(cls, encoding: Encoding) -> ColumnScaler:
        """Learn means, scales and which columns matter."""
        values, mask = encoding.values, encoding.mask
        count = mask.sum(axis=0)
        filled = np.where(mask, values, 0.0)
        if not np.isfinite(filled).all():
            column = encoding.names[int(np.argmax(~np.isfinite(filled).all(axis=0)))]
            msg = f"encoded columns must be finite or nan, but {column!r} is infinite: clip it in the encoder"
            raise InvalidDataError(msg)
        centre = filled.sum(axis=0) / np.maximum(count, 1)
        deviation = np.sqrt((np.where(mask, values - centre, 0.0) ** 2).sum(axis=0) / np.maximum(count, 1))
        centre = np.where(encoding.verbatim, 0.0, centre)
        keep = (deviation > 1e-9 * (1.0 + np.abs(centre))) | encoding.verbatim
        scale = np.where(encoding.scaled | encoding.verbatim | ~keep, 1.0, deviation)
        marked = (count > 0) & (count < len(values)) & ~encoding.verbatim
        first: dict[tuple[str, bytes], int] = {}  # one mark a group suffices, since its columns come and go together
        for j in np.flatnonzero(marked).tolist():
            first.setdefault((encoding.groups[j], mask[:, j].tobytes()), j)
        marked = np.isin(np.arange(len(marked)), list(first.values()))
        names = np.array(encoding.groups, dtype=object)
        return cls(centre, scale, keep, marked, (*names[keep], *names[marked]))

    def transform(self, encoding: Encoding) -> Float[np.ndarray, "n k"]:
        """Columns for the surrogate, without gaps; standardised values stay within 5 deviations of 0.

        Raises:
            InvalidDataError: If there are more or fewer columns than in training.
        """
        if encoding.values.shape[1] != len(self.centre):
            msg = f"{len(self.centre)} columns were learnt from, but got {encoding.values.shape[1]}"
            raise InvalidDataError(f"{msg}: use the same encoders")
        values = (encoding.values[:, self.keep] - self.centre[self.keep]) / self.scale[self.keep]
        np.nan_to_num(values, copy=False, nan=0.0)  # a gap is the mean
        free = ~(encoding.scaled | encoding.verbatim)[self.keep]
        if free.all():
            np.clip(values, -5.0, 5.0, out=values)
        else:
            values[:, free] = np.clip(values[:, free], -5.0, 5.0)
        return np.concatenate([values, ~np.isnan(encoding.values[:, self.marked])], axis=1, dtype=np.float64)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything but the groups, as arrays."""
        return {"centre": self.centre, "scale": self.scale, "keep": self.keep, "marked": self.marked}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], groups: Sequence[str]) -> ColumnScaler:
        """Inverse of `to_arrays`.

        Raises:
            CheckpointError: If they do not belong together.
        """
        numbers, marks = [arrays[n] for n in ("centre", "scale")], [arrays[n] for n in ("keep", "marked")]
        n = len(numbers[0])
        sound = all(a.dtype == np.float64 and a.shape == (n,) for a in numbers) and bool((numbers[1] > 0).all())
        sound = sound and all(a.dtype == np.bool_ and a.shape == (n,) for a in marks)
        if not sound or len(groups) != sum(a.sum() for a in marks) or not all(isinstance(g, str) for g in groups):
            msg = (
                f"a stored scaler needs a mean, a divisor and marks for each of {n} columns, a group for each kept one"
            )
            raise CheckpointError(f"{msg}, but has others: save it again")
        return cls(numbers[0], numbers[1], marks[0], marks[1], tuple(groups))
