"""Encoder of candidates: what predictors that learnt on other families say of them.

A pretrained predictor is a `Predictor` like any other, stored by `save`; a checkpoint is a folder of them, one a source
such as `nasbench101.test_acc`. Its column is the mean of its normal-scored prediction, so that columns of sources with
different targets can be compared. Where a candidate lies outside the region that a predictor knows, its column is
absent: the predictor has no vote there, and a warning says so, once.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.encoders.encoding import Encoding
from foretell.errors import CheckpointError, OutOfDomainWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from foretell.candidate import Candidate
    from foretell.predictor import Predictor

SHIPPED = Path(__file__).parent.parent / "checkpoints"
"""Where the checkpoints of the package lie."""
_FAR = 10.0  # deviations at which a column counts as far as can be
_KNOWN = 3.0  # mean distance up to which a candidate is inside; cells of four known families have 0.7 to 2.9
_STRANGE = 0.04  # share of columns that never varied in training, and do now, up to which it is


@dataclass(frozen=True)
class Pretrained:
    """Columns of the predictors of a checkpoint.

    Args:
        checkpoint: Name of a shipped checkpoint, or a folder.
        without: Families whose predictors are left out, or single sources, for measuring on what the weights know.

    Raises:
        CheckpointError: If there is no such checkpoint, or nothing is left of it.

    >>> from foretell.candidate import Candidate
    >>> from foretell.capture import nasbench201
    >>> graphs = [nasbench201.graph(spec) for spec in ((0, 0, 0, 0, 0, 4), (2, 2, 2, 2, 2, 2))]
    >>> encoder = Pretrained(without=("nasbench201", "transnasbench101"))
    >>> worse, better = encoder.encode([Candidate(g) for g in graphs]).values
    >>> bool(worse[0] < better[0])
    True
    """

    name: ClassVar[str] = "pretrained"
    checkpoint: str = "foretell-pretrained"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "without", tuple(self.without))
        if not self.sources:
            msg = (
                f"a checkpoint must hold a folder for each source, but {self._folder} holds none besides "
                f"{self.without}: name a shipped checkpoint or a folder that `pretrain_transferable` wrote"
            )
            raise CheckpointError(msg)

    @property
    def sources(self) -> tuple[str, ...]:
        """What the predictors learnt on, `family.target`, sorted."""
        found = sorted(p.parent.name for p in self._folder.glob("*/config.json"))
        return tuple(s for s in found if s not in self.without and s.split(".")[0] not in self.without)

    def predictors(self) -> dict[str, Predictor]:
        """The predictor of each source."""
        return {source: _load(self._folder / source) for source in self.sources}

    @property
    def _folder(self) -> Path:
        shipped = SHIPPED / self.checkpoint
        return shipped if shipped.is_dir() else Path(self.checkpoint)

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Predict candidates, see `Encoder.encode`; one outside the known region is absent."""
        known: dict[str, Encoding] = {}
        columns = []
        for source in self.sources:
            predictor = _load(self._folder / source)
            key = repr(predictor.encoders)
            if key not in known:
                known[key] = predictor.encode(candidates)
            columns.append(_predicted(predictor, known[key]))
        return self._named(columns, known[key])

    def read(self, encoding: Encoding) -> Encoding:
        """As `encode`, from columns that are known; for a checkpoint whose predictors all have the same encoders."""
        columns = [_predicted(_load(self._folder / source), encoding) for source in self.sources]
        return self._named(columns, encoding)

    def _named(self, columns: Sequence[np.ndarray], seen: Encoding) -> Encoding:
        """The columns; sources without a vote on candidates that are present are named, once."""
        present = seen.mask.any(axis=1)
        judged = zip(self.sources, columns, strict=True)
        silent = [source for source, column in judged if (np.isnan(column) & present).any()]
        if silent:
            _say(" and ".join(silent))
        names = tuple(f"pretrained {source}" for source in self.sources)
        return Encoding(np.column_stack(columns), names, names, np.zeros(len(names), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """The checkpoint and what is left out."""
        return {"checkpoint": self.checkpoint, "without": list(self.without)}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> Pretrained:
        """Inverse of `to_config`."""
        return cls(str(config["checkpoint"]), tuple(config["without"]))  # type: ignore[arg-type]


@lru_cache(maxsize=32)
def _load(folder: Path) -> Predictor:
    from foretell.predictor import Predictor

    return Predictor.load(folder)


def _predicted(predictor: Predictor, encoding: Encoding) -> Float[np.ndarray, " n"]:
    """Mean of the normal-scored target, `nan` outside the known region."""
    fitted = predictor.fitted
    outside = ~in_domain(predictor, encoding)
    values = fitted.surrogate.predict(fitted.scaler.transform(encoding)).mean.astype(np.float64)
    return np.where(outside, np.nan, values)


@lru_cache(maxsize=32)
def _say(sources: str) -> None:
    warnings.warn(
        f"some networks lie outside the region that the weights learnt on {sources} know: these weights have no vote "
        "on them",
        OutOfDomainWarning,
        stacklevel=2,
    )


def in_domain(predictor: Predictor, encoding: Encoding) -> Bool[np.ndarray, " n"]:
    """Whether candidates lie in the region that a fitted predictor's columns know.

    That is when standardised columns are on average within 3 deviations of the training mean, those beyond 10 counted
    as 10, and at most 4 % of all columns differ from the one value that they had in training; a candidate without a
    graph is outside.
    """
    scaler = predictor.fitted.scaler
    distance = np.minimum(np.abs(encoding.values - scaler.centre) / np.maximum(scaler.scale, 1e-9), _FAR)
    absent = np.isnan(distance)
    distance = np.where(absent, 0.0, distance)
    strange = (distance[:, ~scaler.keep] > 1e-6 * (1.0 + np.abs(scaler.centre[~scaler.keep]))).sum(axis=1)
    far = distance[:, scaler.keep].mean(axis=1) if scaler.keep.any() else np.zeros(len(distance))
    known = (far <= _KNOWN) & (strange <= _STRANGE * encoding.values.shape[1]) & ~absent.all(axis=1)
    return np.asarray(known)
