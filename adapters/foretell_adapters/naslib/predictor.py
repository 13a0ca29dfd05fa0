"""`ForetellPredictor`: foretell's predictor with the methods that NASLib calls.

>>> from foretell_adapters.naslib import ForetellPredictor
>>> predictor = ForetellPredictor()  # then PredictorEvaluator(predictor, config=config), as with NASLib's own
>>> predictor.set_ss_type("nasbench201")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from foretell.benchmarks.unknowing import unknowing
from foretell.errors import InvalidDataError, MissingDependencyError, NotFittedError
from foretell.predictor import Predictor
from foretell_adapters.naslib.model import ColumnModel, GennapeModel, Model
from foretell_adapters.naslib.settings import settings_of, tunable, with_settings
from foretell_adapters.naslib.space import canonical_name, family_of, specification_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.known_columns import KnownColumns
    from foretell.posterior import Posterior
    from foretell_adapters.naslib.model import Known

_CHECKPOINTS = {"gennape": "gennape-nb101"}  # presets that are whole trained ensembles
UNLABELLED_FACTOR = 5
"""Unlabelled architectures for each labelled one that are asked of NASLib's evaluator, where they are used."""


class ForetellPredictor:
    """Predicts the accuracy of NASLib architectures from their whole networks.

    It neither inherits from nor imports NASLib; `foretell_adapters.naslib.compat.install` makes a checkout of
    NASLib importable. The methods are those of `foretell_adapters.naslib.NASLibPredictor`, where they are
    described. `foretell_adapters.naslib.presets` has a class for each preset.

    Pretrained weights that learnt from the space's own labels are left out, since those are what NASLib holds back.

    Args:
        ss_type: Name of the search space, if `set_ss_type` is not called; see
            `foretell_adapters.naslib.space.SPACES`.
        predictor: One of your own, not fitted, in place of the preset.
        hpo_wrapper: Let NASLib choose `tunable(preset)` by its cross-validation. Off, since that validates on the
            very architectures it trained on, and so rewards memory.
        columns: Columns kept by another predictor of the same preset and space (`known_columns`).
        seed: Of what `set_random_hyperparams` draws.

    Raises:
        InvalidSearchSpaceError: If the search space is not supported.
        InvalidDataError: If the preset is unknown.
    """

    preset: ClassVar[str] = "foretell"

    def __init__(
        self,
        ss_type: str | None = None,
        *,
        predictor: Predictor | None = None,
        hpo_wrapper: bool = False,
        columns: KnownColumns[Known] | None = None,
        seed: int = 0,
    ) -> None:
        self.ss_type = None if ss_type is None else canonical_name(ss_type)
        self.hpo_wrapper = hpo_wrapper
        self.hyperparams: dict[str, Any] | None = None
        self._own, self._columns = predictor, columns
        if predictor is None and self.preset not in _CHECKPOINTS:
            predictor = Predictor.preset(self.preset)
        self._space = tunable(self.preset if self._own is None else "")
        defaults = settings_of(predictor.surrogate, self._space.names) if predictor is not None else {}
        self.default_hyperparams: dict[str, Any] = defaults
        self._rng = np.random.default_rng(seed)
        self._unlabelled: list[Any] = []
        self._model: Model | None = None
        self._fitted = False

    @property
    def method_type(self) -> str:
        """The name that PredictorEvaluator prints."""
        return self.preset

    @property
    def known_columns(self) -> KnownColumns[Known] | None:
        """Columns kept so far, for another predictor of the same preset and space."""
        return self._columns

    def set_ss_type(self, ss_type: str) -> None:
        """Set the search space; with another one than before, what was learnt is forgotten.

        Raises:
            InvalidSearchSpaceError: If it is not supported.
        """
        name = canonical_name(ss_type)
        if self.ss_type not in (None, name):
            self._columns, self._model, self._fitted, self._unlabelled = None, None, False, []
        self.ss_type = name

    def pre_process(self) -> None:
        """Nothing is done ahead."""

    def get_data_reqs(self) -> dict[str, Any]:
        """What else than architectures and accuracies NASLib should gather, as the preset's encoders ask.

        Raises:
            MissingDependencyError: If learning curves are needed, which NASLib names by a type of its own, and there
                is no NASLib.
        """
        model = self._made()
        return {
            "requires_partial_lc": model.reads_curves,
            "metric": _validation_accuracy() if model.reads_curves else None,
            "requires_hyperparameters": False,
            "hyperparams": {},
            "unlabeled": model.reads_unlabelled,
            "unlabeled_factor": UNLABELLED_FACTOR if model.reads_unlabelled else 0,
        }

    def pre_compute(self, xtrain: Sequence[Any], xtest: Sequence[Any], unlabeled: Sequence[Any] | None = None) -> None:
        """Compute the columns of all architectures of an experiment at once."""
        self._unlabelled = list(unlabeled or ())
        self.prepare([*xtrain, *xtest, *self._unlabelled])

    def prepare(self, archs: Sequence[Any]) -> None:
        """Compute the columns of architectures that will be asked for one by one."""
        model = self._made()
        if not model.reads_curves:
            model.prepare(self._known(archs, None))

    def set_pre_computations(self, unlabeled: Sequence[Any] | None = None, **zero_cost: Any) -> None:
        """Take the unlabelled architectures of NASLib's optimisers; zero-cost scores are not used."""
        del zero_cost
        if unlabeled is not None:
            self._unlabelled = list(unlabeled)

    def reset_hyperparams(self) -> None:
        """Back to the defaults."""
        self.hyperparams = None

    def get_hpo_wrapper(self) -> bool:
        """Whether NASLib should choose hyperparameters."""
        return self.hpo_wrapper

    def set_random_hyperparams(self) -> dict[str, Any]:
        """Draw hyperparameters; the first time, the defaults, as NASLib's own predictors do."""
        first = self.hyperparams is None
        drawn = dict(self.default_hyperparams) if first else self._space.sample(self._rng)
        self.set_hyperparams(drawn)
        return drawn

    def set_hyperparams(self, hyperparams: Mapping[str, Any]) -> None:
        """Use these from the next fit on.

        Raises:
            InvalidDataError: If a name is unknown.
        """
        unknown = sorted(set(hyperparams) - set(self.default_hyperparams))
        if unknown:
            msg = (
                f"hyperparameters of {self.preset!r} must be among {sorted(self.default_hyperparams)}, but got "
                f"{unknown}: drop them"
            )
            raise InvalidDataError(msg)
        self.hyperparams = dict(hyperparams)

    def get_hyperparams(self) -> dict[str, Any]:
        """The hyperparameters in use."""
        return {**self.default_hyperparams, **(self.hyperparams or {})}

    def fit(self, xtrain: Sequence[Any], ytrain: Sequence[float], train_info: Any = None) -> None:
        """Learn from architectures and their accuracies in percent.

        Raises:
            InvalidSearchSpaceError: If no search space is set, or an object is not of it.
            InvalidDataError: If the preset learns from curves and there are none.
        """
        self._model = model = self._made(fresh=True)
        model.fit(self._known(xtrain, train_info), ytrain, self._known(self._unlabelled, None))
        self._fitted = True

    def posterior(self, xtest: Sequence[Any], info: Any = None) -> Posterior:
        """Belief about the accuracies in percent.

        Raises:
            NotFittedError: Before `fit`.
        """
        return self._fitted_model().predict(self._known(xtest, info))

    def function_posterior(self, xtest: Sequence[Any], info: Any = None) -> Posterior:
        """The same without the noise of a training run, for acquisition functions that sample.

        Raises:
            NotFittedError: Before `fit`.
        """
        return self._fitted_model().predict_function(self._known(xtest, info))

    def _fitted_model(self) -> Model:
        if self._model is None or not self._fitted:
            msg = "`query` needs a fitted predictor, but there is none: call `fit` first"
            raise NotFittedError(msg)
        return self._model

    def query(self, xtest: Sequence[Any], info: Any = None) -> Float[np.ndarray, " n"]:
        """Predicted accuracies in percent.

        Raises:
            NotFittedError: Before `fit`.
        """
        return np.asarray(self.posterior(xtest, info).mean, dtype=np.float64)

    def _made(self, *, fresh: bool = False) -> Model:
        """The model of this preset on this space; a fresh one has the hyperparameters in use."""
        if self._model is not None and not fresh:
            return self._model
        family = family_of(self.ss_type)
        if self._own is None and self.preset in _CHECKPOINTS:
            gennape: Any = Predictor.from_pretrained(_CHECKPOINTS[self.preset])
            model: Model = GennapeModel(gennape, family)
        else:
            predictor = unknowing(self._own or Predictor.preset(self.preset), family.name)
            surrogate = with_settings(predictor.surrogate, self.get_hyperparams())
            of_columns = ColumnModel(Predictor(predictor.encoders, surrogate), family, self._columns)
            model, self._columns = of_columns, of_columns.columns
        self._model = model
        return model

    def _known(self, archs: Sequence[Any], info: Any) -> list[Known]:
        specs = [specification_of(arch, self.ss_type) for arch in archs]
        if not self._made().reads_curves:
            return [(spec, ()) for spec in specs]
        if info is None and specs:
            msg = (
                f"{self.preset!r} learns from learning curves, but got no info with them: set `fidelity_single` in "
                "NASLib's configuration and take a space with full curves, such as nasbench201"
            )
            raise InvalidDataError(msg)
        return [(spec, _curve(more)) for spec, more in zip(specs, info or (), strict=True)]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A predictor that learns alone, and shares the columns kept."""
        del memo
        alone = type(self)(
            self.ss_type, predictor=self._own, hpo_wrapper=self.hpo_wrapper, columns=self._columns,
            seed=int(self._rng.integers(2**31)),
        )  # fmt: skip
        alone.hyperparams = None if self.hyperparams is None else dict(self.hyperparams)
        alone._model, alone._fitted, alone._unlabelled = self._model, self._fitted, self._unlabelled
        return alone

    def __repr__(self) -> str:
        fitted = "fitted" if self._fitted else "not fitted"
        name = type(self).__name__
        return f"{name}(ss_type={self.ss_type!r}, hyperparams={self.get_hyperparams()}, {fitted})"


def _curve(info: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    if "lc" not in info:
        msg = (
            f"the info of an architecture must hold its curve as `lc`, but got {sorted(info)}: take NASLib's evaluator"
        )
        raise InvalidDataError(msg)
    return tuple((float(epoch), float(value)) for epoch, value in enumerate(info["lc"], start=1))


def _validation_accuracy() -> Any:
    try:
        from naslib.search_spaces.core.query_metrics import Metric
    except ImportError as e:
        msg = f"a predictor that learns from curves names NASLib's metric, but {e}: put a checkout on PYTHONPATH"
        raise MissingDependencyError(msg) from e
    return Metric.VAL_ACCURACY
