"""The predictor: encoders and a surrogate, joined; fit on candidates, predict others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from foretell.candidate import Candidate, as_candidate
from foretell.checkpoint import DAMAGED, Checkpoint
from foretell.encoders import ENCODERS, ColumnScaler, Encoder, Encoding, GraphStatistics
from foretell.errors import (
    CheckpointError,
    ForetellError,
    InvalidDataError,
    MissingDependencyError,
    NotFittedError,
    PluginError,
)
from foretell.posterior import WarpedPosterior
from foretell.surrogates import SURROGATES, FittedSurrogate, GaussianProcess, SemiSupervised, Surrogate
from foretell.target_warp import TargetWarp
from foretell.training_domain import TrainingDomain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jaxtyping import Float, Int

    from foretell.aio_p.aio_p import AioP
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.posterior import Posterior
    from foretell.pretraining.gennape import Gennape


@dataclass(frozen=True, eq=False)
class FittedPredictor:
    """What `Predictor.fit` learnt, in the order in which a prediction passes through it.

    Args:
        scaler: From encoded columns to those of the surrogate.
        surrogate: From these to a belief about the normal score of the target.
        warp: Between targets and normal scores.
        domain: Where the training candidates lie; None for a checkpoint that was written without it.
    """

    scaler: ColumnScaler
    surrogate: FittedSurrogate
    warp: TargetWarp
    domain: TrainingDomain | None


@dataclass(repr=False)
class Predictor:
    """Predicts a target, larger is better, from whatever is known of a network.

    Args:
        encoders: Blocks of columns, side by side.
        surrogate: What maps columns to a posterior.

    >>> from foretell import FloatDistribution, Hyperparameters, SearchSpace
    >>> space = SearchSpace({"lr": FloatDistribution(1e-4, 1e-1, log=True)})
    >>> predictor = Predictor(encoders=(Hyperparameters(space),))
    >>> predictor = predictor.fit([{"lr": 1e-4}, {"lr": 1e-3}, {"lr": 1e-1}], [0.5, 0.9, 0.2])
    >>> predictor.rank([{"lr": 0.09}, {"lr": 0.001}])
    array([1, 0])
    """

    encoders: Sequence[Encoder] = (GraphStatistics(),)
    surrogate: Surrogate = field(default_factory=GaussianProcess)

    def __post_init__(self) -> None:
        self._fitted: FittedPredictor | None = None

    @classmethod
    def preset(cls, name: str) -> Predictor:
        """A named predictor, not fitted, see `foretell.presets`.

        Raises:
            InvalidDataError: If there is none of that name.

        >>> Predictor.preset("nas-bowl")
        Predictor(of_cells -> gaussian_process, not fitted)
        """
        from foretell.presets import PRESETS

        if name not in PRESETS:
            msg = f"a preset must be one of {sorted(PRESETS)}, but got {name!r}: choose one"
            raise InvalidDataError(msg)
        return PRESETS[name]()

    @classmethod
    def from_pretrained(cls, name: str | Path) -> Predictor | Gennape | AioP:
        """A predictor that was trained beforehand: it ranks networks without a label, and `fit` adapts it to some.

        Args:
            name: One that comes with the package, see `foretell.checkpoints`, a folder that `save` wrote, or
                `hf://owner/name` for one of the Hugging Face hub.

        Raises:
            CheckpointError: If there is none of that name, or it is damaged.
        """
        from foretell.checkpoints import stored_checkpoint

        return stored_checkpoint(name)

    def encode(self, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]) -> Encoding:
        """Columns of candidates, graphs or configurations, all encoders side by side."""
        candidates = [as_candidate(item) for item in items]
        return Encoding.side_by_side([encoder.encode(candidates) for encoder in self.encoders])

    def fit(
        self,
        items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]],
        y: Sequence[float] | np.ndarray,
        *,
        unlabelled: Sequence[Candidate | ComputationGraph | Mapping[str, Value]] = (),
    ) -> Self:
        """Learn from candidates and their targets.

        Args:
            items: Candidates, graphs or configurations, n of them.
            y: Targets, n; larger is better, infinite allowed.
            unlabelled: Others, whose targets are not known, for a surrogate that learns from these too, such as that
                of the preset `nars`.

        Raises:
            InvalidDataError: If there are none, the lengths differ, a target is `nan`, or the surrogate cannot use
                unlabelled candidates; an earlier fit stays.
        """
        more = self.encode(unlabelled) if len(unlabelled) else None
        return self.fit_encoding(self.encode(items), np.asarray(y, dtype=np.float64), unlabelled=more)

    def fit_encoding(
        self,
        encoding: Encoding,
        y: Float[np.ndarray, " n"],
        *,
        unlabelled: Encoding | None = None,
        warp: TargetWarp | None = None,
    ) -> Self:
        """Learn from columns made by `encode`; targets become normal scores of their ranks, or what `warp` makes."""
        if len(encoding.values) != len(y) or len(y) == 0:
            msg = f"one target a candidate is needed, but got {len(encoding.values)} and {len(y)}: pair them"
            raise InvalidDataError(msg)
        warp = TargetWarp.fit(y) if warp is None else warp
        scaler = ColumnScaler.fit(encoding)
        columns = scaler.transform(encoding)
        known = columns, warp.forward(y), scaler.groups
        if unlabelled is None:
            surrogate = self.surrogate.fit(*known)
        elif isinstance(self.surrogate, SemiSupervised):
            surrogate = self.surrogate.fit_with_unlabelled(*known, scaler.transform(unlabelled))
        else:
            msg = (
                f"a surrogate must be semi-supervised to learn from unlabelled candidates, but {self.surrogate.name} is"
                " not: leave them out, or take FreeLabelNetwork"
            )
            raise InvalidDataError(msg)
        self._fitted = FittedPredictor(scaler, surrogate, warp, TrainingDomain.fit(columns))
        return self

    def predict(self, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]) -> Posterior:
        """Belief about candidates, in the units of the target.

        Raises:
            NotFittedError: Before `fit`.
        """
        return self.predict_encoding(self.encode(items))

    def predict_encoding(self, encoding: Encoding) -> Posterior:
        """Belief about rows of columns made by `encode`."""
        fitted = self.fitted
        return WarpedPosterior(fitted.surrogate.predict(fitted.scaler.transform(encoding)), fitted.warp)

    def rank(self, items: Sequence[Candidate | ComputationGraph | Mapping[str, Value]]) -> Int[np.ndarray, " n"]:
        """Positions of the candidates, best first.

        Raises:
            NotFittedError: Before `fit`.
        """
        fitted = self.fitted
        latent = fitted.surrogate.predict(fitted.scaler.transform(self.encode(items)))
        return np.argsort(-latent.mean, kind="stable")

    def distance_ratios(self, encoding: Encoding) -> Float[np.ndarray, " n"]:
        """How far rows of columns lie from training: 1 is where the outermost 5 % of training begin, `nan` if unknown.

        Raises:
            NotFittedError: Before `fit`.
        """
        fitted = self.fitted
        if fitted.domain is None:
            return np.full(len(encoding.values), np.nan)
        return fitted.domain.ratios(fitted.scaler.transform(encoding))

    def save(self, folder: str | Path) -> None:
        """Write a folder with `model.safetensors` and `config.json`; nothing is pickled.

        Raises:
            NotFittedError: Before `fit`.
        """
        fitted = self.fitted
        config = {
            "encoders": [{"name": e.name, "config": e.to_config()} for e in self.encoders],
            "surrogate": {"name": self.surrogate.name, "config": self.surrogate.to_config()},
            "groups": list(fitted.scaler.groups),
        }
        parts = {
            "scaler": fitted.scaler.to_arrays(),
            "warp": {"values": fitted.warp.values, "scores": fitted.warp.scores},
            "surrogate": fitted.surrogate.to_arrays(),
        }
        if fitted.domain is not None:
            parts["domain"] = fitted.domain.to_arrays()
        arrays = {f"{part}.{name}": a for part, named in parts.items() for name, a in named.items()}
        Checkpoint(config, arrays).write(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Predictor:
        """Read what `save` wrote; predictions are the same bit for bit on the same machine.

        Raises:
            CheckpointError: If a file is missing, damaged or of another version.
        """
        stored = Checkpoint.read(folder)
        try:
            config = stored.config
            encoders = tuple(ENCODERS.make(e["name"], e["config"]) for e in config["encoders"])
            surrogate = SURROGATES.make(config["surrogate"]["name"], config["surrogate"]["config"])
            predictor = cls(encoders, surrogate)
            predictor._fitted = FittedPredictor(
                ColumnScaler.from_arrays(stored.part("scaler"), config["groups"]),
                surrogate.from_arrays(stored.part("surrogate")),
                TargetWarp.from_arrays(stored.part("warp")),
                TrainingDomain.from_arrays(domain) if (domain := stored.part("domain")) else None,
            )
            predictor._probe()
        except (PluginError, MissingDependencyError):
            raise  # nothing is damaged, something is not installed
        except (*DAMAGED, ForetellError) as e:
            msg = f"a checkpoint must hold a whole predictor, but {folder} does not ({e!r}): save it again"
            raise CheckpointError(msg) from e
        return predictor

    def _probe(self) -> None:
        """Predict a candidate of which nothing is known, and columns all 1: what was read fits together, or raises."""
        fitted = self.fitted
        with np.errstate(all="ignore"):
            rows = fitted.scaler.transform(self.encode([Candidate()]))
            found = fitted.surrogate.predict(np.concatenate([rows, np.ones_like(rows)]))
            values = fitted.warp.inverse(found.mean)
        if values.shape != (2,) or np.isnan(values).any():
            raise ValueError("its predictions are no numbers")

    @property
    def fitted(self) -> FittedPredictor:
        """What was learnt, for those who look inside, such as `foretell.explain`.

        Raises:
            NotFittedError: Before `fit`.
        """
        if self._fitted is None:
            msg = "a predictor must be fitted before it predicts, but `fit` was not called: call fit or load first"
            raise NotFittedError(msg)
        return self._fitted

    def __repr__(self) -> str:
        names = " + ".join(e.name for e in self.encoders)
        state = "fitted" if self._fitted else "not fitted"
        return f"Predictor({names} -> {self.surrogate.name}, {state})"
