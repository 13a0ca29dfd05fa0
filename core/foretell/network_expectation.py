"""What weights that learnt on other networks expect of a network, read off columns that are known anyway."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders import Encoding, OfCells, Pretrained
from foretell.encoders.pretrained import in_domain

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor

EXPECTED = "pretrained "
"""How groups of columns begin that are expectations."""


@dataclass(frozen=True, eq=False)
class NetworkExpectation:
    """The sources of a checkpoint that judge a whole network; those that need its cells apart have no say.

    Args:
        weights: The checkpoint.
    """

    weights: Pretrained
    _columns: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def read(self, encoding: Encoding, example: ComputationGraph) -> Encoding:
        """One column a source, the normal score that it expects, `nan` where a network is unlike all that it knows.

        Args:
            encoding: Columns of networks; a source has its say where all of its own are among them.
            example: Any network, which shows what columns each source has.
        """
        number = {name: j for j, name in enumerate(encoding.names)}
        found = {}
        for source, predictor in self.weights.predictors().items():
            if any(isinstance(encoder, OfCells) for encoder in predictor.encoders):
                continue  # columns of cells are named like those of networks
            if source not in self._columns:
                self._columns[source] = predictor.encode([Candidate(example)]).names
            own = self._columns[source]
            if all(name in number for name in own):
                found[f"{EXPECTED}{source}"] = _expected(predictor, _only(encoding, [number[name] for name in own]))
        names = tuple(found)
        values = np.column_stack(list(found.values())) if found else np.empty((len(encoding.values), 0))
        return Encoding(values, names, names, np.zeros(len(names), dtype=bool))


def _expected(predictor: Predictor, encoding: Encoding) -> np.ndarray:
    fitted = predictor.fitted
    values = fitted.surrogate.predict(fitted.scaler.transform(encoding)).mean
    return np.where(in_domain(predictor, encoding), values, np.nan)


def _only(encoding: Encoding, at: list[int]) -> Encoding:
    names, groups = ([labels[j] for j in at] for labels in (encoding.names, encoding.groups))
    return Encoding(encoding.values[:, at], tuple(names), tuple(groups), encoding.scaled[at], encoding.verbatim[at])
