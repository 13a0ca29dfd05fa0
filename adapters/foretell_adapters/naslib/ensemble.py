"""An ensemble for BANANAS and NPENAS: one posterior, in the form of votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foretell_adapters.naslib.presets import predictor_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.known_columns import KnownColumns
    from foretell_adapters.naslib.model import Known


class ForetellEnsemble:
    """What `_get_ensemble` of NASLib's optimisers gives.

    NASLib's acquisition functions take the mean and the standard deviation over the votes of an ensemble. Two votes, a
    standard deviation above the mean and one below, have those of our belief: how far the predictor may be wrong,
    without the noise of a training run, which the votes of theirs do not have either.

    Args:
        ss_type: Name of the search space.
        preset: Which predictor.
        columns: Columns kept by an earlier ensemble of the same preset and space (`known_columns`).

    Raises:
        InvalidSearchSpaceError: If the search space is not supported.
        InvalidDataError: If the preset is unknown.
    """

    def __init__(self, ss_type: str, preset: str = "foretell", *, columns: KnownColumns[Known] | None = None) -> None:
        self.predictor = predictor_class(preset)(ss_type, columns=columns)

    @property
    def known_columns(self) -> KnownColumns[Known] | None:
        """Columns kept so far."""
        return self.predictor.known_columns

    def prepare(self, archs: Sequence[Any]) -> None:
        """Compute the columns of architectures that will be queried one by one."""
        self.predictor.prepare(archs)

    def set_pre_computations(self, unlabeled: Sequence[Any] | None = None, **zero_cost: Any) -> None:
        """See `ForetellPredictor.set_pre_computations`."""
        self.predictor.set_pre_computations(unlabeled, **zero_cost)

    def set_hyperparams(self, params: Mapping[str, Any] | None) -> None:
        """See `ForetellPredictor.set_hyperparams`; None for the defaults."""
        self.predictor.set_hyperparams(params or {})

    def fit(self, xtrain: Sequence[Any], ytrain: Sequence[float], train_info: Any = None) -> None:
        """Learn from architectures and their accuracies in percent."""
        self.predictor.fit(xtrain, ytrain, train_info)

    def query(self, xtest: Sequence[Any], info: Any = None) -> Float[np.ndarray, "2 n"]:
        """Two votes for each architecture, in percent.

        Raises:
            NotFittedError: Before `fit`.
        """
        found = self.predictor.function_posterior(xtest, info)
        mean, std = found.mean, found.std
        return np.array([mean - std, mean + std], dtype=np.float64)
