"""Gradient-boosted trees by LightGBM: the surrogate for thousands of observations of flat encodings.

Luo, Tan, Wang, Qin, Chen and Liu, 2020, "Neural Architecture Search with GBDT", https://arxiv.org/abs/2007.04785
(GBDT-NAS), whose settings are the defaults. With fewer than a few hundred rows trees of `ExtraTrees` are better.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError, MissingDependencyError
from foretell.posterior import GaussianPosterior
from foretell.surrogates.sound_trees import sound_trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int, UInt8

_VARIANCE_FLOOR = 1e-6


@dataclass(frozen=True)
class GradientBoosting:
    """Settings of the boosting; squared error, as in the released GBDT-NAS.

    The paper gives points, not a spread. Ours: the model of all rows gives the mean, `n_folds` models that each leave
    a fold out give the epistemic variance by their disagreement, and their error on what they left out, less that
    disagreement, is the noise. Theirs also keeps at least 20 rows a leaf, which would forbid any split below 40 rows;
    here it is a twentieth of the rows, at most 20.

    Args:
        n_rounds: Number of trees.
        n_leaves: Most leaves of a tree.
        learning_rate: Share of each tree.
        feature_fraction: Share of the columns that a tree may ask, in (0, 1].
        bagging_fraction: Share of the rows that trees are grown on, in (0, 1].
        bagging_frequency: Trees after which these rows are drawn anew.
        n_folds: Models that leave rows out, at least 2.
        seed: Seed of columns, rows and folds.
    """

    name: ClassVar[str] = "gradient_boosting"
    n_rounds: int = 100
    n_leaves: int = 31
    learning_rate: float = 0.05
    feature_fraction: float = 0.9
    bagging_fraction: float = 0.8
    bagging_frequency: int = 5
    n_folds: int = 5
    seed: int = 0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedBoosting:
        """See `Surrogate.fit`; groups are not used.

        Raises:
            MissingDependencyError: If `lightgbm` is not installed.
        """
        del groups
        X, n = _padded(X), len(X)
        texts = [self._grow(X, y)]
        order = np.random.default_rng(self.seed).permutation(n)
        folds = np.array_split(order, min(self.n_folds, n)) if n > 1 else []
        held = np.empty(n)
        for fold in folds:
            rest = np.setdiff1d(order, fold)
            texts.append(self._grow(X[rest], y[rest]))
            held[fold] = _booster(texts[-1]).predict(X[fold])
        fitted = FittedBoosting.of(texts, np.ones(1))
        if not folds:
            return fitted  # one row tells nothing of the error: the prior variance of the target, 1
        unexplained = float(np.mean((y - held) ** 2) - fitted.disagreement(X).mean())
        return FittedBoosting(fitted.text, fitted.ends, np.array([max(unexplained, _VARIANCE_FLOOR)]))

    def _grow(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> bytes:
        lightgbm = _lightgbm()
        parameters = {
            "objective": "l2", "num_leaves": self.n_leaves, "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction, "bagging_fraction": self.bagging_fraction if len(X) > 4 else 1.0,
            "bagging_freq": self.bagging_frequency, "min_data_in_leaf": min(20, max(1, len(X) // 20)),
            "min_data_in_bin": min(3, max(1, len(X) // 20)), "seed": self.seed, "deterministic": True,
            "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        }  # fmt: skip
        data = lightgbm.Dataset(X, label=y, params=parameters)
        return bytes(lightgbm.train(parameters, data, self.n_rounds).model_to_string().encode())

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedBoosting:
        """See `Surrogate.from_arrays`; LightGBM does not see the stored text, but what `sound_trees` makes of it."""
        given = FittedBoosting(arrays["text"], arrays["ends"], arrays["noise"])
        models = [sound_trees(model) for model in given.models()]
        return FittedBoosting.of(models, given.noise)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class FittedBoosting:
    """The model of all rows, then those that leave a fold out, as LightGBM writes them.

    Args:
        text: Bytes of all models, one after another.
        ends: Where each model ends in `text`.
        noise: Variance of the noise, 1.

    Raises:
        CheckpointError: If the ends do not divide the text.
    """

    text: UInt8[np.ndarray, " bytes"]
    ends: Int[np.ndarray, " models"]
    noise: Float[np.ndarray, " 1"]

    def __post_init__(self) -> None:
        if self.text.dtype != np.uint8 or self.text.ndim != 1 or self.ends.dtype.kind != "i" or self.ends.ndim != 1:
            msg = (
                f"models must be bytes and where they end, but are {self.text.dtype} and {self.ends.dtype}: save again"
            )
            raise CheckpointError(msg)
        ends = self.ends.tolist()
        if self.noise.shape != (1,) or not ends or ends[-1] != len(self.text) or min(np.diff([0, *ends])) <= 0:
            msg = f"models must end in increasing order at {len(self.text)} bytes, but end at {ends}: save them again"
            raise CheckpointError(msg)

    @classmethod
    def of(cls, models: Sequence[bytes], noise: Float[np.ndarray, " 1"]) -> FittedBoosting:
        """From the text of each model."""
        ends = np.cumsum([len(model) for model in models])
        return cls(np.frombuffer(b"".join(models), dtype=np.uint8), ends, noise)

    def models(self) -> list[bytes]:
        """The text of each model."""
        ends = self.ends.tolist()
        return [self.text[a:b].tobytes() for a, b in zip([0, *ends[:-1]], ends, strict=True)]

    @cached_property
    def _boosters(self) -> list[Any]:
        return [_booster(model) for model in self.models()]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`.

        Raises:
            InvalidDataError: If there are more or fewer columns than in training.
            MissingDependencyError: If `lightgbm` is not installed.
        """
        if not len(X):
            return GaussianPosterior(np.empty(0), np.empty(0))
        if any(booster.num_feature() != max(X.shape[1], 1) for booster in self._boosters):
            msg = f"these trees learnt from {self._boosters[0].num_feature()} columns, but got {X.shape[1]}"
            raise InvalidDataError(f"{msg}: use the same encoders")
        mean = np.asarray(self._boosters[0].predict(_padded(X)))
        return GaussianPosterior(mean, np.sqrt(self.disagreement(_padded(X)) + self.noise[0]))

    def contributions(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d_plus_1"]:
        """What each column adds to the mean of each row, and in the last place the mean over the training rows.

        Exact SHAP values of trees, by LightGBM (Lundberg, Erion and Lee, 2018, "Consistent Individualized Feature
        Attribution for Tree Ensembles", https://arxiv.org/abs/1802.03888, algorithm 2); a row sums to its prediction.
        What a column would have been is drawn from the training rows that come to the same leaves.

        Raises:
            MissingDependencyError: If `lightgbm` is not installed.
        """
        if not len(X):
            return np.empty((0, X.shape[1] + 1))
        found = np.asarray(self._boosters[0].predict(_padded(X), pred_contrib=True))
        return found if X.shape[1] else found[:, -1:]

    def disagreement(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Variance between the models that leave a fold out; 0 where there are none."""
        if len(self._boosters) == 1:
            return np.zeros(len(X))
        return np.asarray(np.var([b.predict(X) for b in self._boosters[1:]], axis=0))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {"text": self.text, "ends": self.ends, "noise": self.noise}


def _padded(X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
    """LightGBM needs a column."""
    return np.ascontiguousarray(X, dtype=np.float64) if X.shape[1] else np.zeros((len(X), 1))


def _booster(text: bytes) -> Any:
    lightgbm = _lightgbm()
    try:
        return lightgbm.Booster(model_str=text.decode())
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as e:
        msg = f"stored trees must be LightGBM's text, but it refuses them ({e}): save them again"
        raise CheckpointError(msg) from e


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as e:
        msg = "gradient boosting is done by lightgbm, which is not installed: pip install lightgbm"
        raise MissingDependencyError(msg) from e
    return lightgbm
