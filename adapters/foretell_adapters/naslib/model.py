"""What is behind a NASLib predictor: one of ours over specifications, whose columns are kept.

NASLib's optimisers ask for one architecture at a time, and its evaluator for the same ones after every fit; what an
architecture's columns are does not change, so they are computed once, and for many at a time where NASLib says which
will come (`ColumnModel.prepare`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from foretell.encoders import LearningCurve
from foretell.errors import NotFittedError
from foretell.function_belief import function_belief
from foretell.known_columns import KnownColumns
from foretell.posterior import GaussianPosterior
from foretell.predictor import Predictor
from foretell.surrogates import SemiSupervised
from foretell_adapters.naslib.space import candidate_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from foretell.candidate import Candidate
    from foretell.capture.families import Family
    from foretell.posterior import Posterior
    from foretell.pretraining.gennape import Gennape

Known: TypeAlias = "tuple[Hashable, tuple[tuple[float, float], ...]]"
"""What is known of an architecture: its specification, and its learning curve so far, empty where there is none."""

_PERCENT = 100.0


class Model(Protocol):
    """A predictor over what is known of architectures; targets in percent."""

    reads_curves: bool
    reads_unlabelled: bool

    def prepare(self, known: Sequence[Known]) -> None:
        """Told which architectures will be asked for."""
        ...

    def fit(self, known: Sequence[Known], y: Sequence[float], unlabelled: Sequence[Known]) -> None:
        """Learn."""
        ...

    def predict(self, known: Sequence[Known]) -> Posterior:
        """Belief about architectures."""
        ...

    def predict_function(self, known: Sequence[Known]) -> Posterior:
        """The same without the noise of a training run."""
        ...


def read_candidate(known: Known, family: Family) -> Candidate:
    """The candidate of what is known.

    >>> from foretell.capture.families import FAMILIES
    >>> read_candidate(((2, 2, 2, 2, 2, 2), ((1.0, 55.0),)), FAMILIES["nasbench201"]).curve
    ((1.0, 55.0),)
    """
    spec, curve = known
    return replace(candidate_of(spec, family), curve=curve)


class ColumnModel:
    """A `Predictor` with the columns that it has seen.

    Args:
        predictor: Encoders and surrogate; it is not fitted itself.
        family: What specifications are of.
        columns: Columns kept by an earlier model with equal encoders.
    """

    def __init__(self, predictor: Predictor, family: Family, columns: KnownColumns[Known] | None = None) -> None:
        self._predictor = Predictor(predictor.encoders, predictor.surrogate)
        self.columns = columns or KnownColumns(predictor.encode, lambda known: read_candidate(known, family))
        self.reads_curves = any(isinstance(e, LearningCurve) for e in predictor.encoders)
        self.reads_unlabelled = isinstance(predictor.surrogate, SemiSupervised)

    def prepare(self, known: Sequence[Known]) -> None:
        """Compute columns ahead, many at a time: a twentieth of what one by one takes."""
        if known:
            self.columns.rows(known)

    def fit(self, known: Sequence[Known], y: Sequence[float], unlabelled: Sequence[Known]) -> None:
        """See `Model.fit`."""
        pool = self.columns.rows(unlabelled) if unlabelled else None
        self._predictor.fit_encoding(self.columns.rows(known), np.asarray(y, dtype=np.float64), unlabelled=pool)

    def predict(self, known: Sequence[Known]) -> Posterior:
        """See `Model.predict`."""
        return self._predictor.predict_encoding(self.columns.rows(known))

    def predict_function(self, known: Sequence[Known]) -> Posterior:
        """See `Model.predict_function`."""
        return function_belief(self._predictor, self.columns.rows(known))


class GennapeModel:
    """GENNAPE's checkpoint, whose heads learn the labels.

    Args:
        gennape: The ensemble, as pretrained.
        family: What specifications are of.
    """

    reads_curves = False
    reads_unlabelled = False

    def __init__(self, gennape: Gennape, family: Family) -> None:
        self._gennape, self._family = gennape, family
        self._tuned: Gennape | None = None

    def prepare(self, known: Sequence[Known]) -> None:
        """Nothing is kept: the networks see graphs."""

    def fit(self, known: Sequence[Known], y: Sequence[float], unlabelled: Sequence[Known]) -> None:
        """See `Model.fit`; without use for unlabelled architectures."""
        del unlabelled
        self._tuned = self._gennape.fit(self._candidates(known), np.asarray(y, dtype=np.float64) / _PERCENT)

    def predict(self, known: Sequence[Known]) -> Posterior:
        """See `Model.predict`."""
        if self._tuned is None:
            msg = "a model must be fitted before it predicts, but `fit` was not called: call it first"
            raise NotFittedError(msg)
        found = self._tuned.predict(self._candidates(known))
        return GaussianPosterior(found.mean * _PERCENT, found.std * _PERCENT)

    def predict_function(self, known: Sequence[Known]) -> Posterior:
        """As `predict`: the ensemble does not tell noise apart."""
        return self.predict(known)

    def _candidates(self, known: Sequence[Known]) -> list[Candidate]:
        return [read_candidate(k, self._family) for k in known]
