"""What a trial cost: its time, an attribute that it was given, or a function of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from foretell.cost import checked_cost
from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

CostSource: TypeAlias = "str | Callable[[Mapping[str, Any]], float]"
"""`"time"`, the name of a user attribute, or a function of the parameters."""
_TIME = "time"


@dataclass(frozen=True)
class TrialCost:
    """Reads a trial's cost.

    Args:
        source: `"time"` for the seconds between a trial's beginning and end, the name of a user attribute that holds a
            number, or a function of the parameters that knows the cost beforehand.

    Raises:
        InvalidDataError: If the source is none of these.

    >>> import optuna
    >>> TrialCost("seconds")(optuna.trial.create_trial(value=0.0, user_attrs={"seconds": 3}))
    3.0
    """

    source: CostSource

    def __post_init__(self) -> None:
        if not callable(self.source) and not (isinstance(self.source, str) and self.source):
            msg = (
                f"`cost` must be 'time', the name of a user attribute or a function of the parameters, but got "
                f"{self.source!r}: name what a trial costs"
            )
            raise InvalidDataError(msg)

    def __call__(self, trial: FrozenTrial) -> float:
        """The cost of a finished trial.

        Raises:
            InvalidDataError: If it has none, or it is no finite number above 0.
        """
        if callable(self.source):
            return self.of(trial.params)
        if self.source == _TIME:
            given: Any = None if trial.duration is None else trial.duration.total_seconds()
        elif self.source in trial.user_attrs:
            given = trial.user_attrs[self.source]
        else:
            msg = f"a trial must have the user attribute {self.source!r}, but has not: trial.set_user_attr it"
            raise InvalidDataError(msg)
        return checked_cost(given, f"trial {trial.number}")

    def of(self, params: Mapping[str, Any]) -> float:
        """What the function says of parameters.

        Raises:
            InvalidDataError: If that is no finite number above 0.
        """
        assert callable(self.source)
        return checked_cost(self.source(dict(params)), f"a trial of {dict(params)}")
