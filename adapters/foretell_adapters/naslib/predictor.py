"""`ForetellPredictor`: foretell's predictor with the methods that NASLib calls.

>>> from foretell_adapters.naslib import ForetellPredictor
>>> predictor = ForetellPredictor()  # then PredictorEvaluator(predictor, config=config), as with NASLib's own
>>> predictor.set_ss_type("nasbench201")
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.encoders import GraphStatistics
from foretell.errors import InvalidDataError, NotFittedError
from foretell.predictor import Predictor
from foretell.surrogates import SURROGATES
from foretell_adapters.naslib.space import canonical_name, graph_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.encoders import Encoder

DEFAULTS: Mapping[str, Any] = MappingProxyType({"surrogate": "gaussian_process"})
"""The hyperparameters that NASLib may see and set."""

_CHOICES = ("gaussian_process", "extra_trees")


class ForetellPredictor:
    """Predicts the accuracy of NASLib architectures from their whole networks.

    It neither inherits from nor imports NASLib; `foretell_adapters.naslib.compat.install` makes a checkout of
    NASLib importable. The methods are those of `foretell_adapters.naslib.NASLibPredictor`, where they are
    described.

    Args:
        ss_type: Name of the search space, if `set_ss_type` is not called; see
            `foretell_adapters.naslib.space.SPACES`.
        encoders: Blocks of columns made of each network.
        surrogate: Name of a registered surrogate.
        hpo_wrapper: Let NASLib choose the surrogate by its cross-validation. Off, since that validates on the
            very architectures it trained on, and so rewards memory.
        seed: Of what `set_random_hyperparams` draws.

    Raises:
        InvalidSearchSpaceError: If the search space is not supported.
    """

    method_type = "foretell"  # the name that PredictorEvaluator prints

    def __init__(
        self,
        ss_type: str | None = None,
        *,
        encoders: Sequence[Encoder] = (GraphStatistics(),),
        surrogate: str = DEFAULTS["surrogate"],
        hpo_wrapper: bool = False,
        seed: int = 0,
    ) -> None:
        self.ss_type = None if ss_type is None else canonical_name(ss_type)
        self.hpo_wrapper = hpo_wrapper
        self.default_hyperparams: dict[str, Any] = {**DEFAULTS, "surrogate": surrogate}
        self.hyperparams: dict[str, Any] | None = None
        self._encoders = tuple(encoders)
        self._rng = np.random.default_rng(seed)
        self._predictor: Predictor | None = None

    def set_ss_type(self, ss_type: str) -> None:
        """Set the search space.

        Raises:
            InvalidSearchSpaceError: If it is not supported.
        """
        self.ss_type = canonical_name(ss_type)

    def pre_process(self) -> None:
        """Nothing is done ahead."""

    def get_data_reqs(self) -> dict[str, Any]:
        """Architectures and their accuracies suffice."""
        return {
            "requires_partial_lc": False,
            "metric": None,
            "requires_hyperparameters": False,
            "hyperparams": {},
            "unlabeled": False,
            "unlabeled_factor": 0,
        }

    def pre_compute(self, xtrain: Sequence[Any], xtest: Sequence[Any], unlabeled: Sequence[Any] | None = None) -> None:
        """Nothing is done ahead: a network is written in less than a millisecond."""

    def reset_hyperparams(self) -> None:
        """Back to the defaults."""
        self.hyperparams = None

    def get_hpo_wrapper(self) -> bool:
        """Whether NASLib should choose the surrogate."""
        return self.hpo_wrapper

    def set_random_hyperparams(self) -> dict[str, Any]:
        """Draw a surrogate."""
        drawn = {"surrogate": _CHOICES[int(self._rng.integers(len(_CHOICES)))]}
        self.set_hyperparams(drawn)
        return drawn

    def set_hyperparams(self, hyperparams: Mapping[str, Any]) -> None:
        """Use a surrogate from the next fit on.

        Raises:
            InvalidDataError: If a name is unknown.
        """
        unknown = sorted(set(hyperparams) - set(DEFAULTS))
        if unknown:
            msg = f"hyperparameters must be among {sorted(DEFAULTS)}, but got {unknown}: drop them"
            raise InvalidDataError(msg)
        self.hyperparams = dict(hyperparams)

    def get_hyperparams(self) -> dict[str, Any]:
        """The hyperparameters in use."""
        return {**self.default_hyperparams, **(self.hyperparams or {})}

    def fit(self, xtrain: Sequence[Any], ytrain: Sequence[float], train_info: Any = None) -> None:
        """Learn from architectures and their accuracies in percent.

        Raises:
            InvalidSearchSpaceError: If no search space is set, or an object is not of it.
            PluginError: If the surrogate is not registered.
        """
        del train_info
        surrogate = SURROGATES.make(self.get_hyperparams()["surrogate"], {})
        predictor = Predictor(self._encoders, surrogate)
        space = canonical_name(self.ss_type)
        self._predictor = predictor.fit([graph_of(arch, space) for arch in xtrain], ytrain)

    def query(self, xtest: Sequence[Any], info: Any = None) -> Float[np.ndarray, " n"]:
        """Predicted accuracies in percent.

        Raises:
            NotFittedError: Before `fit`.
        """
        del info
        if self._predictor is None:
            msg = "`query` needs a fitted predictor, but there is none: call `fit` first"
            raise NotFittedError(msg)
        space = canonical_name(self.ss_type)
        posterior = self._predictor.predict([graph_of(arch, space) for arch in xtest])
        return np.asarray(posterior.mean, dtype=np.float64)

    def __repr__(self) -> str:
        fitted = "fitted" if self._predictor is not None else "not fitted"
        return f"ForetellPredictor(ss_type={self.ss_type!r}, hyperparams={self.get_hyperparams()}, {fitted})"
