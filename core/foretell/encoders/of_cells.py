"""Any encoder of graphs applied to the cells that a network repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from foretell.candidate import Candidate
from foretell.encoders.encoding import Encoder, Encoding
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import ComputationGraph


@dataclass(frozen=True)
class OfCells:
    """Columns of each cell side by side; a network of which no cells are known is its own first cell.

    With one cell its columns keep their names and groups, with more these begin with `cell 0: `.

    Args:
        encoder: Encodes one cell as it would a network.
        number: How many cells there may be; further ones are left out.

    Raises:
        InvalidDataError: If the number is below 1.

    >>> from foretell.capture import nasbench201
    >>> from foretell.encoders import OperatorStatistics
    >>> spec = (2, 2, 2, 2, 2, 2)
    >>> candidate = Candidate(nasbench201.graph(spec), cells=nasbench201.cells(spec))
    >>> round(OfCells(OperatorStatistics(("counts",))).encode([candidate]).values[0, 1] ** 2)
    6
    """

    name: ClassVar[str] = "of_cells"
    encoder: Encoder
    number: int = 2

    def __post_init__(self) -> None:
        if self.number < 1:
            msg = f"`number >= 1` must hold, but got {self.number=}: the default is 2"
            raise InvalidDataError(msg)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """See `Encoder.encode`; what a candidate lacks is absent, such as the second of one cell."""
        blocks = []
        for k in range(self.number):
            alone = [Candidate(graph=self.cell(c, k)) for c in candidates]
            found = self.encoder.encode(alone)
            if self.number == 1:
                return found
            names = tuple(f"cell {k}: {name}" for name in found.names)
            groups = tuple(f"cell {k}: {group}" for group in found.groups)
            blocks.append(Encoding(found.values, names, groups, found.scaled, found.verbatim))
        return Encoding.side_by_side(blocks)

    def cell(self, candidate: Candidate, k: int) -> ComputationGraph | None:
        """The k-th cell, None where there is none."""
        cells = candidate.cells or ((candidate.graph,) if candidate.graph is not None else ())
        return cells[k] if k < len(cells) else None

    def to_config(self) -> dict[str, object]:
        """The inner encoder and the number of cells."""
        return {"encoder": {"name": self.encoder.name, "config": self.encoder.to_config()}, "number": self.number}
