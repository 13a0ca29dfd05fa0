"""What NASLib calls on a predictor, as a structural type.

NASLib never checks for a base class, and importing its own one pulls in the dependencies of every predictor
it ships. The methods below are all that `PredictorEvaluator`, `Ensemble`, BANANAS and NPENAS use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from jaxtyping import Float


@runtime_checkable
class NASLibPredictor(Protocol):
    """A predictor as NASLib sees it; architectures are search-space objects, targets are in percent."""

    def set_ss_type(self, ss_type: str) -> None:
        """Told the search space's name before all else."""
        ...

    def pre_process(self) -> None:
        """Called once, before any architecture is known."""
        ...

    def get_data_reqs(self) -> dict[str, Any]:
        """Which learning curves, hyperparameters and unlabelled architectures the predictor wants."""
        ...

    def pre_compute(self, xtrain: Sequence[Any], xtest: Sequence[Any], unlabeled: Sequence[Any] | None) -> None:
        """Called once with all architectures of an experiment."""
        ...

    def reset_hyperparams(self) -> None:
        """Called before each fit of an experiment."""
        ...

    def get_hpo_wrapper(self) -> bool:
        """Whether NASLib should choose hyperparameters by cross-validation."""
        ...

    def set_random_hyperparams(self) -> dict[str, Any]:
        """Draw hyperparameters, use them and return them; none may be None."""
        ...

    def set_hyperparams(self, hyperparams: Mapping[str, Any]) -> None:
        """Use these hyperparameters from the next fit on."""
        ...

    def get_hyperparams(self) -> dict[str, Any] | None:
        """The hyperparameters in use, for the results file."""
        ...

    def fit(self, xtrain: Sequence[Any], ytrain: Sequence[float], train_info: Any = None) -> None:
        """Learn; within NASLib's cross-validation there is no `train_info`."""
        ...

    def query(self, xtest: Sequence[Any], info: Any = None) -> Float[np.ndarray, " n"]:
        """Predict: a float64 array, since NASLib writes it as JSON."""
        ...
