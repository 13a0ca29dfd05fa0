"""What a study's completed trials say about its space: their response surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from foretell.errors import InvalidDataError
from foretell.response_surface import ResponseSurface
from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.trial_memory import TrialMemory, in_order

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def response_surface(study: Study, objective: int = 0) -> tuple[ResponseSurface, list[FrozenTrial]]:
    """The response surface of one objective, larger is better, over the completed trials, which come with it.

    Raises:
        InvalidDataError: If the study has no such objective, or fewer than five completed trials with a parameter.
    """
    check_objective(study, objective)
    completed = [t for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if t.params]
    distributions = spaces.joint_distributions(completed)
    memory = TrialMemory()
    observations, trials = memory.observations(study, completed), in_order(completed)
    space = memory.space(study, distributions, completed)
    values = [o.values[objective] for o in observations]
    return ResponseSurface.fit(space, [o.config for o in observations], values), trials


def check_objective(study: Study, objective: int) -> None:
    """Refuse an objective that the study does not have.

    Raises:
        InvalidDataError: If it has none of that number.
    """
    if not 0 <= objective < len(study.directions):
        msg = f"`objective` must be 0 to {len(study.directions) - 1}, but got {objective}: choose one of the study's"
        raise InvalidDataError(msg)


def objective_names(study: Study) -> list[str]:
    """Names of the objectives: those of `set_metric_names`, else `objective`, numbered where there are several."""
    if study.metric_names:
        return list(study.metric_names)
    return ["objective"] if len(study.directions) == 1 else [f"objective {i}" for i in range(len(study.directions))]
